/**
 * Parses and verifies a download: small ones at once, big ones in a transient worker thread.
 * Effects: worker_threads.
 */
import { Worker } from 'node:worker_threads';
import { type LoadedBundle, loadBundle } from './crl-issuer.ts';
import type { ParseRequest } from './crl-parse-worker.io.ts';
import { buildTrustStore, type TrustStore } from './trust-store.ts';

const INLINE_BYTES = 1024 * 1024;
const WORKER_TIMEOUT_MS = 120_000;
const WORKER_HEAP_MB = 1024;

export class CrlParser {
  readonly authorities: readonly string[];
  readonly #store: TrustStore;

  /** PEM of every `certificateAuthorities` file. */
  constructor(authorities: readonly string[]) {
    this.authorities = authorities;
    this.#store = buildTrustStore(authorities);
  }

  /** `bytes` has memory of its own, is overwritten or transferred, and must not be used afterwards. Never rejects. */
  async parse(request: Omit<ParseRequest, 'authorities'>): Promise<LoadedBundle> {
    if (request.bytes.length <= INLINE_BYTES) return loadBundle({ ...request, authorities: this.#store });
    return parseInWorker({ ...request, authorities: this.authorities });
  }
}

/**
 * Gives back the memory of a download whose lists are on disk now. At once, because a thread that has nothing to do
 * collects no garbage.
 */
export function releaseDownload({ lists, foreign }: LoadedBundle): void {
  for (const { der } of [...lists, ...foreign]) {
    const { buffer } = der;
    if (buffer instanceof ArrayBuffer && buffer.byteLength > INLINE_BYTES) buffer.transfer(0);
  }
}

function parseInWorker(request: ParseRequest): Promise<LoadedBundle> {
  const entry = new URL('./crl-parse-worker.io.ts', import.meta.url);
  return new Promise((resolve) => {
    const worker = new Worker(entry, {
      workerData: request,
      transferList: [request.bytes.buffer as ArrayBuffer],
      name: 'crl-parse',
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    });
    const finish = (bundle: LoadedBundle): void => {
      clearTimeout(timer);
      resolve(bundle);
      void worker.terminate();
    };
    const failed = (why: string): void => finish({ lists: [], foreign: [], faults: [why] });
    const timer = setTimeout(() => failed(`not parsed after ${WORKER_TIMEOUT_MS / 1000} s`), WORKER_TIMEOUT_MS);
    worker.once('message', finish);
    worker.once('error', (error: Error) => failed(`cannot be parsed: ${error.message}`));
    worker.once('exit', () => failed('cannot be parsed: the parser ended'));
  });
}
