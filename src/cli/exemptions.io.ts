/**
 * `sallyport exemptions` lists who may use a password, until when, why and by whom it was granted; `sallyport monitored`
 * lists who still sends without a card. Effects: reads the configuration and the history file.
 */
import path from 'node:path';
import { ClientHistory } from '../log/client-history.io.ts';
import { loadRevision } from '../revision.ts';
import { parseArguments, type Write } from './arguments.ts';
import { exemptionReport, monitoredReport, renderExemptions, renderMonitored } from './exemptions.ts';

const EXEMPTIONS_USAGE = 'usage: sallyport exemptions --config FILE [--data DIR] [--soon DAYS] [--json]\n';
const MONITORED_USAGE = 'usage: sallyport monitored --data DIR [--json]\n';

function hitsIn(dataDir: string | undefined) {
  const history = dataDir === undefined ? undefined : ClientHistory.read(dataDir);
  const hits = history?.hits() ?? [];
  history?.close();
  return hits;
}

/** Exit code 3 where one ends soon or has ended, so that a timer can report it. */
export async function exemptionsCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'data', 'soon'], flags: ['json'] });
  const soonDays = typeof parsed === 'string' ? 0 : Number(parsed.options['soon'] ?? 14);
  const file = typeof parsed === 'string' ? undefined : parsed.options['config'];
  if (typeof parsed === 'string' || file === undefined || parsed.rest.length > 0 || !(soonDays >= 0)) {
    write(`${EXEMPTIONS_USAGE}${typeof parsed === 'string' ? `${parsed}\n` : ''}`);
    return 2;
  }
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const nowMs = Date.now();
  const facts = { hits: hitsIn(parsed.options['data']), nowMs, soonDays };
  const report = exemptionReport(loaded.revision.config.exemptions, facts);
  write(parsed.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderExemptions(report, nowMs));
  return report.some(({ state }) => state !== 'in force') ? 3 : 0;
}

export async function monitoredCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['data'], flags: ['json'] });
  const data = typeof parsed === 'string' ? undefined : parsed.options['data'];
  if (typeof parsed === 'string' || data === undefined || parsed.rest.length > 0) {
    write(`${MONITORED_USAGE}${typeof parsed === 'string' ? `${parsed}\n` : ''}`);
    return 2;
  }
  const report = monitoredReport(hitsIn(data));
  write(parsed.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderMonitored(report));
  return 0;
}
