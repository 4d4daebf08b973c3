/**
 * What a door is built of where nobody connects to it: `trace`, a dry run and `cert verify` judge by the same doors as
 * live sessions, make no handshake, and keep nothing. Effects: a desk of its own where none is given.
 */
import { compileRevision } from '../pipeline/compiled-revision.ts';
import type { CompiledRevision } from '../pipeline/thread-messages.ts';
import type { DoorParts } from '../pipeline/doors.io.ts';
import type { Revision } from '../config/schema.ts';
import { CertificateDesk } from '../tls/certificate-desk.io.ts';
import type { AskDesk } from '../tls/desk.ts';

/** Whom the questions go to, and how: what a live session has from its thread. */
export type OfflineParts = Pick<DoorParts, 'clock' | 'log' | 'crls'> & {
  /** Whom to ask about certificates; undefined: a desk of its own. */
  readonly desk?: AskDesk | undefined;
};

type OfflineDesk = { readonly desk: AskDesk; readonly stop: () => void };

/** The desk that is given, or one for these questions alone, which trusts what the revision trusts. */
export function offlineDesk({ material }: Revision, { desk, clock, log }: Omit<OfflineParts, 'crls'>): OfflineDesk {
  if (desk !== undefined) return { desk, stop: () => undefined };
  const own = new CertificateDesk({ clock, log, authorities: () => Object.values(material.authorities) });
  return { desk: own, stop: () => own.stop() };
}

/** For `Doors` and `openProfileStages`. `ldapTrace` sees every stage of each query, and nothing is cached. */
export const offlineDoorParts = (
  { clock, log, crls, desk }: OfflineParts & { readonly desk: AskDesk },
  ldapTrace: NonNullable<DoorParts['ldapTrace']>,
): DoorParts => ({ clock, log, crls, desk, ldapTrace, staples: () => ({}), receiveThreads: 1 });

/** Without the counters that live connections share. */
export const compileOffline = (revision: Revision): CompiledRevision => compileRevision(revision, new Map());
