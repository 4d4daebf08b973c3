/**
 * Distinguished names as the directory compares them: RFC 4514 text to a list of comparable RDNs, most specific first.
 * Blanks around separators, the case of names and values, and the order within an RDN do not count. Pure.
 */
import { prepareText } from './matching-rules.ts';

/** Comparable form of each RDN; [] is the root. */
export type DnKey = readonly string[];

const MAX_RDNS = 100;
const MAX_CHARACTERS = 8000;
const ATTRIBUTE = /^(?:[A-Za-z][\w-]*|(?:OID\.)?\d+(?:\.\d+)*)$/i;

/** Undefined where the text is no distinguished name. */
export function parseDn(text: string): DnKey | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  if (text.trim() === '') return [];
  const rdns = splitUnescaped(text, ',');
  if (rdns.length > MAX_RDNS) return undefined;
  const keys: string[] = [];
  for (const rdn of rdns) {
    const parts = splitUnescaped(rdn, '+').map(partKey);
    if (!parts.every((part) => part !== undefined)) return undefined;
    keys.push(parts.sort().join('+'));
  }
  return keys;
}

export const dnText = (key: DnKey): string => key.join(',');

/** The attributes and values of a name, for filters with `:dn:`. */
export function dnAttributes(text: string): { readonly attribute: string; readonly value: string }[] {
  return splitUnescaped(text, ',')
    .flatMap((rdn) => splitUnescaped(rdn, '+'))
    .flatMap((part) => {
      const equals = part.indexOf('=');
      const value = equals < 0 ? undefined : unescapeValue(part.slice(equals + 1));
      return value === undefined ? [] : [{ attribute: part.slice(0, equals).trim(), value }];
    });
}

/** `name` is `base` or below it. */
export function isWithin(name: DnKey, base: DnKey): boolean {
  const offset = name.length - base.length;
  return offset >= 0 && base.every((rdn, i) => name[offset + i] === rdn);
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function partKey(part: string): string | undefined {
  const equals = part.indexOf('=');
  const attribute = part.slice(0, Math.max(equals, 0)).trim();
  const value = unescapeValue(part.slice(equals + 1));
  if (equals < 0 || value === undefined || !ATTRIBUTE.test(attribute)) return undefined;
  const prepared = prepareText(value).replace(/[\\,+=]/g, '\\$&');
  return `${attribute.toLowerCase().replace(/^oid\./, '')}=${prepared}`;
}

/** RFC 4514 §2.4; a quoted value is RFC 2253's older form, which directories still accept. */
function unescapeValue(raw: string): string | undefined {
  const ended = raw.trimEnd();
  // A blank that is escaped belongs to the value.
  const escapedBlank = ended.length < raw.length && /(?<!\\)(?:\\\\)*\\$/.test(ended);
  const trimmed = (escapedBlank ? `${ended} ` : ended).trimStart();
  const quoted = /^"((?:\\.|[^"\\])*)"$/s.exec(trimmed);
  const inner = quoted?.[1] ?? trimmed;
  if (quoted === null && /(?<!\\)(?:\\\\)*["]/.test(inner)) return undefined;
  if (/(?<!\\)(?:\\\\)*\\$/.test(inner)) return undefined;
  return inner.replace(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/gs, (all, character?: string) =>
    character === undefined ? Buffer.from(all.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  );
}
