/**
 * The transient thread that parses and verifies one big download, so that the control thread stays responsive. Tables
 * come back as shared memory, the download itself (the lists are views of it) goes back as it came: nothing is copied.
 * Effects: messages to its parent.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadBundle } from './crl-issuer.ts';
import { buildTrustStore } from './trust-store.ts';

export type ParseRequest = {
  readonly bytes: Uint8Array;
  readonly type: 'pem' | 'asn1';
  readonly authorities: readonly string[];
  readonly nowMs: number;
  readonly strangers: boolean;
};

function parse({ authorities, ...request }: ParseRequest): void {
  const bundle = loadBundle({ ...request, authorities: buildTrustStore(authorities) });
  parentPort?.postMessage(bundle, bundle.lists.length === 0 ? [] : [request.bytes.buffer as ArrayBuffer]);
}

parse(workerData as ParseRequest);
