/** `sallyport check FILE`: the same door that `run` and SIGHUP use. Effects: reads the configuration and its files. */
import { loadRevision } from '../control/revision.io.ts';
import { parseArguments, type Write } from './arguments.ts';

export async function check(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, {});
  const [file] = typeof parsed === 'string' ? [] : parsed.rest;
  if (typeof parsed === 'string' || file === undefined || parsed.rest.length > 1) {
    write('usage: sallyport check FILE\n');
    return 2;
  }
  const loaded = await loadRevision({ file, dataDir: undefined, number: 1 });
  for (const line of loaded.ok ? loaded.warnings : loaded.faults) write(`${line}\n`);
  return loaded.ok ? 0 : 1;
}
