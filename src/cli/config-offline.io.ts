/**
 * The configuration of a gateway that does not run: the store in its data folder, or the file of `--config`, opened by the
 * command itself. A commit is checked and written down, and nothing is built. Effects: the store's database, files.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { CommittedConfiguration } from '../config/committed-configuration.io.ts';
import type { ConfigurationTexts } from '../config/configuration-ports.ts';
import { locateFaults, readDocument, writeDocument } from '../config/document-text.io.ts';
import { FileConfiguration } from '../config/file-configuration.io.ts';
import { storeFile } from '../config/store-database.io.ts';
import { StoreVault } from '../config/store-vault.io.ts';
import type { LoadedRevision } from '../control/revision.io.ts';
import { systemClock } from '../core/system-clock.io.ts';
import type { AccessOptions } from './config-access.io.ts';

export async function openStore(
  dataDir: string,
  { keyFile, mayMake }: AccessOptions,
): Promise<CommittedConfiguration | string> {
  if (!existsSync(storeFile(dataDir))) {
    if (!mayMake)
      return `${dataDir} has no configuration: name the data folder with --data DIR or a file with --config FILE`;
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  }
  const { loadRevision } = await import('../control/revision.io.ts');
  const vault = StoreVault.open({ dataDir, keyFile, credentials: process.env['CREDENTIALS_DIRECTORY'] });
  return new CommittedConfiguration(vault, {
    ...OFFLINE,
    check: (document, number) => loadRevision({ document, dataDir, number }),
    apply: async (_revision, _warnings, record) => record(),
  });
}

export async function openFile(file: string): Promise<FileConfiguration | string> {
  const { loadRevision } = await import('../control/revision.io.ts');
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
  now: () => systemClock.now(),
  texts: TEXTS,
  running: () => undefined,
  committed: () => undefined,
  note: () => undefined,
};
