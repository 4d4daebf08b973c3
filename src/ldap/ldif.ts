/**
 * LDIF content records to entries: continuation lines, base64, comments. Change records and values by URL are faults,
 * because a directory that is read whole has no use for them. RFC 2849. Pure.
 */
import { parseDn } from './distinguished-name.ts';
import { textOrOctets } from './filter.ts';

export type LdifEntry = {
  readonly dn: string;
  /** Where its record begins, from 1. */
  readonly line: number;
  /** As written, in order. A value is text, or octets where it is no UTF-8. */
  readonly attributes: readonly { readonly description: string; readonly value: string | Uint8Array }[];
};

export type LdifFault = { readonly line: number; readonly message: string };
export type Ldif = { readonly entries: readonly LdifEntry[]; readonly faults: readonly LdifFault[] };

const MAX_FAULTS = 20;
const MAX_LINE_CHARACTERS = 1024 * 1024;
const MAX_ATTRIBUTES = 10_000;
const MAX_ENTRIES = 1_000_000;
const LINE = /^((?:[A-Za-z][\w-]*|\d+(?:\.\d+)*)(?:;[\w-]+)*):(:|<|)[ ]*(.*)$/s;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Reads as much as it can; entries that have a fault are left out. Never throws. */
export function parseLdif(text: string): Ldif {
  const reader = new LdifReader();
  let record: LogicalLine[] = [];
  for (const line of logicalLines(text)) {
    if (reader.full) break;
    if (line.text !== '') record.push(line);
    else {
      reader.record(record);
      record = [];
    }
  }
  reader.record(record);
  return reader.result();
}

type LogicalLine = { readonly text: string; readonly line: number };

/** Lines with their continuations joined and comments left out; an empty text separates records. */
function* logicalLines(text: string): Generator<LogicalLine> {
  let pending: { parts: string[]; line: number } | undefined;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  for (let line = 1; at < text.length; line++) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const physical = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end);
    at = end + 1;
    // RFC 2849 note 2: a line that begins with a blank continues the one before, comments too.
    if (physical.startsWith(' ') && pending !== undefined) {
      pending.parts.push(physical.slice(1));
      continue;
    }
    if (pending !== undefined) yield* joined(pending);
    pending = { parts: [physical], line };
  }
  if (pending !== undefined) yield* joined(pending);
}

function* joined({
  parts,
  line,
}: {
  readonly parts: readonly string[];
  readonly line: number;
}): Generator<LogicalLine> {
  const text = parts.join('');
  if (!text.startsWith('#')) yield { text, line };
}

class LdifReader {
  readonly #entries: LdifEntry[] = [];
  readonly #faults: LdifFault[] = [];
  readonly #names = new Map<string, number>();
  #begun = false;

  get full(): boolean {
    return this.#faults.length >= MAX_FAULTS;
  }

  result(): Ldif {
    return { entries: this.#entries, faults: this.#faults.slice(0, MAX_FAULTS) };
  }

  record(lines: readonly LogicalLine[]): void {
    const before = this.#faults.length;
    const [first] = lines;
    const fields = lines.flatMap((line) => this.#field(line) ?? []);
    if (first === undefined || this.#faults.length > before) return;
    if (!this.#begun && fields[0]?.description.toLowerCase() === 'version') {
      this.#version(fields.shift());
      if (fields.length === 0) return;
    }
    this.#begun = true;
    const entry = this.#entry(fields);
    if (entry === undefined || this.#faults.length > before) return;
    if (this.#entries.length >= MAX_ENTRIES) this.#fault(first.line, `more than ${MAX_ENTRIES} entries`);
    else this.#entries.push(entry);
  }

  #version(field: Field | undefined): void {
    this.#begun = true;
    if (field !== undefined && field.value !== '1') this.#fault(field.line, 'only version 1 of LDIF exists');
  }

  #entry([name, ...fields]: readonly Field[]): LdifEntry | undefined {
    if (name === undefined) return undefined;
    if (name.description.toLowerCase() !== 'dn') return this.#fault(name.line, 'a record begins with "dn:"');
    const dn = name.value;
    const key = typeof dn === 'string' ? parseDn(dn) : undefined;
    if (typeof dn !== 'string' || key === undefined) return this.#fault(name.line, 'this is no distinguished name');
    const known = this.#names.get(key.join(','));
    if (known !== undefined) return this.#fault(name.line, `the entry is already there, in line ${known}`);
    this.#names.set(key.join(','), name.line);
    if (fields.length === 0) return this.#fault(name.line, 'the entry has no attributes');
    if (fields.length > MAX_ATTRIBUTES) return this.#fault(name.line, `more than ${MAX_ATTRIBUTES} values`);
    const odd = fields.find(({ description }) => ['dn', 'changetype', 'control'].includes(description.toLowerCase()));
    if (odd?.description.toLowerCase() === 'dn')
      return this.#fault(odd.line, 'an empty line must stand between entries');
    if (odd !== undefined) return this.#fault(odd.line, 'only entries are read here, not changes to them');
    return { dn, line: name.line, attributes: fields };
  }

  #field({ text, line }: LogicalLine): Field | undefined {
    if (text.length > MAX_LINE_CHARACTERS) return this.#fault(line, `longer than ${MAX_LINE_CHARACTERS} characters`);
    const [, description, form, raw = ''] = LINE.exec(text) ?? [];
    if (description === undefined) return this.#fault(line, 'a line is "attribute: value"');
    if (form === '<') return this.#fault(line, 'values by URL are not read; write the value itself');
    if (form === '') return { description, value: raw, line };
    const base64 = raw.trim();
    if (!BASE64.test(base64)) return this.#fault(line, 'what follows "::" is not base64');
    return { description, value: textOrOctets(Buffer.from(base64, 'base64')), line };
  }

  #fault(line: number, message: string): undefined {
    this.#faults.push({ line, message });
    return undefined;
  }
}

type Field = { readonly description: string; readonly value: string | Uint8Array; readonly line: number };
