/**
 * `sallyport config load FILE` into the store: paths become absolute or, with --inline, the files themselves become part
 * of the configuration; encrypted secrets are opened with their passphrase. Effects: reads files, the store.
 */
import path from 'node:path';
import type { Answer, Change, Loaded, Path } from '../config/configuration-store.ts';
import type { Json } from '../config/document.ts';
import { overlap } from '../config/document-diff.ts';
import { withAbsolutePaths } from '../config/document-files.ts';
import { locateFaults, readDocument } from '../config/document-text.io.ts';
import { revisionInHeading } from '../config/export-heading.ts';
import { inlineFiles } from '../config/inline-files.io.ts';
import { readTextFile } from '../config/material.io.ts';
import { refuseFaults, refuseImpossible } from '../config/refusals.ts';
import { type Access, localAdministrator } from './config-access.io.ts';

const MAX_FILE_BYTES = 8 * 1024 * 1024;

export type LoadRequest = {
  readonly file: string;
  /** A section instead of the whole. */
  readonly at: Path;
  /** The revision that the file was made from. */
  readonly base: number | undefined;
  readonly inline: boolean;
  /** Asked where the file has encrypted secrets. */
  readonly passphrase: () => Promise<string>;
};

export type ConfigurationText = { readonly text: string; readonly document: Json; readonly hadSealedSecrets: boolean };

/** The file's text, and its tree with all secrets in the clear. */
export async function readConfigurationText(
  file: string,
  passphrase: () => Promise<string>,
): Promise<Answer<ConfigurationText>> {
  const read = readTextFile(file, MAX_FILE_BYTES);
  if (!read.ok) return refuseImpossible(`cannot read ${file}: ${read.why}`);
  const { text } = read;
  const plain = await readDocument({ text });
  if (plain.ok) return { ok: true, text, document: plain.document, hadSealedSecrets: false };
  if (plain.passphraseNeeded !== true) return refuseFaults(plain.faults, 'nothing was loaded');
  const opened = await readDocument({ text, passphrase: await passphrase() });
  if (!opened.ok) return refuseFaults(opened.faults, 'nothing was loaded');
  return { ok: true, text, document: opened.document, hadSealedSecrets: true };
}

export type LoadedFile = Loaded & {
  /** The revision that the file says it was saved from. */
  readonly savedFrom?: number;
  /** Committed since then, and changed again by the file. */
  readonly takesBack: readonly Change[];
};

export async function loadIntoStore(
  { store }: Access,
  { file, at, base, inline, passphrase }: LoadRequest,
): Promise<Answer<LoadedFile>> {
  const read = await readConfigurationText(file, passphrase);
  if (!read.ok) return read;
  const { text } = read;
  const folder = path.dirname(path.resolve(file));
  const inlined = inline ? inlineFiles(read.document, folder, at) : { tree: read.document, faults: [] };
  if (inlined.faults.length > 0)
    return refuseFaults(locateFaults({ text, faults: inlined.faults }), 'nothing was loaded');
  const document = withAbsolutePaths(inlined.tree, folder, at);
  const answer = await store.load(localAdministrator(), { document, at, ...(base === undefined ? {} : { base }) });
  if (answer.ok) {
    const savedFrom = base === undefined ? revisionInHeading(text) : undefined;
    if (savedFrom === undefined || savedFrom >= answer.base) return { ...answer, takesBack: [] };
    const since = await store.diff(savedFrom, 'running');
    const takesBack = since.ok ? since.changes.filter(({ path: its }) => touchesAny(answer.changes, its)) : [];
    return { ...answer, savedFrom, takesBack };
  }
  if (answer.refusal.kind !== 'faults' || at.length > 0) return answer;
  return refuseFaults(locateFaults({ text, faults: answer.refusal.faults }), 'nothing was loaded');
}

const touchesAny = (changes: readonly Change[], at: Path): boolean =>
  changes.some((change) => overlap(change.path, at));
