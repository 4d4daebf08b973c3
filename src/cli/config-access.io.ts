/**
 * The configuration that a command is about: that of the running gateway, over its control socket; else the store in the
 * data folder, or the file of `--config`, opened by the command itself. The command sees the same object in each case.
 * Effects: the control socket, the store's database, files.
 */
import path from 'node:path';
import { localAccount, localName } from '../admin/local-account.io.ts';
import { remoteConfiguration } from '../admin/remote-configuration.io.ts';
import type { Administrator, ConfigurationStore, StoreStatus } from '../config/configuration-store.ts';
import { GatewayError } from '../core/errors.ts';
import { dataFolder } from './data-folder.ts';

type Configuration = Omit<ConfigurationStore, 'mode' | 'compiled'>;

export type Access = {
  readonly store: Configuration;
  readonly status: StoreStatus;
  /** No gateway runs: a commit is checked and written down, and counts from the next start. */
  readonly offline: boolean;
  /** Of a store that this command has opened itself; holds secrets. */
  readonly compiled?: ConfigurationStore['compiled'];
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
  const name = localName(localAccount());
  return { name, session: name };
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
    // With a gateway this is the gateway's; a command that asks one loads neither schema nor database.
    const { openFile, openStore } = await import('./config-offline.io.ts');
    const own = configFile === undefined ? await openStore(dataDir, options) : await openFile(configFile);
    if (typeof own === 'string') return own;
    const compiled: ConfigurationStore['compiled'] = (which) => own.compiled(which);
    return await accessTo(own, { offline: true, close: () => own.close(), configFile, compiled });
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
}

type How = Pick<Access, 'offline' | 'close' | 'compiled'> & { readonly configFile: string | undefined };

async function accessTo(store: Configuration, { configFile, ...how }: How): Promise<Access | string> {
  const status = await store.status();
  const other = status.mode === 'file' ? `on the file ${status.file ?? ''}` : 'on its configuration store';
  if (configFile === undefined || status.file === configFile) return { store, status, ...how };
  await how.close();
  return `the gateway of this data folder runs ${other}, not on ${configFile}`;
}
