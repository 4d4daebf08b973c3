/**
 * What the configuration store needs of the gateway around it, and what it may ask it: ports, so that the same store
 * works inside a running gateway (processes apart, threads) and on the data folder of one that does not run. Pure: types.
 */
import type { RevisionInfo, StoreFault, Unconfirmed } from './configuration-store.ts';
import type { Json } from './document.ts';
import type { ReadDocument, ReadRequest, WriteRequest } from './document-text.io.ts';
import type { Fault } from '../core/fault.ts';
import type { Revision } from './schema.ts';

/** A document checked with everything that `check` looks at; `revision` has what the files it names contained. */
export type CheckedDocument =
  | { readonly ok: true; readonly revision: Revision; readonly document: Json; readonly found: readonly StoreFault[] }
  | { readonly ok: false; readonly found: readonly StoreFault[] };

export type ConfigurationTexts = {
  readonly read: (request: ReadRequest) => Promise<ReadDocument>;
  readonly write: (request: WriteRequest) => Promise<string>;
  readonly locate: (request: { text: string; faults: readonly Fault[] }) => Promise<readonly StoreFault[]>;
};

export type ConfigurationPorts = {
  readonly now: () => number;
  readonly texts: ConfigurationTexts;
  readonly check: (document: Json, number: number) => Promise<CheckedDocument>;
  /**
   * Builds the revision on every thread; once all have it, calls `record`, and then all adopt it. Rejects with the reason,
   * and the old revision goes on, where a thread cannot build it or `record` throws.
   */
  readonly apply: (revision: Revision, warnings: readonly StoreFault[], record: () => void) => Promise<void>;
  /** What the threads run; undefined where no gateway does. */
  readonly running: () => Revision | undefined;
  readonly committed: (revision: RevisionInfo, unconfirmed: Unconfirmed | undefined) => void;
  readonly note: (level: 'info' | 'warning' | 'critical', text: string) => void;
};
