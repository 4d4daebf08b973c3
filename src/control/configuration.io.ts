/**
 * Where a gateway's configuration comes from: the file of `--config`, or the configuration store in the data folder. Opens
 * it, checks the revision that is to run, and serves it to administrators once the gateway can put others into force.
 * Effects: the store's database; processes apart, for schema and YAML need 30 MB that a running gateway has better use for.
 */
import fs from 'node:fs';
import path from 'node:path';
import { CommittedConfiguration } from '../config/committed-configuration.io.ts';
import type { ConfigurationTexts } from '../config/configuration-ports.ts';
import type {
  ConfigurationStore,
  Refusal,
  RevisionInfo,
  StoreFault,
  Unconfirmed,
} from '../config/configuration-store.ts';
import { FileConfiguration } from '../config/file-configuration.io.ts';
import { renderFault, renderPlainFault } from '../config/located-fault.ts';
import type { Revision } from '../config/schema.ts';
import { storeFile } from '../config/store-database.io.ts';
import { StoreVault } from '../config/store-vault.io.ts';
import { apart } from '../core/apart.io.ts';
import { GatewayError } from '../core/errors.ts';
import { systemClock } from '../core/system-clock.io.ts';
import type { LoadedRevision, RevisionSource } from './revision.io.ts';

export type ConfigurationSource = {
  readonly dataDir: string;
  /** Without it the store in the data folder is the truth. */
  readonly configFile: string | undefined;
  readonly keyFile: string | undefined;
};

/** What a running gateway does for its configuration. */
export type ConfigurationHost = {
  readonly change: (revision: Revision, warnings: readonly string[], record: () => void) => Promise<void>;
  readonly running: () => Revision;
  readonly committed: (revision: RevisionInfo, unconfirmed: Unconfirmed | undefined) => void;
  readonly note: (level: 'info' | 'warning' | 'critical', text: string) => void;
};

export type RunningConfiguration = ConfigurationStore & { close(): Promise<void> };

export type OpenedConfiguration = {
  /** The one to run. */
  readonly revision: Revision;
  readonly warnings: readonly string[];
  /** That it is an earlier one because nobody confirmed the last, and what else an administrator must hear. */
  readonly wentBack: readonly string[];
  /** Names it in a line about something else: the file, or the revision. */
  readonly name: string;
  /** Where relative paths start. */
  readonly baseDir: string;
  readonly serve: (host: ConfigurationHost) => RunningConfiguration;
  readonly linesOf: (refusal: Refusal) => readonly string[];
  /** Where it was never served. */
  readonly close: () => void;
};

export type OpenResult =
  | ({ readonly ok: true } & OpenedConfiguration)
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads and checks, and puts nothing into force. `ok: false` says the faults, a line each. */
export async function openConfiguration(source: ConfigurationSource): Promise<OpenResult> {
  const { configFile, dataDir } = source;
  if (configFile !== undefined) return openFile(configFile, dataDir);
  if (!fs.existsSync(storeFile(dataDir))) return { ok: false, faults: nothingYet(dataDir) };
  try {
    return await openStore(source);
  } catch (error) {
    if (error instanceof GatewayError) return { ok: false, faults: [error.message] };
    throw error;
  }
}

async function openFile(file: string, dataDir: string): Promise<OpenResult> {
  const check = (number: number): Promise<LoadedRevision> => checkApart({ file, dataDir, number });
  const loaded = await check(1);
  if (!loaded.ok) return loaded;
  const lineOf = (fault: StoreFault): string => renderFault(file, { line: 1, column: 1, ...fault });
  return {
    ok: true,
    revision: loaded.revision,
    warnings: loaded.warnings,
    wentBack: [],
    name: file,
    baseDir: path.dirname(file),
    serve: (host) => new FileConfiguration({ ...portsOf(host, lineOf), file, check }, loaded.document),
    linesOf: (refusal) => linesOf(refusal, lineOf),
    close: () => undefined,
  };
}

async function openStore({ dataDir, keyFile }: ConfigurationSource): Promise<OpenResult> {
  const vault = StoreVault.open({ dataDir, keyFile, credentials: process.env['CREDENTIALS_DIRECTORY'] });
  try {
    const opened = await openRunnable(vault, dataDir);
    if (!opened.ok) vault.db.close();
    return opened;
  } catch (error) {
    vault.db.close();
    throw error;
  }
}

async function openRunnable(vault: StoreVault, dataDir: string): Promise<OpenResult> {
  if (vault.isEmpty) return { ok: false, faults: nothingYet(dataDir) };
  const check = (document: unknown, number: number): Promise<LoadedRevision> =>
    checkApart({ document: document as never, dataDir, number });
  const notes: string[] = [];
  const waiting = vault.db.unconfirmed();
  const goBack = (why: string): boolean => {
    if (!vault.goBack(Date.now(), why)) return false;
    notes.push(`configuration revision ${vault.head().number} in force: ${why}`);
    return true;
  };
  if (waiting !== undefined && waiting.deadlineMs <= Date.now())
    goBack(`revision ${waiting.revision} was not confirmed in time, back to revision ${waiting.backTo}`);
  let loaded = await check(vault.open(vault.head().document), vault.head().number);
  // It was in force and is not any more: a file that it names has changed. Nobody has confirmed it, so it is given up.
  if (!loaded.ok && goBack(`an unconfirmed revision cannot start: ${loaded.faults[0] ?? ''}`))
    loaded = await check(vault.open(vault.head().document), vault.head().number);
  const name = `configuration revision ${vault.head().number}`;
  if (!loaded.ok) return { ok: false, faults: loaded.faults.map((line) => `${name}: ${line}`) };
  return {
    ok: true,
    revision: loaded.revision,
    warnings: loaded.warnings,
    wentBack: notes,
    name,
    baseDir: dataDir,
    serve: (host) => new CommittedConfiguration(vault, { ...portsOf(host, renderPlainFault), check }),
    linesOf: (refusal) => linesOf(refusal, renderPlainFault),
    close: () => vault.db.close(),
  };
}

const portsOf = (host: ConfigurationHost, lineOf: (fault: StoreFault) => string) => ({
  now: () => systemClock.now(),
  texts: TEXTS,
  running: host.running,
  committed: host.committed,
  note: host.note,
  apply: (revision: Revision, found: readonly StoreFault[], record: () => void) =>
    host.change(revision, found.map(lineOf), record),
});

const linesOf = (refusal: Refusal, lineOf: (fault: StoreFault) => string): readonly string[] =>
  refusal.kind === 'faults' ? refusal.faults.map(lineOf) : [];

const nothingYet = (dataDir: string): string[] => [
  `${dataDir} has no configuration yet. Load one: sallyport config load FILE --commit --data ${dataDir}`,
  'sallyport config describe prints one to start from; sallyport run --config FILE runs on a file instead',
];

const checkApart = (source: RevisionSource): Promise<LoadedRevision> =>
  apart(new URL('./revision.io.ts', import.meta.url), 'loadRevision', source);

const TEXT_MODULE = new URL('../config/document-text.io.ts', import.meta.url);
const TEXTS: ConfigurationTexts = {
  read: (request) => apart(TEXT_MODULE, 'readDocument', request),
  write: (request) => apart(TEXT_MODULE, 'writeDocument', request),
  locate: (request) => apart(TEXT_MODULE, 'locateFaults', request),
};
