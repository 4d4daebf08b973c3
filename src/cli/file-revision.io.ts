/**
 * The revision that a configuration file would be, for commands that are asked about a file (`--config`) instead of the
 * running gateway. Effects: reads the file and those that it names.
 */
import path from 'node:path';
import type { Revision } from '../config/schema.ts';
import { loadRevision } from '../control/revision.io.ts';
import type { Write } from './arguments.ts';

/** Undefined after saying its faults, a line each. */
export async function revisionOfFile(file: string, write: Write): Promise<Revision | undefined> {
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (loaded.ok) return loaded.revision;
  for (const line of loaded.faults) write(`${line}\n`);
  return undefined;
}
