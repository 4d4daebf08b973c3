/**
 * The transient thread that parses and verifies one big download, so that the control thread stays responsive. Tables
 * come back as shared memory, the DER of each list as its own transferred buffer. Effects: messages to its parent.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LoadedBundle, loadBundle } from './crl-issuer.ts';
import { buildTrustStore } from './trust-store.ts';

export type ParseRequest = {
  readonly bytes: Uint8Array;
  readonly type: 'pem' | 'asn1';
  readonly authorities: readonly string[];
  readonly nowMs: number;
  readonly strangers: boolean;
};

function parse({ authorities, ...request }: ParseRequest): void {
  const { lists, foreign, faults } = loadBundle({ ...request, authorities: buildTrustStore(authorities) });
  const owned = lists.map(({ crl, der }) => ({ crl, der: Uint8Array.from(der) }));
  const bundle: LoadedBundle = { lists: owned, foreign, faults };
  parentPort?.postMessage(
    bundle,
    owned.map(({ der }) => der.buffer),
  );
}

parse(workerData as ParseRequest);
