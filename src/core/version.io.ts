/** The version of the program, of package.json. Effects: reads that file. */
import fs from 'node:fs';

export function versionOfProgram(): string {
  const file = new URL('../../package.json', import.meta.url);
  return String((JSON.parse(fs.readFileSync(file, 'utf8')) as { version?: unknown }).version);
}
