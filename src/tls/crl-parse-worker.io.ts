/**
 * The transient thread that parses and verifies one big download, so that the control thread stays responsive. Tables
 * come back as shared memory, the download itself (the lists are views of it) goes back as it came: nothing is copied.
 * Effects: messages to its parent, its own priority.
 */
import os from 'node:os';
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

/** Where processors are scarce, sessions come first. */
const PRIORITY = 10;

/** On Linux this is the priority of the calling thread alone; elsewhere it would be that of the whole process. */
function stepBack(): void {
  if (process.platform === 'linux') os.setPriority(0, PRIORITY);
}

function parse({ authorities, ...request }: ParseRequest): void {
  const bundle = loadBundle({ ...request, authorities: buildTrustStore(authorities) });
  parentPort?.postMessage(
    bundle,
    bundle.lists.length + bundle.foreign.length === 0 ? [] : [request.bytes.buffer as ArrayBuffer],
  );
}

stepBack();
parse(workerData as ParseRequest);
