/**
 * Reads the text of a filter template: RFC 4515 with tokens such as `{u}` in values. Blanks between the parts of a
 * filter are accepted, because the vendor's own examples have them. Anything else that RFC 4515 does not allow is a
 * FilterSyntaxError that says where and why.
 * Deviates: an opening brace in a value begins a token, because AsyncOS writes tokens so; `\7b` is a brace. Pure.
 */
import { type AssertionKind, type FilterNode, textOrOctets } from './filter.ts';

/** A run of text, of octets that are no text, or a token without its braces. */
export type Piece = { readonly text: string | Uint8Array } | { readonly token: string; readonly offset: number };
export type TemplateValue = readonly Piece[];
export type TemplateNode = FilterNode<TemplateValue>;

export class FilterSyntaxError extends Error {
  /** Characters from the start of the text, from 0. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} (at character ${offset + 1})`);
    this.name = 'FilterSyntaxError';
    this.offset = offset;
  }
}

const MAX_CHARACTERS = 8000;
const MAX_DEPTH = 50;
const BLANKS = /[ \t\r\n]*/y;
/** RFC 4512 §2.5. Deviates: an underscore passes, because some directories have attributes with it. */
const ATTRIBUTE = /(?:[A-Za-z][\w-]*|\d+(?:\.\d+)+)(?:;[\w-]+)*/y;
const RULE = /:(?:[A-Za-z][\w-]*|\d+(?:\.\d+)+)(?!\w)/y;
const OPERATOR = /(?:>=|<=|~=|:=|=)/y;
const PLAIN = /[^()*\\{\u0000]+/y;
const ESCAPED = /(?:\\[0-9A-Fa-f]{2})+/y;
const TOKEN = /\{([A-Za-z][\w-]*(?::[\w-]+)?)\}/y;

const KINDS: Readonly<Record<string, AssertionKind>> = {
  '=': 'equal',
  '>=': 'greaterOrEqual',
  '<=': 'lessOrEqual',
  '~=': 'approximate',
};

/** Throws FilterSyntaxError only. */
export function parseFilter(text: string): TemplateNode {
  return new Parser(text).whole();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): TemplateNode {
    if (this.#text.length > MAX_CHARACTERS) this.#fail(`a filter has at most ${MAX_CHARACTERS} characters`, 0);
    this.#blanks();
    const node = this.#filter(0);
    this.#blanks();
    if (this.#at < this.#text.length) {
      const what = this.#text[this.#at] === ')' ? 'this ")" closes nothing' : 'nothing may follow the filter';
      this.#fail(what, this.#at);
    }
    return node;
  }

  #filter(depth: number): TemplateNode {
    const start = this.#at;
    if (depth > MAX_DEPTH) this.#fail(`filters are nested deeper than ${MAX_DEPTH}`, start);
    if (this.#text[start] !== '(') this.#fail('a filter begins with "("', start);
    this.#at += 1;
    this.#blanks();
    const node = this.#inside(start, depth);
    this.#close(start);
    return node;
  }

  #inside(start: number, depth: number): TemplateNode {
    switch (this.#text[this.#at]) {
      case '&':
      case '|': {
        const kind = this.#text[this.#at] === '&' ? 'and' : 'or';
        this.#at += 1;
        return { kind, of: this.#list(depth) };
      }
      case '!': {
        this.#at += 1;
        const of = this.#list(depth);
        const [only] = of;
        // RFC 4511 §4.5.1.7: NOT has one operand. With more, AND or OR was meant, and guessing which would be dangerous.
        if (only === undefined || of.length > 1) {
          this.#fail(`NOT (!) needs exactly one filter and has ${of.length}; put them in (&...) or (|...)`, start);
        }
        return { kind: 'not', of: only };
      }
      default:
        return this.#item(start);
    }
  }

  #list(depth: number): TemplateNode[] {
    const nodes: TemplateNode[] = [];
    for (this.#blanks(); this.#text[this.#at] === '('; this.#blanks()) nodes.push(this.#filter(depth + 1));
    return nodes;
  }

  #close(start: number): void {
    if (this.#text[this.#at] === ')') {
      this.#at += 1;
      return;
    }
    if (this.#at >= this.#text.length) this.#fail('this "(" is never closed', start);
    this.#fail(`${JSON.stringify(this.#text[this.#at])} is not allowed here; ")" is expected`, this.#at);
  }

  #item(start: number): TemplateNode {
    const attribute = this.#take(ATTRIBUTE);
    const ruleAt = this.#at;
    const rules = this.#rules();
    this.#blanks();
    const operatorAt = this.#at;
    const operator = this.#take(OPERATOR);
    if (operator === undefined) this.#failAtOperator(attribute, start);
    if (operator === ':=') return this.#extensible(attribute, rules, ruleAt);
    if (rules.length > 0) this.#fail('a matching rule needs ":="', operatorAt);
    if (attribute === undefined) this.#fail('an attribute name is missing', operatorAt);
    const kind = KINDS[operator] ?? 'equal';
    return kind === 'equal' ? this.#equality(attribute) : { kind, attribute, value: this.#wholeValue() };
  }

  #failAtOperator(attribute: string | undefined, start: number): never {
    const found = this.#text[this.#at];
    if (found === undefined) this.#fail('this "(" is never closed', start);
    if (attribute === undefined) this.#fail('an attribute name, "&", "|" or "!" is expected', this.#at);
    if (found === '<' || found === '>') this.#fail(`only "${found}=" exists in filters`, this.#at);
    this.#fail('"=", ">=", "<=", "~=" or ":=" is expected', this.#at);
  }

