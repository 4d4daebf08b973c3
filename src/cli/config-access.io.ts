/**
 * The configuration that a command is about: that of the running gateway, over its control socket; else the store in the
 * data folder, or the file of `--config`, opened by the command itself. The command sees the same object in each case.
 * Effects: the control socket, the store's database, files.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { remoteConfiguration } from '../admin/remote-configuration.io.ts';
import { CommittedConfiguration } from '../config/committed-configuration.io.ts';
import type { ConfigurationTexts } from '../config/configuration-ports.ts';
import type { Administrator, ConfigurationStore, StoreStatus } from '../config/configuration-store.ts';
import { locateFaults, readDocument, writeDocument } from '../config/document-text.io.ts';
import { FileConfiguration } from '../config/file-configuration.io.ts';
import { storeFile } from '../config/store-database.io.ts';
import { StoreVault } from '../config/store-vault.io.ts';
import { GatewayError } from '../core/errors.ts';
import type { LoadedRevision } from '../revision.ts';
import { dataFolder } from './run.io.ts';

type Configuration = Omit<ConfigurationStore, 'mode' | 'compiled'>;

export type Access = {
  readonly store: Configuration;
  readonly status: StoreStatus;
  /** No gateway runs: a commit is checked and written down, and counts from the next start. */
  readonly offline: boolean;
  readonly close: () => Promise<void>;
};

export type AccessOptions = {
  readonly data: string | undefined;
  readonly config: string | undefined;
  readonly keyFile: string | undefined;
  /** Makes the store where there is none. */
  readonly mayMake: boolean;
};

/** The local command line's session: its uncommitted changes last from one command to the next. */
export function localAdministrator(): Administrator {
  const name = process.env['SUDO_USER'] ?? userInfo().username;
  return { name, session: `cli:${name}` };
}

/** A string: why not, for the administrator. */
export async function accessConfiguration(options: AccessOptions): Promise<Access | string> {
  const configFile = options.config === undefined ? undefined : path.resolve(options.config);
  const dataDir =
    configFile === undefined ? path.resolve(options.data ?? 'data') : dataFolder(configFile, options.data);
  try {
    const remote = await remoteConfiguration(dataDir);
    if (remote !== undefined)
      return await accessTo(remote, { offline: false, close: async () => undefined, configFile });
    const own = configFile === undefined ? await openStore(dataDir, options) : await openFile(configFile);
    if (typeof own === 'string') return own;
    return await accessTo(own, { offline: true, close: () => own.close(), configFile });
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
}

type How = Pick<Access, 'offline' | 'close'> & { readonly configFile: string | undefined };

async function accessTo(store: Configuration, { offline, close, configFile }: How): Promise<Access | string> {
  const status = await store.status();
  const other = status.mode === 'file' ? `on the file ${status.file ?? ''}` : 'on its configuration store';
  if (configFile === undefined || status.file === configFile) return { store, status, offline, close };
  await close();
  return `the gateway of this data folder runs ${other}, not on ${configFile}`;
}

async function openStore(
  dataDir: string,
  { keyFile, mayMake }: AccessOptions,
): Promise<CommittedConfiguration | string> {
  if (!existsSync(storeFile(dataDir))) {
    if (!mayMake)
      return `${dataDir} has no configuration: name the data folder with --data DIR or a file with --config FILE`;
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  }
  const { loadRevision } = await import('../revision.ts');
  const vault = StoreVault.open({ dataDir, keyFile, credentials: process.env['CREDENTIALS_DIRECTORY'] });
  return new CommittedConfiguration(vault, {
    ...OFFLINE,
    check: (document, number) => loadRevision({ document, dataDir, number }),
    apply: async (_revision, _warnings, record) => record(),
  });
}

async function openFile(file: string): Promise<FileConfiguration | string> {
  const { loadRevision } = await import('../revision.ts');
  const check = (number: number): Promise<LoadedRevision> => loadRevision({ file, dataDir: undefined, number });
  const loaded = await check(1);
  if (!loaded.ok) return loaded.faults.join('\n');
  return new FileConfiguration(
    {
      ...OFFLINE,
      running: () => loaded.revision,
      file,
      check,
      apply: async (_revision, _warnings, record) => record(),
    },
    loaded.document,
  );
}

const TEXTS: ConfigurationTexts = {
  read: readDocument,
  write: writeDocument,
  locate: async (request) => locateFaults(request),
};
const OFFLINE = {
  now: () => Date.now(),
  texts: TEXTS,
  running: () => undefined,
  committed: () => undefined,
  note: () => undefined,
};
