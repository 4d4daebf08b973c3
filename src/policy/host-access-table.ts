/**
 * The host access table (HAT): which sender group, and so which mail flow policy, a connecting host gets. Groups from top
 * to bottom, the first that matches decides; within a group any entry matches; a group whose policy says `continue` does
 * not end the search, so it is left out of the compiled table. Names match only when the host's DNS is verified both
 * ways; the caller passes no other. Without a group ALL the rest gets ACCEPTED (public listener) or BLOCKED (private).
 *
 * Compiled once per revision by the control thread, shared by all: a look-up costs the same with 5 or 50,000 entries.
 * Pure.
 */
import { implicitPolicy } from '../config/built-in-policies.ts';
import { effectivePolicy } from '../config/effective-policy.ts';
import type { Config, ListenerConfig } from '../config/schema.ts';
import { type Fault, fault, warning } from '../core/fault.ts';
import { ipBytes, parseIp, parseIpv4 } from '../core/network.ts';
import { compileRanges, findEntry, NO_ENTRY, type RangeTable, type RankedRange } from './range-table.ts';
import { parseSender, type SenderPattern } from './sender-pattern.ts';

export type HatMatch = {
  readonly senderGroup: string;
  /** Name of the mail flow policy. */
  readonly policy: string;
  /** The entry as written, or ALL. */
  readonly match: string;
  /** `listeners.X.hat[i]`; `listeners.X.hat` where no group ALL is written. */
  readonly rule: string;
};

/** Structured-cloneable; the address tables are shared, not copied. */
export type CompiledHat = {
  readonly groups: readonly Omit<HatMatch, 'match'>[];
  /** Per entry: the text as written, and the index of its group. Entries are numbered in the order of the table. */
  readonly texts: readonly string[];
  readonly groupOf: Uint32Array;
  readonly ipv4: RangeTable;
  readonly ipv6: RangeTable;
  /** Lower-case name → entry. */
  readonly hosts: ReadonlyMap<string, number>;
  /** Lower-case domain → entry for the names within it. */
  readonly partialHosts: ReadonlyMap<string, number>;
  /** The first entry that is a name; NO_ENTRY where none is. */
  readonly firstName: number;
  /** What matches when no entry does. */
  readonly rest: HatMatch;
};

export type HatSubject = {
  /** Normalised (`normaliseIp`). */
  readonly ip: string;
  /** Only a name that the address confirms. */
  readonly hostname?: string | undefined;
};

type Entry = { readonly text: string; readonly group: number; readonly pattern: SenderPattern };

/** Faults are those of the senders; names, references and order are checked with the listener. */
export function compileHat(listenerName: string, config: Config): { hat?: CompiledHat; faults: Fault[] } {
  const listener = config.listeners[listenerName];
  if (listener === undefined) return { faults: [] };
  const faults: Fault[] = [];
  const groups: Omit<HatMatch, 'match'>[] = [];
  const entries: Entry[] = [];
  for (const [i, { senderGroup, senders = [], policy }] of listener.hat.entries()) {
    const path = ['listeners', listenerName, 'hat', i];
    const patterns = senders.map(parseSender);
    faults.push(...faultsOfSenders([...path, 'senders'], senders, patterns));
    if (senderGroup === 'ALL' || effectivePolicy(config, listenerName, policy).behavior === 'continue') continue;
    const group = groups.push({ senderGroup, policy, rule: `listeners.${listenerName}.hat[${i}]` }) - 1;
    for (const [j, pattern] of patterns.entries()) entries.push({ text: senders[j] ?? '', group, pattern });
  }
  if (faults.some(({ severity }) => severity === 'error')) return { faults };
  return { hat: compile(groups, entries, restOf(listenerName, listener)), faults };
}

function faultsOfSenders(
  path: readonly (string | number)[],
  senders: readonly string[],
  patterns: readonly SenderPattern[],
): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [j, pattern] of patterns.entries()) {
    const text = (senders[j] ?? '').toLowerCase();
    if (pattern.kind === 'fault') faults.push(fault([...path, j], pattern.message));
    else if (seen.has(text)) faults.push(warning([...path, j], 'is in this sender group already'));
    seen.add(text);
  }
  return faults;
}

