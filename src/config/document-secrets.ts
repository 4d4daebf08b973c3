/**
 * Secrets of a configuration in the store. In its trees a secret is text that begins with NUL, encrypted under the
 * master key, from the moment it comes in; so a tree can be compared, merged and written down without ever holding a
 * secret, and one that nobody touched stays the same text. Pure: nonces are handed in.
 */
import { type Fault, fault } from '../core/fault.ts';
import { MASK } from './configuration-store.ts';
import { isList, isMapping, type Json, type Path, valueAt } from './document.ts';
import { isSecret, mapPlaces, SECRET_PLACES } from './document-places.ts';
import { open, seal } from './sealing.ts';

const MARK = '\0sealed:';
const PURPOSE = 'configuration';

export type SecretKey = { readonly key: Buffer; readonly nonce: () => Buffer };

const isSealed = (value: Json | undefined): value is string => typeof value === 'string' && value.startsWith(MARK);

export type SealedDocument = { readonly document: Json; readonly faults: readonly Fault[] };

/**
 * A tree from outside with its secrets encrypted. MASK keeps the secret that one of the `known` trees, the first that
 * has one, holds at the same path; a secret that is what it was keeps its text.
 */
export function sealSecrets(document: Json, known: readonly Json[], { key, nonce }: SecretKey): SealedDocument {
  const faults: Fault[] = [];
  const sealed = mapPlaces(document, SECRET_PLACES, (value, path) => {
    if (typeof value !== 'string' || isSealed(value)) return value;
    const there = known.map((tree) => valueAt(tree, path)).find(isSealed);
    if (value === MASK) {
      if (there === undefined) faults.push(fault(path, NOTHING_TO_KEEP));
      return there ?? value;
    }
    if (there !== undefined && opened(there, key) === value) return there;
    return MARK + seal(key, { secret: value, nonce: nonce(), purpose: PURPOSE });
  });
  return { document: sealed, faults };
}

const NOTHING_TO_KEEP =
  'the secret is masked, and there is none here to keep: write it, or load a file that was saved with secrets';

/**
 * A tree under another master key. `done` has what was encrypted anew already: the same text must become the same text in
 * every tree, or a comparison would see changes that nobody made.
 */
export function resealSecrets(
  document: Json,
  from: Buffer,
  { key, nonce }: SecretKey,
  done: Map<string, string>,
): Json {
  return mapPlaces(document, SECRET_PLACES, (value, path) => {
    if (!isSealed(value)) return value;
    const secret = mustOpen(value, from, path);
    const sealed = done.get(value) ?? MARK + seal(key, { secret, nonce: nonce(), purpose: PURPOSE });
    done.set(value, sealed);
    return sealed;
  });
}

/** As the schema and the threads need it. Throws where the master key is another: `open` of the store rules that out. */
export function openSecrets(document: Json, { key }: SecretKey): Json {
  return mapPlaces(document, SECRET_PLACES, (value, path) => (isSealed(value) ? mustOpen(value, key, path) : value));
}

/** As anybody may see it. Whatever stands at the place of a secret is taken for one. */
export const maskSecrets = (document: Json, above: Path = []): Json =>
  mapPlaces(document, SECRET_PLACES, (value) => (value === null ? null : MASK), above);

const opened = (sealed: string, key: Buffer): string | undefined =>
  open(key, { box: sealed.slice(MARK.length), purpose: PURPOSE });

function mustOpen(sealed: string, key: Buffer, path: Path): string {
  const secret = opened(sealed, key);
  if (secret === undefined) throw new Error(`the secret at ${path.join('.')} was not encrypted with this master key`);
  return secret;
}

/** Where encrypted text stands at no place of a secret: an edit moved it there. */
export function strayedSecret(value: Json, above: Path = []): Path | undefined {
  if (isSealed(value)) return isSecret(above) ? undefined : above;
  const inner = isList(value) ? value.entries() : isMapping(value) ? Object.entries(value) : [];
  for (const [step, each] of inner) {
    const found = strayedSecret(each, [...above, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The document with masked secrets taken from `known`, where it has them in the clear: what a file keeps. */
export const keepMasked = (document: Json, known: Json): Json =>
  mapPlaces(document, SECRET_PLACES, (value, path) => (value === MASK ? (valueAt(known, path) ?? value) : value));
