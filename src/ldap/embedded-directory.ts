/**
 * The embedded directory: entries of an LDIF file that answer the same questions as an LDAP server, for the quickstart
 * and for sites that need no server. Equality is looked up in an index per attribute that is built when first used.
 * RFC 4511 §4.5.1 (search), §4.2 (bind). Pure.
 */
import { counted } from '../core/counted.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import { type DnKey, dnText, isWithin, parseDn } from './distinguished-name.ts';
import type { AttributeValue, Directory, Entry, Found, Search } from './directory.ts';
import { comparable, type IndexedEntry, matchEntry, valuesOf } from './entry-match.ts';
import type { Filter } from './filter.ts';
import type { LdifEntry } from './ldif.ts';
import { attributeKey } from './matching-rules.ts';
import { checkStoredPassword } from './stored-password.ts';

type Stored = IndexedEntry & { readonly name: DnKey };

/** RFC 4512 §2.4.2: an entry belongs to the classes above its own too. */
const SUPERCLASSES: ReadonlyMap<string, readonly string[]> = new Map([
  ['inetorgperson', ['organizationalPerson', 'person']],
  ['organizationalperson', ['person']],
  ['user', ['organizationalPerson', 'person']],
]);

/** Answers at once and is never unreachable. `name` is what events call it. */
export function embeddedDirectory(entries: readonly LdifEntry[], name: string): Directory {
  const stored = entries.flatMap((entry) => indexEntry(entry) ?? []);
  const byName = new Map(stored.map((entry) => [dnText(entry.name), entry]));
  const index = new EqualityIndex(stored);
  let closed = false;
  return {
    search: async (search) => (closed ? unknown('the directory is closed') : find(search, { stored, index })),
    bind: async (dn, password) => (closed ? unknown('the directory is closed') : bind(byName, dn, password)),
    test: async () => [{ host: name, ok: true, why: counted(stored.length, 'entry', 'entries') }],
    close: () => {
      closed = true;
    },
  };
}

function indexEntry({ dn, attributes }: LdifEntry): Stored | undefined {
  const name = parseDn(dn);
  if (name === undefined) return undefined;
  const values = new Map<string, AttributeValue[]>();
  const add = (key: string, value: AttributeValue): void => {
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  };
  for (const { description, value } of attributes) {
    const key = attributeKey(description);
    add(key, value);
    if (description.includes(';')) add(description.toLowerCase(), value);
    if (key === 'objectclass' && typeof value === 'string') {
      for (const above of SUPERCLASSES.get(value.toLowerCase()) ?? []) add(key, above);
    }
  }
  add('objectclass', 'top');
  return { dn, name, values };
}

type Entries = { readonly stored: readonly Stored[]; readonly index: EqualityIndex };

function find({ baseDn, filter, attributes, sizeLimit }: Search, { stored, index }: Entries): Answer<Found> {
  const base = parseDn(baseDn);
  if (base === undefined) return unknown(`the base DN ${baseDn} is no distinguished name`);
  const entries: Entry[] = [];
  for (const entry of index.candidates(filter) ?? stored) {
    if (!isWithin(entry.name, base) || matchEntry(entry, filter) !== true) continue;
    if (entries.length >= sizeLimit) return yes({ entries, more: true });
    entries.push(selected(entry, attributes));
  }
  return yes({ entries, more: false });
}

const selected = (entry: Stored, attributes: readonly string[]): Entry => ({
  dn: entry.dn,
  attributes: attributes.flatMap((description) => {
    const values = valuesOf(entry, description);
    return values.length === 0 ? [] : [{ description, values }];
  }),
});

async function bind(byName: ReadonlyMap<string, Stored>, dn: string, password: string): Promise<Answer<true>> {
  // RFC 4513 §5.1.2: a bind without a password would be an anonymous one.
  if (password === '') return no('empty password');
  const name = parseDn(dn);
  const entry = name && byName.get(dnText(name));
  let unsupported: string | undefined;
  for (const stored of entry === undefined ? [] : valuesOf(entry, 'userPassword')) {
    const check = await checkStoredPassword(stored, password);
    if (check.fits) return yes(true);
    unsupported ??= check.unsupported;
  }
  return no(
    unsupported === undefined ? 'invalidCredentials' : `passwords in the form ${unsupported} cannot be checked here`,
  );
}

/** Entries by the values of an attribute. */
class EqualityIndex {
  readonly #entries: readonly Stored[];
  readonly #byAttribute = new Map<string, Map<string, Stored[]>>();

  constructor(entries: readonly Stored[]) {
    this.#entries = entries;
  }

  /** Entries among which all that match must be; undefined where that is all of them. */
  candidates(filter: Filter): readonly Stored[] | undefined {
    switch (filter.kind) {
      case 'equal':
        return this.#equal(filter);
      case 'and':
        return filter.of
          .flatMap((each) => {
            const found = this.candidates(each);
            return found === undefined ? [] : [found];
          })
          .reduce<readonly Stored[] | undefined>(
            (least, found) => (least === undefined || found.length < least.length ? found : least),
            undefined,
          );
      case 'or': {
        const found = filter.of.map((each) => this.candidates(each));
        return found.every((each) => each !== undefined) ? [...new Set(found.flat())] : undefined;
      }
      default:
        return undefined;
    }
  }

  #equal({
    attribute,
    value,
  }: {
    readonly attribute: string;
    readonly value: string | Uint8Array;
  }): readonly Stored[] | undefined {
    const key = attributeKey(attribute);
    const wanted = comparable(key, value);
    // A question without an answer matches nobody.
    return wanted === undefined ? [] : (this.#of(key).get(wanted) ?? []);
  }

  #of(key: string): Map<string, Stored[]> {
    const known = this.#byAttribute.get(key);
    if (known !== undefined) return known;
    const index = new Map<string, Stored[]>();
    for (const entry of this.#entries) {
      const keys = new Set((entry.values.get(key) ?? []).map((value) => comparable(key, value)));
      for (const each of keys) {
        if (each === undefined) continue;
        const same = index.get(each);
        if (same === undefined) index.set(each, [entry]);
        else same.push(entry);
      }
    }
    this.#byAttribute.set(key, index);
    return index;
  }
}
