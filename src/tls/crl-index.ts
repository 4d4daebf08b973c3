/**
 * The compact table of the serial numbers that a revocation list revokes: rows of equal width sorted by octets, in one
 * SharedArrayBuffer that all threads read. A look-up compares whole serial numbers, never hashes or prefixes.
 * One million serials of 20 octets take 25 MB; sorting is by digits, so that no choice of serials makes it slow.
 * RFC 5280 §5.1.2.6. Pure.
 */
import { DerError } from './der.ts';

/** As `certificate.ts` bounds them; RFC 5280 §4.1.2.2 asks for 20. */
export const MAX_SERIAL_OCTETS = 64;

/** Rows `firstRow` to `firstRow + rows - 1` hold serials of `width` octets, from `offset` in `serials` on. */
export type SerialGroup = {
  readonly width: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly offset: number;
};

/** Structured-cloneable; the arrays are views on one SharedArrayBuffer and are never written after they are built. */
export type RevokedTable = {
  readonly count: number;
  readonly groups: readonly SerialGroup[];
  readonly serials: Uint8Array;
  /** Seconds since 1970; 0 where the list does not say. */
  readonly dates: Uint32Array;
  /** CRLReason (RFC 5280 §5.3.1); 0 = unspecified or not given. */
  readonly reasons: Uint8Array;
  /** Indirect lists only: which of the list's certificate issuers, 0 = the issuer of the list. */
  readonly issuers: Uint16Array | undefined;
};

export type RevokedEntry = { readonly reason: number; readonly atMs: number; readonly issuer: number };

/** `serial` is at `start`..`end` of `bytes`: content octets of an INTEGER. */
export type EntryFields = { readonly reason: number; readonly dateSeconds: number; readonly issuer: number };

/**
 * Where the minimal form of the INTEGER at `start`..`end` begins: authorities have put out serials with needless leading
 * octets, and the certificate (DER, minimal) must be found all the same.
 */
export function minimalStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 1 < end) {
    const first = bytes[at] as number;
    const negative = (bytes[at + 1] as number) >= 0x80;
    if (!((first === 0 && !negative) || (first === 0xff && negative))) break;
    at++;
  }
  return at;
}

export class RevokedTableBuilder {
  readonly #groups: readonly SerialGroup[];
  readonly #byWidth: (SerialGroup | undefined)[] = [];
  readonly #filled = new Uint32Array(MAX_SERIAL_OCTETS + 1);
  readonly #count: number;
  readonly #columns: Columns;

  /** `widths[w]`: how many serials of w octets (minimal form) will be added. */
  constructor(widths: Uint32Array, indirect: boolean) {
    const groups: SerialGroup[] = [];
    let rows = 0;
    let offset = 0;
    for (let width = 1; width <= MAX_SERIAL_OCTETS; width++) {
      const inGroup = widths[width] as number;
      if (inGroup === 0) continue;
      const group = { width, firstRow: rows, rows: inGroup, offset };
      groups.push(group);
      this.#byWidth[width] = group;
      rows += inGroup;
      offset += inGroup * width;
    }
    this.#groups = groups;
    this.#count = rows;
    this.#columns = allocate(rows, offset, indirect);
  }

  /** The fields come one by one because an object per entry would cost more than the entry. */
  add(bytes: Uint8Array, start: number, end: number, entry: EntryFields): void {
    const width = end - start;
    const group = this.#byWidth[width];
    const nth = this.#filled[width] as number;
    if (group === undefined || nth >= group.rows) throw new DerError('more serial numbers than counted');
    this.#filled[width] = nth + 1;
    const to = group.offset + nth * width;
    const { serials, dates, reasons, issuers } = this.#columns;
    for (let i = 0; i < width; i++) serials[to + i] = bytes[start + i] as number;
    const row = group.firstRow + nth;
    dates[row] = entry.dateSeconds;
    reasons[row] = entry.reason;
    if (issuers !== undefined) issuers[row] = entry.issuer;
  }

