/**
 * Search filters as trees: the shape, the textual form and how a value is escaped in it (RFC 4515 §3). A tree with
 * pieces of text and tokens as values is a template (`filter-template.ts`); with finished values it is a filter.
 * RFC 4511 §4.5.1.7, RFC 4526 (`(&)` is true, `(|)` is false). Pure.
 */

/** An assertion value: text, or octets where they are not UTF-8. */
export type AssertionValue = string | Uint8Array;

export type FilterNode<V> =
  | { readonly kind: 'and'; readonly of: readonly FilterNode<V>[] }
  | { readonly kind: 'or'; readonly of: readonly FilterNode<V>[] }
  | { readonly kind: 'not'; readonly of: FilterNode<V> }
  | { readonly kind: 'present'; readonly attribute: string }
  | { readonly kind: AssertionKind; readonly attribute: string; readonly value: V }
  | {
      readonly kind: 'substrings';
      readonly attribute: string;
      readonly initial: V | undefined;
      readonly any: readonly V[];
      readonly final: V | undefined;
    }
  | {
      readonly kind: 'extensible';
      readonly attribute: string | undefined;
      readonly rule: string | undefined;
      /** Also look at the attributes of the entry's name (`:dn`). */
      readonly dnAttributes: boolean;
      readonly value: V;
    };

export type AssertionKind = 'equal' | 'greaterOrEqual' | 'lessOrEqual' | 'approximate';

export type Filter = FilterNode<AssertionValue>;

const OPERATOR: Readonly<Record<AssertionKind, string>> = {
  equal: '=',
  greaterOrEqual: '>=',
  lessOrEqual: '<=',
  approximate: '~=',
};

/** The string that RFC 4515 defines; what is sent to a directory is never this text but the tree itself. */
export const renderFilter = (filter: Filter): string => renderNode(filter, escapeValue);

function renderNode<V>(node: FilterNode<V>, renderValue: (value: V) => string): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.kind === 'and' ? '&' : '|'}${node.of.map((each) => renderNode(each, renderValue)).join('')})`;
    case 'not':
      return `(!${renderNode(node.of, renderValue)})`;
    case 'present':
      return `(${node.attribute}=*)`;
    case 'substrings': {
      const parts = [node.initial, ...node.any, node.final].map((part) =>
        part === undefined ? '' : renderValue(part),
      );
      return `(${node.attribute}=${parts.join('*')})`;
    }
    case 'extensible': {
      const dn = node.dnAttributes ? ':dn' : '';
      const rule = node.rule === undefined ? '' : `:${node.rule}`;
      return `(${node.attribute ?? ''}${dn}${rule}:=${renderValue(node.value)})`;
    }
    case 'equal':
    case 'greaterOrEqual':
    case 'lessOrEqual':
    case 'approximate':
      return `(${node.attribute}${OPERATOR[node.kind]}${renderValue(node.value)})`;
  }
}

// RFC 4515 §3: NUL, parentheses, asterisk and backslash; other control characters too, so that the text fits a log line.
const MUST_ESCAPE = /[\u0000-\u001f\u007f()*\\]/g;
const hex = (octet: number): string => `\\${octet.toString(16).padStart(2, '0')}`;

function escapeValue(value: AssertionValue): string {
  if (typeof value !== 'string') return Array.from(value, hex).join('');
  return value.replace(MUST_ESCAPE, (character) => hex(character.charCodeAt(0)));
}

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text where the octets are UTF-8, else the octets. */
export function textOrOctets(octets: Uint8Array): string | Uint8Array {
  try {
    return STRICT_UTF8.decode(octets);
  } catch {
    return octets;
  }
}
