/**
 * Where every worker thread begins: it loads a module and calls one of its exports with the argument it was given, so
 * that no module does anything by being imported. Effects: worker_threads.
 */
import { isMainThread, Worker, type WorkerOptions, workerData } from 'node:worker_threads';

type Beginning = { readonly module: string; readonly start: string; readonly argument: unknown };

const HERE = new URL(import.meta.url);

/** `start` is called with `argument` and may use parentPort. An exception in it ends the thread. */
export function startWorkerThread(module: URL, start: string, argument: unknown, options: WorkerOptions = {}): Worker {
  const beginning: Beginning = { module: module.href, start, argument };
  return new Worker(HERE, { ...options, workerData: beginning });
}

const isBeginning = (data: unknown): data is Beginning =>
  typeof data === 'object' && data !== null && 'module' in data && 'start' in data;

if (!isMainThread && isBeginning(workerData)) {
  const { module, start, argument } = workerData;
  const exports = (await import(module)) as Record<string, (argument: unknown) => unknown>;
  const run = exports[start];
  if (run === undefined) throw new Error(`${module} has no ${start}`);
  await run(argument);
}