  /** Sorts where the rows are: a second table would double what a big list costs. */
  finish(): RevokedTable {
    for (const group of this.#groups) arrange(this.#columns, group, sortedRows(this.#columns.serials, group));
    return { count: this.#count, groups: this.#groups, ...this.#columns };
  }
}

type Columns = Omit<RevokedTable, 'count' | 'groups'>;

/** Row n of the group becomes what was row `order[n]`, cycle by cycle; `order` is used up. */
function arrange({ serials, dates, reasons, issuers }: Columns, group: SerialGroup, order: Uint32Array): void {
  const { width, firstRow, offset } = group;
  const held = new Uint8Array(width);
  for (let first = 0; first < group.rows; first++) {
    if (order[first] === first) continue;
    for (let i = 0; i < width; i++) held[i] = serials[offset + first * width + i] as number;
    const [date = 0, reason = 0, issuer = 0] = [
      dates[firstRow + first],
      reasons[firstRow + first],
      issuers?.[firstRow + first],
    ];
    let to = first;
    for (let from = order[to] as number; from !== first; from = order[to] as number) {
      serials.copyWithin(offset + to * width, offset + from * width, offset + (from + 1) * width);
      dates[firstRow + to] = dates[firstRow + from] as number;
      reasons[firstRow + to] = reasons[firstRow + from] as number;
      if (issuers !== undefined) issuers[firstRow + to] = issuers[firstRow + from] as number;
      order[to] = to;
      to = from;
    }
    serials.set(held, offset + to * width);
    dates[firstRow + to] = date;
    reasons[firstRow + to] = reason;
    if (issuers !== undefined) issuers[firstRow + to] = issuer;
    order[to] = to;
  }
}

function allocate(count: number, serialBytes: number, indirect: boolean): Columns {
  const buffer = new SharedArrayBuffer(count * (indirect ? 7 : 5) + serialBytes);
  const dates = new Uint32Array(buffer, 0, count);
  const issuers = indirect ? new Uint16Array(buffer, count * 4, count) : undefined;
  const reasonsAt = count * (indirect ? 6 : 4);
  const reasons = new Uint8Array(buffer, reasonsAt, count);
  const serials = new Uint8Array(buffer, reasonsAt + count, serialBytes);
  return { dates, issuers, reasons, serials };
}

/** Radix sort, least significant octet first: row numbers within the group in the order of their serials. */
function sortedRows(serials: Uint8Array, { width, rows, offset }: SerialGroup): Uint32Array {
  let order = new Uint32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  let other = new Uint32Array(rows);
  const starts = new Uint32Array(256);
  for (let octet = width - 1; octet >= 0; octet--) {
    starts.fill(0);
    for (let at = offset + octet, i = 0; i < rows; i++, at += width) {
      const digit = serials[at] as number;
      starts[digit] = (starts[digit] as number) + 1;
    }
    if (starts.includes(rows)) continue;
    let sum = 0;
    for (let digit = 0; digit < 256; digit++) {
      const count = starts[digit] as number;
      starts[digit] = sum;
      sum += count;
    }
    for (let i = 0; i < rows; i++) {
      const row = order[i] as number;
      const digit = serials[offset + row * width + octet] as number;
      const to = starts[digit] as number;
      starts[digit] = to + 1;
      other[to] = row;
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Every entry with this serial (content octets of the certificate's INTEGER), in the order of the list. O(log n). */
export function findRevoked(table: RevokedTable, serial: Uint8Array): RevokedEntry[] {
  const start = minimalStart(serial, 0, serial.length);
  const group = table.groups.find(({ width }) => width === serial.length - start);
  if (group === undefined) return [];
  let low = 0;
  let high = group.rows;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareRow(table, group, middle, serial) < 0) low = middle + 1;
    else high = middle;
  }
  const found: RevokedEntry[] = [];
  for (let nth = low; nth < group.rows && compareRow(table, group, nth, serial) === 0; nth++) {
    const row = group.firstRow + nth;
    const [reason = 0, seconds = 0] = [table.reasons[row], table.dates[row]];
    found.push({ reason, atMs: seconds * 1000, issuer: table.issuers?.[row] ?? 0 });
  }
  return found;
}

function compareRow(table: RevokedTable, { width, offset }: SerialGroup, nth: number, serial: Uint8Array): number {
  const at = offset + nth * width;
  const from = serial.length - width;
  for (let i = 0; i < width; i++) {
    const difference = (table.serials[at + i] as number) - (serial[from + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
