/** What a measured server is, and what it is given. Types only. */
import type { Account } from '../account.ts';
import type { Material } from '../material.ts';

export const PEER_NAMES = [
  'sallyport',
  'postfix',
  'exim',
  'haraka',
  'smtp-server',
  'node-file',
  'node-log',
  'c-floor',
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** tls: STARTTLS with a client certificate; ldap: the same, and a search for every session; plain: no TLS. */
export type Door = 'tls' | 'ldap' | 'plain';

export type Site = {
  /** On the scratch disk; a peer makes its own folder in it. */
  readonly folder: string;
  readonly material: Material;
  readonly ldapPort: number;
  readonly loadgen: string;
  readonly floor: string;
  /** The Node that runs this; the peers in JavaScript run on it too. */
  readonly node: string;
};

export type RunningPeer = {
  readonly ports: Readonly<Partial<Record<Door, number>>>;
  readonly account: Account;
  /** Removes what it stored and never delivers, so that the disk does not fill. Called while it is idle. */
  readonly forget?: () => void;
  stop(): Promise<void>;
};

export type Peer = {
  readonly name: PeerName;
  /** What was switched on, for the page. */
  readonly what: string;
  readonly doors: readonly Door[];
  /** Brings it to this machine if it is not there. */
  install(): void;
  version(): string;
  start(site: Site): Promise<RunningPeer>;
};