function restOf(listenerName: string, { hat, type }: ListenerConfig): HatMatch {
  const i = hat.findIndex(({ senderGroup }) => senderGroup === 'ALL');
  const written = hat[i];
  const table = `listeners.${listenerName}.hat`;
  return written === undefined
    ? { senderGroup: 'ALL', policy: implicitPolicy(type), match: 'ALL', rule: table }
    : { senderGroup: 'ALL', policy: written.policy, match: 'ALL', rule: `${table}[${i}]` };
}

function compile(groups: CompiledHat['groups'], entries: readonly Entry[], rest: HatMatch): CompiledHat {
  const ranges: RankedRange[] = [];
  const hosts = new Map<string, number>();
  const partialHosts = new Map<string, number>();
  let firstName = NO_ENTRY;
  const name = (table: Map<string, number>, key: string, entry: number): void => {
    if (!table.has(key)) table.set(key, entry);
    firstName = Math.min(firstName, entry);
  };
  for (const [entry, { pattern }] of entries.entries()) {
    if (pattern.kind === 'addresses') for (const range of pattern.ranges) ranges.push({ range, entry });
    else if (pattern.kind === 'host') name(hosts, pattern.name, entry);
    else if (pattern.kind === 'partial-host') name(partialHosts, pattern.suffix, entry);
  }
  const groupOf = new Uint32Array(new SharedArrayBuffer(entries.length * 4));
  groupOf.set(entries.map(({ group }) => group));
  const ofVersion = (version: 4 | 6): RangeTable =>
    compileRanges(
      version,
      ranges.filter(({ range }) => range.version === version),
    );
  return {
    groups,
    texts: entries.map(({ text }) => text),
    groupOf,
    ipv4: ofVersion(4),
    ipv6: ofVersion(6),
    hosts,
    partialHosts,
    firstName,
    rest,
  };
}

/** The first group that matches. */
export function matchHat(hat: CompiledHat, { ip, hostname }: HatSubject): HatMatch {
  const byAddress = entryOfAddress(hat, ip);
  // An address that matches before any name could settles it; so does a host without a verified name.
  const byName = hostname === undefined || hat.firstName >= byAddress ? NO_ENTRY : entryOfName(hat, hostname);
  const entry = Math.min(byAddress, byName);
  const group = entry === NO_ENTRY ? undefined : hat.groups[hat.groupOf[entry] ?? NO_ENTRY];
  return group === undefined ? hat.rest : { ...group, match: hat.texts[entry] ?? '' };
}

/** Whether the host's name could still change the outcome: if not, no PTR look-up is needed. */
export const needsHostname = (hat: CompiledHat, ip: string): boolean => hat.firstName < entryOfAddress(hat, ip);

function entryOfAddress(hat: CompiledHat, ip: string): number {
  const ipv4 = parseIpv4(ip);
  if (ipv4 !== undefined) return findEntry(hat.ipv4, [ipv4]);
  const parsed = parseIp(ip);
  if (parsed === undefined) return NO_ENTRY;
  if (parsed.version === 4) return findEntry(hat.ipv4, [Number(parsed.value)]);
  const view = new DataView(ipBytes(parsed).buffer);
  return findEntry(hat.ipv6, [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)]);
}

function entryOfName(hat: CompiledHat, hostname: string): number {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  let entry = hat.hosts.get(name) ?? NO_ENTRY;
  if (hat.partialHosts.size === 0) return entry;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    entry = Math.min(entry, hat.partialHosts.get(name.slice(dot + 1)) ?? NO_ENTRY);
  }
  return entry;
}

/** Every fault in the host access tables, for `check`. */
export const faultsOfPolicy = (config: Config): Fault[] =>
  Object.keys(config.listeners).flatMap((listener) => compileHat(listener, config).faults);
