/**
 * `sallyport exemptions` lists who may use a password, until when, why and by whom it was granted; `sallyport monitored`
 * lists who still sends without a card. Both ask the running gateway unless a file (`--config`) or the history of a
 * gateway that does not run is meant. Effects: the control socket; or reads the configuration and the history file.
 */
import path from 'node:path';
import { ClientHistory } from '../log/client-history.io.ts';
import {
  type ExemptionReport,
  exemptionReport,
  type MonitoredReport,
  monitoredReport,
} from '../explain/rule-reports.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { renderExemptions, renderMonitored } from './exemptions.ts';
import { dataFolder } from './data-folder.ts';
import { revisionOfFile } from './file-revision.io.ts';
import { askWhy, bodyOf, gatewayAt, whichAsked } from './on-gateway.io.ts';

const EXEMPTIONS_USAGE = `usage: sallyport exemptions [--data DIR] [--candidate] [--soon DAYS] [--json]
       sallyport exemptions --config FILE [--data DIR] [--soon DAYS] [--json]
`;
const MONITORED_USAGE = 'usage: sallyport monitored [--data DIR | --config FILE] [--json]\n';

function hitsIn(dataDir: string) {
  const history = ClientHistory.read(dataDir);
  const hits = history?.hits() ?? [];
  history?.close();
  return hits;
}

/** Exit code 3 where one ends soon or has ended, so that a timer can report it. */
export async function exemptionsCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'data', 'soon'], flags: ['json', 'candidate'] });
  const soonDays = typeof parsed === 'string' ? 0 : Number(parsed.options['soon'] ?? 14);
  if (typeof parsed === 'string' || parsed.rest.length > 0 || !Number.isInteger(soonDays) || soonDays < 0) {
    write(`${EXEMPTIONS_USAGE}${typeof parsed === 'string' ? `${parsed}\n` : ''}`);
    return 2;
  }
  const found =
    parsed.options['config'] === undefined
      ? await exemptionsOfGateway(parsed, soonDays, write)
      : await exemptionsOfFile(parsed.options, soonDays, write);
  if (found === undefined) return 1;
  const { exemptions, nowMs } = found;
  write(parsed.flags.has('json') ? `${JSON.stringify(exemptions, null, 2)}\n` : renderExemptions(exemptions, nowMs));
  return exemptions.some(({ state }) => state !== 'in force') ? 3 : 0;
}

type Exemptions = { readonly nowMs: number; readonly exemptions: readonly ExemptionReport[] };

async function exemptionsOfGateway({ options, flags }: Arguments, soonDays: number, write: Write) {
  const which = whichAsked({ flags });
  const answer = await askWhy(options['data'], 'GET /api/exemptions', { which, soonDays });
  return bodyOf<Exemptions>(answer, write);
}

async function exemptionsOfFile(
  { config = '', data }: Arguments['options'],
  soonDays: number,
  write: Write,
): Promise<Exemptions | undefined> {
  const revision = await revisionOfFile(config, write);
  if (revision === undefined) return undefined;
  const nowMs = Date.now();
  const facts = { hits: hitsIn(dataFolder(config, data)), nowMs, soonDays };
  return { nowMs, exemptions: exemptionReport(revision.config.exemptions, facts) };
}

export async function monitoredCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['data', 'config'], flags: ['json'] });
  if (typeof parsed === 'string' || parsed.rest.length > 0) {
    write(`${MONITORED_USAGE}${typeof parsed === 'string' ? `${parsed}\n` : ''}`);
    return 2;
  }
  const { data, config } = parsed.options;
  const monitored = await monitoredIn(config === undefined ? data : dataFolder(config, data), write);
  if (monitored === undefined) return 1;
  write(parsed.flags.has('json') ? `${JSON.stringify(monitored, null, 2)}\n` : renderMonitored(monitored));
  return 0;
}

/** Of the running gateway; where none runs, what its history says. */
async function monitoredIn(data: string | undefined, write: Write): Promise<readonly MonitoredReport[] | undefined> {
  const answer = await gatewayAt(data).call('GET /api/monitored');
  const isAway = !answer.ok && answer.refusal.kind === 'unreachable';
  const history = isAway ? ClientHistory.read(path.resolve(data ?? 'data')) : undefined;
  if (history === undefined) return bodyOf<{ monitored: readonly MonitoredReport[] }>(answer, write)?.monitored;
  const monitored = monitoredReport(history.hits());
  history.close();
  return monitored;
}
