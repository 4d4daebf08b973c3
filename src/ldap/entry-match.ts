/**
 * Does an entry match a filter? Three-valued logic of RFC 4511 §4.5.1.7: what cannot be decided is undefined, NOT keeps
 * it undefined, and only true matches. A secret such as userPassword never matches anything.
 * Pure.
 */
import { dnAttributes, dnText, parseDn } from './distinguished-name.ts';
import type { AttributeValue } from './directory.ts';
import type { AssertionValue, Filter } from './filter.ts';
import {
  attributeKey,
  compareOrder,
  equalityKey,
  foldText,
  prepareText,
  type Syntax,
  syntaxOf,
} from './matching-rules.ts';

/** An entry of the embedded directory; `values` by attribute key, and by key with options where there are any. */
export type IndexedEntry = {
  readonly dn: string;
  readonly values: ReadonlyMap<string, readonly AttributeValue[]>;
};

export type Truth = true | false | undefined;

/** RFC 4511 §4.5.1.7: undefined matches nothing, and neither does its negation. */
export function matchEntry(entry: IndexedEntry, filter: Filter): Truth {
  switch (filter.kind) {
    case 'and':
      return all(filter.of, (each) => matchEntry(entry, each));
    case 'or':
      return any(filter.of, (each) => matchEntry(entry, each));
    case 'not':
      return negate(matchEntry(entry, filter.of));
    case 'present':
      return secret(filter.attribute) ? undefined : valuesOf(entry, filter.attribute).length > 0;
    case 'extensible':
      return matchExtensible(entry, filter);
    case 'substrings':
      return matchSubstrings(entry, filter);
    case 'equal':
    case 'approximate':
      return matchEqual(entry, filter.attribute, filter.value);
    case 'greaterOrEqual':
    case 'lessOrEqual':
      return matchOrder(entry, filter);
  }
}

const negate = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

function all<T>(items: readonly T[], decide: (item: T) => Truth): Truth {
  let result: Truth = true;
  for (const item of items) {
    const truth = decide(item);
    if (truth === false) return false;
    if (truth === undefined) result = undefined;
  }
  return result;
}

const any = <T>(items: readonly T[], decide: (item: T) => Truth): Truth =>
  negate(all(items, (item) => negate(decide(item))));

const secret = (attribute: string): boolean => syntaxOf(attributeKey(attribute)) === 'secret';

/** `cn` finds `cn;lang-en` too (RFC 4512 §2.5.2.1); with options only what has them. */
export function valuesOf({ values }: IndexedEntry, attribute: string): readonly AttributeValue[] {
  return values.get(attribute.includes(';') ? attribute.toLowerCase() : attributeKey(attribute)) ?? [];
}

/** Values that are octets, or assertions that are, are equal only octet by octet. */
export function comparable(key: string, value: AttributeValue | AssertionValue): string | undefined {
  const syntax = syntaxOf(key);
  if (syntax === 'secret') return undefined;
  if (typeof value !== 'string') return `octets:${Buffer.from(value).toString('hex')}`;
  if (syntax !== 'name') return equalityKey(syntax, value);
  const dn = parseDn(value);
  return dn && dnText(dn);
}

function matchEqual(entry: IndexedEntry, attribute: string, asserted: AssertionValue): Truth {
  const key = attributeKey(attribute);
  const wanted = comparable(key, asserted);
  if (wanted === undefined) return undefined;
  return valuesOf(entry, attribute).some((value) => comparable(key, value) === wanted);
}

function matchOrder(
  entry: IndexedEntry,
  filter: Extract<Filter, { kind: 'greaterOrEqual' | 'lessOrEqual' | 'equal' | 'approximate' }>,
): Truth {
  const { attribute, value: asserted } = filter;
  if (typeof asserted !== 'string') return undefined;
  const syntax = syntaxOf(attributeKey(attribute));
  if (compareOrder(syntax, asserted, asserted) === undefined) return undefined;
  return any(valuesOf(entry, attribute), (value) => {
    const order = typeof value === 'string' ? compareOrder(syntax, value, asserted) : undefined;
    if (order === undefined) return undefined;
    return filter.kind === 'greaterOrEqual' ? order >= 0 : order <= 0;
  });
}

