/**
 * What the control thread and its receive and delivery threads say to each other. Everything here is structured-clone
 * data; tables (host access table, revocation lists, counters) are SharedArrayBuffers and so are shared, not copied.
 * Pure: types only.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Revision } from '../config/schema.ts';
import type { RaisedAlert } from '../core/alert.ts';
import type { HistoryBatch } from '../log/client-history.ts';
import type { MetricsSnapshot } from '../log/metrics.ts';
import type { CompiledHat } from '../policy/host-access-table.ts';
import type { PointRequest } from '../tls/crl-points.ts';
import type { CrlSet } from '../tls/revocation.ts';
import type { Staples } from '../tls/stapling.ts';

/** A revision with everything that is compiled once for all threads. */
export type CompiledRevision = Revision & {
  readonly hats: Readonly<Record<string, CompiledHat>>;
  /** A listener's slot in the connection limits: the same in every revision, or its counts would become another's. */
  readonly slots: Readonly<Record<string, number>>;
};

export type ThreadStart = {
  readonly thread: string;
  readonly logFormat: 'text' | 'json';
  readonly dataDir: string;
  readonly queuePort: MessagePort;
  /** To the control thread's desk (`tls/desk.ts`). */
  readonly deskPort: MessagePort;
  /** SharedArrayBuffers of the id counters, of the messages under way and of the connection limits. */
  readonly ids: SharedArrayBuffer;
  readonly underWay: SharedArrayBuffer;
  readonly limits: SharedArrayBuffer;
  /** What an administrator has suspended (`core/suspension.ts`). */
  readonly suspension: SharedArrayBuffer;
  /** On which the thread answers what an administrator asks of it (`delivery/operations.ts`). */
  readonly operationsPort: MessagePort;
  /** The thread's lane in the connection limits and the messages under way: receive thread n has lane n. */
  readonly lane: number;
  readonly receiveThreads: number;
  /** Calls of the control thread's objects: the admin thread's only. */
  readonly calls?: MessagePort;
};

/** Requests are answered by a `reply` with the same id. */
export type ToThread =
  | { readonly type: 'prepare'; readonly id: number; readonly revision: CompiledRevision }
  | { readonly type: 'adopt'; readonly id: number; readonly number: number }
  | { readonly type: 'abandon'; readonly id: number; readonly number: number }
  | { readonly type: 'crls'; readonly id: number; readonly crls: CrlSet }
  | { readonly type: 'staples'; readonly id: number; readonly staples: Staples }
  | { readonly type: 'metrics'; readonly id: number }
  | { readonly type: 'stop'; readonly id: number; readonly deadlineMs: number };

export type FromThread =
  | { readonly type: 'log'; readonly text: string }
  /** Distribution points of certificates that sessions need or use; what comes of it arrives with `crls`. */
  | { readonly type: 'crl-points'; readonly requests: readonly PointRequest[] }
  | { readonly type: 'history'; readonly batch: HistoryBatch }
  | { readonly type: 'alerts'; readonly alerts: readonly RaisedAlert[] }
  | { readonly type: 'reply'; readonly id: number; readonly ok: true; readonly metrics?: MetricsSnapshot }
  | { readonly type: 'reply'; readonly id: number; readonly ok: false; readonly why: string };
