/**
 * Filter templates: parsed once per configuration, bound for every question. A value becomes a value of the tree and
 * never text that is parsed, so that no login name and no certificate field can change the shape of the question.
 * RFC 4515; the contract's token table. Pure.
 */
import { type AssertionValue, type Filter, textOrOctets } from './filter.ts';
import { parseFilter, type Piece, type TemplateNode, type TemplateValue } from './filter-parser.ts';
import type { TokenLookup } from './tokens.ts';

export type FilterTemplate = {
  readonly text: string;
  readonly node: TemplateNode;
  /** Tokens in order of appearance, each with where it first stands. */
  readonly tokens: ReadonlyMap<string, number>;
};

export type Bound =
  | { readonly ok: true; readonly filter: Filter }
  /** The question cannot be asked: `token` has no value, or more than can be asked about. It does not match. */
  | { readonly ok: false; readonly missing: string; readonly why: string };

const MAX_VALUES = 16;
/** Of one assertion with several tokens of several values each. */
const MAX_COMBINATIONS = 256;
const MAX_VALUE_OCTETS = 8000;

/** Throws FilterSyntaxError only. */
export function parseTemplate(text: string): FilterTemplate {
  const node = parseFilter(text);
  const tokens = new Map<string, number>();
  for (const { token, offset } of tokensOf(node)) if (!tokens.has(token)) tokens.set(token, offset);
  return { text, node, tokens };
}

type Token = Extract<Piece, { token: string }>;

function tokensOf(node: TemplateNode): Token[] {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.of.flatMap(tokensOf);
    case 'not':
      return tokensOf(node.of);
    case 'present':
      return [];
    case 'substrings':
      return [node.initial ?? [], ...node.any, node.final ?? []].flatMap(tokensOfValue);
    default:
      return tokensOfValue(node.value);
  }
}

const isToken = (piece: Piece): piece is Token => 'token' in piece;
const tokensOfValue = (value: TemplateValue): Token[] => value.filter(isToken);

type Values = ReadonlyMap<string, string>;

/** Several values of a token: an assertion with the token holds if it holds for any of them. */
export function bindTemplate({ node, tokens }: FilterTemplate, lookup: TokenLookup): Bound {
  const values = new Map<string, readonly string[]>();
  for (const token of tokens.keys()) {
    const usable = usableValues(lookup(token));
    if (usable.length === 0) return { ok: false, missing: token, why: `there is no {${token}}` };
    if (usable.length > MAX_VALUES) {
      return { ok: false, missing: token, why: `there are more than ${MAX_VALUES} values of {${token}}` };
    }
    values.set(token, usable);
  }
  const tooMany = assertionsOf(node).find((each) => combinationsOf(each, values) > MAX_COMBINATIONS);
  if (tooMany !== undefined) {
    return {
      ok: false,
      missing: [...tokensIn(tooMany)][0] ?? '',
      why: 'the tokens of one assertion have too many values',
    };
  }
  return { ok: true, filter: bindNode(node, values) };
}

/**
 * Values that may enter a question. An empty one would turn a substring into presence; NUL ends a string for some
 * directories, so that what they compare would not be what the certificate says.
 */
function usableValues(found: readonly string[] | undefined): string[] {
  const usable = (found ?? []).filter(
    (value) =>
      value.trim() !== '' &&
      !value.includes('\u0000') &&
      value.isWellFormed() &&
      Buffer.byteLength(value) <= MAX_VALUE_OCTETS,
  );
  return [...new Set(usable)];
}

type Assertion = Exclude<TemplateNode, { kind: 'and' | 'or' | 'not' }>;

function assertionsOf(node: TemplateNode): Assertion[] {
  if (node.kind === 'and' || node.kind === 'or') return node.of.flatMap(assertionsOf);
  return node.kind === 'not' ? assertionsOf(node.of) : [node];
}

const tokensIn = (node: TemplateNode): Set<string> => new Set(tokensOf(node).map(({ token }) => token));

function combinationsOf(node: TemplateNode, values: ReadonlyMap<string, readonly string[]>): number {
  return [...tokensIn(node)].reduce((product, token) => product * (values.get(token)?.length ?? 1), 1);
}

function bindNode(node: TemplateNode, values: ReadonlyMap<string, readonly string[]>): Filter {
  switch (node.kind) {
    case 'and':
    case 'or':
      return { kind: node.kind, of: node.of.map((each) => bindNode(each, values)) };
    case 'not':
      return { kind: 'not', of: bindNode(node.of, values) };
    case 'present':
      return node;
    default: {
      const [first, ...others] = choices([...tokensIn(node)], values).map((choice) => bindAssertion(node, choice));
      if (first === undefined) return { kind: 'or', of: [] };
      return others.length === 0 ? first : { kind: 'or', of: [first, ...others] };
    }
  }
}

/** Every way to choose one value for each token. */
function choices(tokens: readonly string[], values: ReadonlyMap<string, readonly string[]>): Values[] {
  return tokens.reduce<Values[]>(
    (sofar, token) =>
      sofar.flatMap((choice) => (values.get(token) ?? []).map((value) => new Map([...choice, [token, value]]))),
    [new Map()],
  );
}

function bindAssertion(node: Assertion, values: Values): Filter {
  const bind = (value: TemplateValue): AssertionValue => bindValue(value, values);
  if (node.kind === 'present') return node;
  if (node.kind !== 'substrings') return { ...node, value: bind(node.value) };
  return {
    ...node,
    initial: node.initial && bind(node.initial),
    any: node.any.map(bind),
    final: node.final && bind(node.final),
  };
}

function bindValue(value: TemplateValue, values: Values): AssertionValue {
  const parts = value.map((piece) => (isToken(piece) ? (values.get(piece.token) ?? '') : piece.text));
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  return textOrOctets(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))));
}
