/** Removes the files that a server stored. Effects: the folder. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export function removeStored(folder: string, isStored: (name: string) => boolean): void {
  for (const name of readdirSync(folder)) if (isStored(name)) rmSync(join(folder, name), { force: true });
}
