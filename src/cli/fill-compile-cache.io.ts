/**
 * Run by bin/sallyport at the first start: loads every module that a thread of the gateway will load, so that Node's
 * compile cache (NODE_COMPILE_CACHE) holds them stripped and compiled. Effects: the cache folder.
 */
import { flushCompileCache } from 'node:module';

const ENTRIES = [
  './run.io.ts',
  './quickstart.io.ts',
  '../control/revision.io.ts',
  '../core/worker-thread.io.ts',
  '../queue/store-worker.io.ts',
  '../pipeline/receive-thread.io.ts',
  '../pipeline/delivery-thread.io.ts',
  '../admin-thread.io.ts',
  '../admin/open.io.ts',
];

export async function fillCompileCache(): Promise<number> {
  for (const entry of ENTRIES) await import(new URL(entry, import.meta.url).href);
  flushCompileCache();
  return 0;
}
