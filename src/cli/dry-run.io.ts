/**
 * `sallyport dryrun`: whose verdict a changed configuration would change, tried on the clients that the gateway has seen.
 * `sallyport unused`: which rules nobody has needed. Both ask the running gateway, the first about one's uncommitted
 * changes; with `--config` they compare files with the history of a data folder.
 * Effects: the control socket; or reads configurations, the history file, revocation lists; may ask directories.
 */
import path from 'node:path';
import { dryRun, type JudgedRevision } from '../explain/dry-run.io.ts';
import type { DryRun } from '../explain/dry-run-report.ts';
import { type ExplanationParts, explanationsOf } from '../explain/explanations.io.ts';
import { ClientHistory } from '../log/client-history.io.ts';
import { type OfflineLists, offlineRevocation } from '../explain/offline-revocation.io.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { isUnused, type RuleReport, ruleUsage } from '../explain/rule-reports.ts';
import { SILENT } from '../log/silent.ts';
import { type Arguments, parseArguments, type Write } from './arguments.ts';
import { renderDryRun, renderRules } from './dry-run.ts';
import { dataFolder } from './data-folder.ts';
import { revisionOfFile } from './file-revision.io.ts';
import { askWhy, bodyOf, gatewayAt, whichAsked } from './on-gateway.io.ts';

const DRY_RUN_USAGE = `usage: sallyport dryrun [--data DIR | --config FILE] [--days 7] [--json]
       sallyport dryrun --config RUNNING --candidate FILE [--data DIR] [--days 7] [--json]
`;
const UNUSED_USAGE = `usage: sallyport unused [--data DIR] [--candidate] [--days 90 | --all] [--json]
       sallyport unused --config FILE [--data DIR] [--days 90 | --all] [--json]
`;
const parts = { clock: systemClock, log: SILENT };

type Asked = Pick<Arguments, 'options' | 'flags'> & { readonly days: number };

/** What was asked, or what is wrong with it. */
function readDays(parsed: Arguments | string, usual: number): Asked | string {
  if (typeof parsed === 'string') return parsed;
  const { options, flags, rest } = parsed;
  if (rest.length > 0) return `not understood: ${rest[0]}`;
  const days = Number(options['days'] ?? usual);
  return Number.isInteger(days) && days >= 1 ? { options, flags, days } : '--days takes a whole number from 1';
}

function refuse(write: Write, usage: string, why: string): 2 {
  write(`${usage}${why}\n`);
  return 2;
}

export type CandidateDryRun = {
  /** The running gateway's; default: `data` below the current folder. */
  readonly dataDir: string | undefined;
  readonly days?: number;
  readonly json?: boolean;
};

/**
 * Tries the local account's uncommitted changes on the clients that the running gateway has seen, and says whose verdict
 * they would change: for `dryrun` and for every `commit --dry-run`. Nothing is committed.
 * 0 where nobody's verdict changes, 3 where somebody's does, 1 where it could not be tried, with the reason.
 */
export async function dryRunCandidate(asked: CandidateDryRun, write: Write): Promise<0 | 1 | 3> {
  const { dataDir, days = 7, json = false } = asked;
  const answer = await gatewayAt(dataDir).call('POST /api/config/candidate/dry-run', { body: { days } });
  const result = bodyOf<DryRun>(answer, write);
  return result === undefined ? 1 : sayDryRun(result, json, write);
}

export type OfflineDryRun = CandidateDryRun & {
  readonly dataDir: string;
  readonly session: string;
  readonly store: ExplanationParts['control']['configuration'];
};

/** The same where no gateway runs, of the store in its data folder. */
export async function dryRunOffline(asked: OfflineDryRun, write: Write): Promise<0 | 1 | 3> {
  const { dataDir, days = 7, json = false, session, store } = asked;
  const running = await store.compiled('running');
  if (!running.ok) return refused(running.refusal.why, write);
  const { revision } = running;
  const { config, material } = revision;
  const crls = await offlineRevocation({ config, material, baseDir: dataDir, dataDir, ...parts });
  try {
    const explanations = explanationsOf({
      control: { configuration: store },
      running: () => revision,
      crls,
      desk: undefined,
      dataDir,
      clock: systemClock,
    });
    const answer = await explanations.dryRun(session, { days });
    return answer.ok ? sayDryRun(answer.value, json, write) : refused(answer.refusal.why, write);
  } finally {
    crls.close();
  }
}