  #rules(): string[] {
    const rules: string[] = [];
    for (let rule = this.#take(RULE); rule !== undefined; rule = this.#take(RULE)) rules.push(rule.slice(1));
    return rules;
  }

  #extensible(attribute: string | undefined, rules: readonly string[], at: number): TemplateNode {
    const dnAttributes = rules[0]?.toLowerCase() === 'dn';
    const [rule, ...more] = dnAttributes ? rules.slice(1) : rules;
    if (more.length > 0) this.#fail('only one matching rule is allowed', at);
    if (attribute === undefined && rule === undefined) this.#fail('an attribute or a matching rule is needed', at);
    return { kind: 'extensible', attribute, rule, dnAttributes, value: this.#wholeValue() };
  }

  /** Equality, presence or substrings: what stands between asterisks decides. */
  #equality(attribute: string): TemplateNode {
    const parts: TemplateValue[] = [this.#value()];
    while (this.#text[this.#at] === '*') {
      this.#at += 1;
      parts.push(this.#value());
    }
    const [first = [], ...rest] = parts;
    const last = rest.at(-1);
    if (last === undefined) return { kind: 'equal', attribute, value: first };
    if (parts.every(isBlank)) return { kind: 'present', attribute };
    return {
      kind: 'substrings',
      attribute,
      initial: first.length > 0 ? first : undefined,
      any: rest.slice(0, -1).filter((part) => part.length > 0),
      final: last.length > 0 ? last : undefined,
    };
  }

  #wholeValue(): TemplateValue {
    const value = this.#value();
    if (this.#text[this.#at] === '*') this.#fail('"*" is only allowed after "="; \\2a is an asterisk', this.#at);
    return value;
  }

  #value(): TemplateValue {
    const pieces: Piece[] = [];
    for (;;) {
      const offset = this.#at;
      const plain = this.#take(PLAIN);
      const escaped = plain === undefined ? this.#take(ESCAPED) : undefined;
      if (plain !== undefined) appendText(pieces, plain);
      else if (escaped !== undefined)
        appendText(pieces, textOrOctets(Buffer.from(escaped.replaceAll('\\', ''), 'hex')));
      else if (this.#text[offset] === '{') pieces.push({ token: this.#token(), offset });
      else {
        this.#refuseAt(offset);
        return pieces;
      }
    }
  }

  #refuseAt(offset: number): void {
    const found = this.#text[offset];
    if (found === '\\') this.#fail('a backslash needs two hexadecimal digits; \\5c is a backslash', offset);
    if (found === '(') this.#fail('"(" is not allowed in a value; \\28 is a parenthesis', offset);
    if (found === '\u0000') this.#fail('NUL is not allowed', offset);
  }

  #token(): string {
    const token = this.#take(TOKEN);
    if (token === undefined) this.#fail('"{" begins a token such as {u}; \\7b is a brace', this.#at);
    return token.slice(1, -1);
  }

  #blanks(): void {
    this.#take(BLANKS);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(message: string, offset: number): never {
    throw new FilterSyntaxError(message, offset);
  }
}

const isBlank = (value: TemplateValue): boolean =>
  value.every((piece) => 'text' in piece && typeof piece.text === 'string' && /^[ \t\r\n]*$/.test(piece.text));

/** Neighbouring runs of text are one piece, so that a filter has one form. */
function appendText(pieces: Piece[], text: string | Uint8Array): void {
  const last = pieces.at(-1);
  if (last === undefined || !('text' in last)) pieces.push({ text });
  else if (typeof last.text === 'string' && typeof text === 'string')
    pieces[pieces.length - 1] = { text: last.text + text };
  else pieces[pieces.length - 1] = { text: textOrOctets(Buffer.concat([octets(last.text), octets(text)])) };
}

const octets = (text: string | Uint8Array): Uint8Array => (typeof text === 'string' ? Buffer.from(text) : text);
