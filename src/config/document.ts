/**
 * A configuration as the tree that a person wrote: what may be in it before any schema is asked, and reading a place.
 * Trees are never changed, only made anew. Pure.
 */
import type { Fault } from '../core/fault.ts';
import type { Json, Path } from './configuration-store.ts';

export type { Json, Path } from './configuration-store.ts';
export type Mapping = { readonly [key: string]: Json };

const MAX_DEPTH = 32;
const MAX_KEY_CHARS = 512;
export const MAX_DOCUMENT_CHARS = 8 * 1024 * 1024;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** What one step leads to; names that every JavaScript object answers to lead nowhere. */
export function childOf(value: Json | undefined, step: string | number): Json | undefined {
  if (isList(value)) return typeof step === 'number' ? value[step] : undefined;
  return isMapping(value) && typeof step === 'string' && Object.hasOwn(value, step) ? value[step] : undefined;
}

export const valueAt = (document: Json | undefined, path: Path): Json | undefined =>
  path.reduce<Json | undefined>(childOf, document);

export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  if (!isMapping(a) || !isMapping(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** A key as every tree may have it. NUL marks what the store has encrypted, see `document-secrets.ts`. */
export function keyFault(key: string): string | undefined {
  if (key === '__proto__') return 'the key __proto__ is not allowed';
  if (key.length > MAX_KEY_CHARS) return `a key has at most ${MAX_KEY_CHARS} characters`;
  return key.includes('\0') ? 'a key must not contain NUL' : undefined;
}

/** Why a value from outside cannot be part of a document, with its place below `above`; undefined where it can. */
export function treeFault(value: unknown, above: Path = []): Fault | undefined {
  const refuse = (message: string): Fault => ({ path: above, severity: 'error', message });
  if (above.length > MAX_DEPTH) return refuse('the nesting is too deep');
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : refuse('is not a number of JSON');
  if (typeof value === 'string') return value.includes('\0') ? refuse('must not contain NUL') : undefined;
  if (isList(value)) return firstFault(value.entries(), above);
  if (!isMapping(value)) return refuse('is no value of JSON');
  for (const key of Object.keys(value)) {
    const why = keyFault(key);
    if (why !== undefined) return refuse(why);
  }
  return firstFault(Object.entries(value), above);
}

function firstFault(entries: Iterable<readonly [string | number, unknown]>, above: Path): Fault | undefined {
  for (const [step, inner] of entries) {
    const found = treeFault(inner, [...above, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}
