/**
 * `sallyport dryrun`: whose verdict a changed configuration would change, tried on the clients that the gateway has seen.
 * `sallyport unused`: which rules nobody has needed. Both read the history of a gateway's data folder, running or not.
 * Effects: reads configurations, the history file, revocation lists; may ask directories.
 */
import path from 'node:path';
import { dryRun, type JudgedRevision } from '../dry-run.ts';
import { ClientHistory } from '../log/client-history.io.ts';
import { offlineRevocation } from '../offline-revocation.ts';
import { loadRevision } from '../revision.ts';
import { parseArguments, type Write } from './arguments.ts';
import { renderDryRun, renderUnused, unusedRules } from './dry-run.ts';

const DRY_RUN_USAGE = 'usage: sallyport dryrun --config RUNNING --candidate FILE --data DIR [--days 7] [--json]\n';
const UNUSED_USAGE = 'usage: sallyport unused --config FILE --data DIR [--days 90] [--json]\n';
const DAY_MS = 86_400_000;
const clock = { now: (): number => Date.now() };
const log = { emit: () => undefined };

type Asked = { readonly options: Readonly<Record<string, string>>; readonly json: boolean; readonly days: number };

/** What was asked, or the exit code of a refusal that has been written. */
function readArguments(
  args: readonly string[],
  { write, usage, needed, days: defaultDays }: { write: Write; usage: string; needed: readonly string[]; days: number },
): Asked | number {
  const parsed = parseArguments(args, { options: [...needed, 'days'], flags: ['json'] });
  const days = typeof parsed === 'string' ? 0 : Number(parsed.options['days'] ?? defaultDays);
  const fits = typeof parsed !== 'string' && parsed.rest.length === 0 && Number.isInteger(days) && days >= 1;
  const missing = typeof parsed === 'string' ? [] : needed.filter((name) => parsed.options[name] === undefined);
  if (typeof parsed !== 'string' && fits && missing.length === 0)
    return { options: parsed.options, json: parsed.flags.has('json'), days };
  const why =
    typeof parsed === 'string'
      ? parsed
      : missing.length > 0
        ? `--${missing.join(' and --')} is needed`
        : '--days takes a whole number from 1';
  write(`${usage}${why}\n`);
  return 2;
}

function openHistory(dataDir: string, write: Write): ClientHistory | undefined {
  const history = ClientHistory.read(dataDir);
  if (history === undefined) write(`sallyport: ${dataDir} has no history.db: no gateway has kept any history there\n`);
  return history;
}

async function judged(file: string, dataDir: string, write: Write): Promise<JudgedRevision | undefined> {
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return undefined;
  }
  const { config, material } = loaded.revision;
  const baseDir = path.dirname(path.resolve(file));
  return {
    revision: loaded.revision,
    crls: await offlineRevocation({ config, material, baseDir, dataDir, clock, log }),
  };
}

/** 0 where nobody's verdict changes, 3 where somebody's does, 1 where it could not be tried. */
export async function dryRunCommand(args: readonly string[], write: Write): Promise<number> {
  const needed = ['config', 'candidate', 'data'];
  const asked = readArguments(args, { write, usage: DRY_RUN_USAGE, needed, days: 7 });
  if (typeof asked === 'number') return asked;
  const { config = '', candidate: changed = '', data = '' } = asked.options;
  const history = openHistory(data, write);
  if (history === undefined) return 1;
  try {
    const running = await judged(config, data, write);
    const candidate = running && (await judged(changed, data, write));
    if (running === undefined || candidate === undefined) return 1;
    return sayDryRun(await dryRun({ running, candidate, history, days: asked.days, clock, log }), asked.json, write);
  } finally {
    history.close();
  }
}

export async function unusedCommand(args: readonly string[], write: Write): Promise<number> {
  const asked = readArguments(args, { write, usage: UNUSED_USAGE, needed: ['config', 'data'], days: 90 });
  if (typeof asked === 'number') return asked;
  const { config: file = '', data = '' } = asked.options;
  const history = openHistory(data, write);
  if (history === undefined) return 1;
  try {
    const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
    if (!loaded.ok) {
      for (const line of loaded.faults) write(`${line}\n`);
      return 1;
    }
    const nowMs = clock.now();
    const unused = unusedRules(loaded.revision.config, history.hits(), nowMs - asked.days * DAY_MS);
    const countedFromMs = history.sinceMs();
    write(
      asked.json
        ? `${JSON.stringify({ countedFromMs, unused }, null, 2)}\n`
        : renderUnused(unused, asked.days, countedFromMs, nowMs),
    );
    return 0;
  } finally {
    history.close();
  }
}