function refused(why: string, write: Write): 1 {
  write(`sallyport: ${why}\n`);
  return 1;
}

function sayDryRun(result: DryRun, json: boolean, write: Write): 0 | 3 {
  write(json ? `${JSON.stringify(result, null, 2)}\n` : renderDryRun(result));
  return result.summary.every(({ count }) => count === 0) ? 0 : 3;
}

export async function dryRunCommand(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'candidate', 'data', 'days'], flags: ['json'] });
  const asked = readDays(parsed, 7);
  if (typeof asked === 'string') return refuse(write, DRY_RUN_USAGE, asked);
  const { options, flags, days } = asked;
  const { config, candidate } = options;
  if (config === undefined && candidate !== undefined) return refuse(write, DRY_RUN_USAGE, '--config is needed');
  if (config === undefined) {
    const { configOperation } = await import('./config.io.ts');
    const place = options['data'] === undefined ? [] : ['--data', options['data']];
    const more = [`--days=${days}`, ...(flags.has('json') ? ['--json'] : []), ...place];
    return await configOperation('commit', ['--dry-run', ...more], write);
  }
  // Of a gateway that runs on the file: what reading it again would change.
  if (candidate === undefined) {
    const dataDir = dataFolder(config, options['data']);
    return await dryRunCandidate({ dataDir, days, json: flags.has('json') }, write);
  }
  const data = dataFolder(config, options['data']);
  const history = openHistory(data, write);
  if (history === undefined) return 1;
  const opened: OfflineLists[] = [];
  try {
    const running = await judged(config, data, { opened, write });
    const changed = running && (await judged(candidate, data, { opened, write }));
    if (running === undefined || changed === undefined) return 1;
    return sayDryRun(await dryRun({ running, candidate: changed, history, days, ...parts }), flags.has('json'), write);
  } finally {
    history.close();
    for (const lists of opened) lists.close();
  }
}

function openHistory(dataDir: string, write: Write): ClientHistory | undefined {
  const history = ClientHistory.read(dataDir);
  if (history === undefined) write(`sallyport: ${dataDir} has no history.db: no gateway has kept any history there\n`);
  return history;
}

/** `opened`: the lists are noted there, for they must be closed. */
async function judged(
  file: string,
  dataDir: string,
  { opened, write }: { readonly opened: OfflineLists[]; readonly write: Write },
): Promise<JudgedRevision | undefined> {
  const revision = await revisionOfFile(file, write);
  if (revision === undefined) return undefined;
  const { config, material } = revision;
  const baseDir = path.dirname(path.resolve(file));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir, ...parts });
  opened.push(crls);
  return { revision, crls };
}

export async function unusedCommand(args: readonly string[], write: Write): Promise<number> {
  const flags = ['json', 'all', 'candidate'];
  const asked = readDays(parseArguments(args, { options: ['config', 'data', 'days'], flags }), 90);
  if (typeof asked === 'string') return refuse(write, UNUSED_USAGE, asked);
  const days = asked.flags.has('all') ? undefined : asked.days;
  const report =
    asked.options['config'] === undefined
      ? await rulesOfGateway(asked, days, write)
      : await rulesOfFile(asked.options, days, write);
  if (report === undefined) return 1;
  write(asked.flags.has('json') ? `${JSON.stringify(report, null, 2)}\n` : renderRules(report, days));
  return 0;
}

async function rulesOfGateway({ options, flags }: Asked, days: number | undefined, write: Write) {
  const which = whichAsked({ flags });
  const query = { which, ...(days === undefined ? {} : { unusedDays: days }) };
  return bodyOf<RuleReport>(await askWhy(options['data'], 'GET /api/rules', query), write);
}

async function rulesOfFile(
  { config: file = '', data }: Asked['options'],
  days: number | undefined,
  write: Write,
): Promise<RuleReport | undefined> {
  const history = openHistory(dataFolder(file, data), write);
  if (history === undefined) return undefined;
  try {
    const revision = await revisionOfFile(file, write);
    if (revision === undefined) return undefined;
    const nowMs = systemClock.now();
    const rules = ruleUsage(revision.config, history.hits());
    const shown = days === undefined ? rules : rules.filter((rule) => isUnused(rule, days, nowMs));
    return { nowMs, countedFromMs: history.sinceMs(), rules: shown };
  } finally {
    history.close();
  }
}
