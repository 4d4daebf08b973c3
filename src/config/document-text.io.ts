/**
 * A configuration as YAML text that is saved and loaded, and back: its secrets masked, encrypted under a passphrase, or in
 * the clear. A running gateway calls this in a process apart, for YAML and scrypt need memory.
 * Effects: randomness; scrypt on the platform's thread pool.
 */
import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';
import { type Fault, fault } from '../core/fault.ts';
import type { StoreFault } from './configuration-store.ts';
import { type Json, MAX_DOCUMENT_CHARS, type Path, treeFault } from './document.ts';
import { mapPlaces, SECRET_PLACES } from './document-places.ts';
import { inOrder, type Position } from './located-fault.ts';
import { ExportOpener, exportSealer, isSealedForExport } from './sealed-export.ts';
import { NONCE_BYTES } from './sealing.ts';
import { parseYaml } from './yaml-document.ts';

const SALT_BYTES = 16;
const LINE_CHARS = 120;

export type WriteRequest = {
  /** Masked already, or with its secrets in the clear. */
  readonly document: Json;
  /** Lines of the comment on top. */
  readonly heading: readonly string[];
  /** Encrypts the secrets. */
  readonly passphrase?: string;
};

export async function writeDocument({ document, heading, passphrase }: WriteRequest): Promise<string> {
  const sealed = passphrase === undefined ? document : await sealForExport(document, passphrase);
  const comment = heading.map((line) => `# ${line.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')}\n`).join('');
  return `${comment}${stringify(sealed, { lineWidth: LINE_CHARS, aliasDuplicateObjects: false, version: '1.2' })}`;
}

async function sealForExport(document: Json, passphrase: string): Promise<Json> {
  const seal = await exportSealer(passphrase, randomBytes(SALT_BYTES), () => randomBytes(NONCE_BYTES));
  return mapPlaces(document, SECRET_PLACES, (value) => (typeof value === 'string' ? seal(value) : value));
}

export type ReadRequest = { readonly text: string; readonly passphrase?: string };
export type ReadDocument =
  | { readonly ok: true; readonly document: Json }
  | { readonly ok: false; readonly faults: readonly StoreFault[]; readonly passphraseNeeded?: true };

/** The tree of a text, its encrypted secrets opened. What it means is not looked at. */
export async function readDocument({ text, passphrase }: ReadRequest): Promise<ReadDocument> {
  if (text.length > MAX_DOCUMENT_CHARS) return refuse([fault([], `is longer than ${MAX_DOCUMENT_CHARS} characters`)]);
  const parsed = parseYaml(text);
  if (!parsed.ok) return { ok: false, faults: parsed.faults };
  const unfit = treeFault(parsed.data);
  if (unfit !== undefined) return refuse([{ ...unfit, ...parsed.positionOf(unfit.path) }]);
  const { document, faults } = await openExported(parsed.data as Json, passphrase);
  if (faults.length === 0) return { ok: true, document };
  const located = faults.map((found) => ({ ...found, ...parsed.positionOf(found.path) }));
  return { ...refuse(located), passphraseNeeded: true };
}

/** Places of faults that were found in the tree of this text. */
export function locateFaults({ text, faults }: { text: string; faults: readonly Fault[] }): StoreFault[] {
  const parsed = parseYaml(text);
  const positionOf = (path: Path): Position => (parsed.ok ? parsed.positionOf(path) : { line: 1, column: 1 });
  return inOrder(faults.map((found) => ({ ...found, ...positionOf(found.path) })));
}

const refuse = (faults: readonly StoreFault[]) => ({ ok: false, faults }) as const;

async function openExported(
  document: Json,
  passphrase: string | undefined,
): Promise<{ readonly document: Json; readonly faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const sealed = new Map<string, string>();
  mapPlaces(document, SECRET_PLACES, (value, path) => {
    if (typeof value === 'string' && isSealedForExport(value)) {
      if (passphrase === undefined) faults.push(fault(path, 'the secret is encrypted: the passphrase is needed'));
      else sealed.set(JSON.stringify(path), value);
    }
    return value;
  });
  if (passphrase === undefined) return { document, faults };
  const opener = new ExportOpener(passphrase);
  const opened = new Map<string, string>();
  for (const [at, box] of sealed) {
    const secret = await opener.open(box);
    if (secret !== undefined) opened.set(at, secret);
    else faults.push(fault(JSON.parse(at) as Path, 'the secret does not open with this passphrase, or was changed'));
  }
  const whole = mapPlaces(document, SECRET_PLACES, (value, path) => opened.get(JSON.stringify(path)) ?? value);
  return { document: whole, faults };
}
