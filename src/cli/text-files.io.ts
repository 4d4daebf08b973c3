/** Tables that the command line imports from and exports to: files that a person names. Effects: files. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { codeOf } from '../core/errors.ts';

const MAX_BYTES = 8 * 1024 * 1024;

export function readTextOf(
  file: string,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string } {
  try {
    if (statSync(file).size > MAX_BYTES) return { ok: false, why: `${file} is too large.` };
    return { ok: true, text: readFileSync(file, 'utf8') };
  } catch (error) {
    return { ok: false, why: `Cannot read ${file}: ${codeOf(error) ?? 'failed'}` };
  }
}

/** What came of it. A file that exists is not overwritten. */
export function writeNewFile(file: string, text: string): { readonly ok: boolean; readonly text: string } {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o640 });
    return { ok: true, text: `Written to ${file}.` };
  } catch (error) {
    const code = codeOf(error) ?? 'failed';
    return { ok: false, text: code === 'EEXIST' ? `${file} exists already.` : `Cannot write ${file}: ${code}` };
  }
}