function matchSubstrings(entry: IndexedEntry, filter: Extract<Filter, { kind: 'substrings' }>): Truth {
  const syntax = syntaxOf(attributeKey(filter.attribute));
  const fold = foldFor(syntax);
  const parts = [filter.initial, ...filter.any, filter.final];
  if (fold === undefined || parts.some((part) => part !== undefined && typeof part !== 'string')) return undefined;
  const [initial, ...rest] = parts.map((part) => (typeof part === 'string' ? fold(part) : ''));
  return valuesOf(entry, filter.attribute).some(
    (value) => typeof value === 'string' && hasParts(fold(value).trim(), { initial: initial ?? '', rest }),
  );
}

/** Numbers, times and names have no substrings (RFC 4517 §3.3). */
function foldFor(syntax: Syntax): ((text: string) => string) | undefined {
  if (syntax === 'text') return foldText;
  return syntax === 'exactText' ? (text) => text.normalize('NFKC').replace(/\s+/g, ' ') : undefined;
}

function hasParts(
  text: string,
  { initial, rest }: { readonly initial: string; readonly rest: readonly string[] },
): boolean {
  const final = rest.at(-1) ?? '';
  const end = text.length - final.length;
  if (!text.startsWith(initial) || !text.endsWith(final) || end < initial.length) return false;
  let at = initial.length;
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

type Rule = (stored: string, asserted: string) => Truth;

const sameText: Rule = (stored, asserted) => prepareText(stored) === prepareText(asserted);
const sameExactText: Rule = (stored, asserted) =>
  equalityKey('exactText', stored) === equalityKey('exactText', asserted);
const sameInteger: Rule = (stored, asserted) => {
  const [a, b] = [equalityKey('integer', stored), equalityKey('integer', asserted)];
  return a === undefined || b === undefined ? undefined : a === b;
};
const sameName: Rule = (stored, asserted) => {
  const [a, b] = [parseDn(stored), parseDn(asserted)];
  return a === undefined || b === undefined ? undefined : dnText(a) === dnText(b);
};
/** Active Directory's bit rules. */
const bits =
  (decide: (found: bigint, wanted: bigint) => boolean): Rule =>
  (stored, asserted) =>
    sameInteger(asserted, asserted) === true && sameInteger(stored, stored) === true
      ? decide(BigInt(stored) & BigInt(asserted), BigInt(asserted))
      : undefined;

const RULES: Readonly<Record<string, Rule>> = {
  caseignorematch: sameText,
  '2.5.13.2': sameText,
  caseexactmatch: sameExactText,
  '2.5.13.5': sameExactText,
  integermatch: sameInteger,
  '2.5.13.14': sameInteger,
  distinguishednamematch: sameName,
  '2.5.13.1': sameName,
  '1.2.840.113556.1.4.803': bits((found, wanted) => found === wanted),
  '1.2.840.113556.1.4.804': bits((found) => found !== 0n),
};

function matchExtensible(entry: IndexedEntry, filter: Extract<Filter, { kind: 'extensible' }>): Truth {
  const { attribute, rule, value: asserted } = filter;
  if (attribute === undefined || typeof asserted !== 'string' || secret(attribute)) return undefined;
  const name = rule?.toLowerCase();
  if (name !== undefined && !Object.hasOwn(RULES, name)) return undefined;
  const decide = name === undefined ? undefined : RULES[name];
  const key = attributeKey(attribute);
  const fromName = filter.dnAttributes
    ? dnAttributes(entry.dn).flatMap((part) => (attributeKey(part.attribute) === key ? [part.value] : []))
    : [];
  return any([...valuesOf(entry, attribute), ...fromName], (value) => {
    if (typeof value !== 'string') return undefined;
    if (decide !== undefined) return decide(value, asserted);
    const wanted = comparable(key, asserted);
    return wanted === undefined ? undefined : comparable(key, value) === wanted;
  });
}
