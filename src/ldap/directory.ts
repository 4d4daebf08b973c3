/**
 * The Directory port: what the queries need of a directory, whether it is a server or an LDIF file. A search answers
 * `unknown` whenever the directory could not be asked or did not really answer, so that an outage never looks like
 * "nobody of that name". Types only. Pure.
 */
import type { Answer } from '../core/verdict.ts';
import type { Filter } from './filter.ts';

export type AttributeValue = string | Uint8Array;

export type Entry = {
  readonly dn: string;
  /** Descriptions as the directory spells them, with their values. Only the attributes that were asked for. */
  readonly attributes: readonly { readonly description: string; readonly values: readonly AttributeValue[] }[];
};

export type Search = {
  readonly baseDn: string;
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Entries wanted; to see that there are several, ask for 2. */
  readonly sizeLimit: number;
  /** Default: the base and everything below it. */
  readonly scope?: 'base' | 'one' | 'sub';
};

export type Found = {
  readonly entries: readonly Entry[];
  /** There are more entries than these; the directory's own limit may be lower than the one asked for. */
  readonly more: boolean;
};

export type HostTest = { readonly host: string; readonly ok: boolean; readonly why: string };

export type Directory = {
  /** A base that does not exist holds no entries. */
  search(search: Search): Promise<Answer<Found>>;
  /** `no`: the directory says that the password is not that entry's. An empty password is never tried. */
  bind(dn: string, password: string): Promise<Answer<true>>;
  /** Connects to every host as a search would, for `ldaptest`. */
  test(): Promise<readonly HostTest[]>;
  /** Ends connections once what runs on them is done; later calls answer `unknown`. */
  close(): void;
};
