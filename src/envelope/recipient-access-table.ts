/**
 * The recipient access table (RAT) of a public listener: for which recipients mail from outside is taken. Entries in
 * order, the first that matches decides, whatever matches none is rejected. An entry names a full address, a domain, a
 * partial domain (`.example.com`: everything within), a user anywhere (`user@`), an address literal, or ALL.
 * Compiled once per listener to maps: a look-up costs the same with 5 or 50,000 entries. Case does not count.
 * Pure but for remembering what was compiled.
 */
import type { Config, ListenerConfig } from '../config/schema.ts';
import { domainKey, parseMailbox, type Path } from '../core/address.ts';
import { type Fault, fault } from '../core/fault.ts';
import { R, type Reply } from '../core/reply.ts';

export type RatEntry = { readonly rule: string; readonly action: 'accept' | 'reject'; readonly reply: Reply };

export type CompiledRat = {
  readonly entries: readonly RatEntry[];
  /** Key of a pattern → first entry that has it. */
  readonly keys: ReadonlyMap<string, number>;
  /** What happens to all other recipients. */
  readonly rest: RatEntry;
};

/** The key under which a pattern is found; undefined where it is none. */
function keyOfPattern(pattern: string): string | undefined {
  if (pattern === 'ALL') return 'ALL';
  if (pattern.endsWith('@') && pattern.length > 1) {
    const user = parseMailbox(pattern.slice(0, -1));
    return user === undefined || user.domain !== '' ? undefined : userKey(user.localPart);
  }
  const partial = pattern.startsWith('.');
  const mailbox = parseMailbox(partial ? `x@${pattern.slice(1)}` : pattern.includes('@') ? pattern : `x@${pattern}`);
  if (mailbox === undefined || mailbox.domain === '') return undefined;
  if (partial) return mailbox.domain.startsWith('[') ? undefined : `.${domainKey(mailbox.domain)}`;
  return pattern.includes('@') ? addressKey(mailbox) : domainKey(mailbox.domain);
}

/** Keys of the three kinds cannot collide: a domain has no `@`, a user's key ends with it, a partial domain starts with a dot. */
const userKey = (localPart: string): string => `${localPart.toLowerCase()}@`;
const addressKey = ({ localPart, domain }: Path): string => `${localPart.toLowerCase()}@${domainKey(domain)}`;

const FORMS =
  'allowed are user@example.com, example.com, .example.com, user@, an address literal such as [192.0.2.1], and ALL';

type RatOwner = Pick<ListenerConfig, 'rat'>;

/** Entries that cannot be understood are faults and match nobody. */
export function compileRat(listenerName: string, { rat = [] }: RatOwner): { rat: CompiledRat; faults: Fault[] } {
  const table = `listeners.${listenerName}.rat`;
  const keys = new Map<string, number>();
  const faults: Fault[] = [];
  const entries = rat.map(({ recipients, action, response }, i): RatEntry => {
    for (const [j, recipient] of recipients.entries()) {
      const key = keyOfPattern(recipient.trim());
      if (key === undefined) {
        faults.push(fault(['listeners', listenerName, 'rat', i, 'recipients', j], `not a recipient; ${FORMS}`));
      } else if (!keys.has(key)) keys.set(key, i);
    }
    const reply = response === undefined ? R.recipientRejected : R.custom(response.code, response.text);
    return { rule: `${table}[${i}]`, action, reply };
  });
  return { rat: { entries, keys, rest: { rule: table, action: 'reject', reply: R.relayDenied } }, faults };
}

const compiled = new WeakMap<RatOwner, CompiledRat>();

/** The compiled table of a listener's configuration: made on first use, kept as long as the configuration lives. */
export function ratOf(listenerName: string, listener: RatOwner): CompiledRat {
  const known = compiled.get(listener);
  if (known !== undefined) return known;
  const { rat } = compileRat(listenerName, listener);
  compiled.set(listener, rat);
  return rat;
}

/** The entry that decides for a recipient. */
export function matchRat({ entries, keys, rest }: CompiledRat, recipient: Path): RatEntry {
  const domain = domainKey(recipient.domain);
  let first = Number.POSITIVE_INFINITY;
  const look = (key: string): void => {
    first = Math.min(first, keys.get(key) ?? Number.POSITIVE_INFINITY);
  };
  look(`${recipient.localPart.toLowerCase()}@${domain}`);
  look(userKey(recipient.localPart));
  look(domain);
  for (let dot = domain.indexOf('.'); dot >= 0 && !domain.startsWith('['); dot = domain.indexOf('.', dot + 1)) {
    look(domain.slice(dot));
  }
  look('ALL');
  return entries[first] ?? rest;
}

/** Every fault in the recipient access tables, for `check`. */
export const faultsOfRecipientAccess = (config: Config): Fault[] =>
  Object.entries(config.listeners).flatMap(([name, listener]) => compileRat(name, listener).faults);
