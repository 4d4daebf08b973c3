/**
 * Where every worker thread begins: it loads a module and calls one of its exports with the argument it was given, so
 * that no module does anything by being imported. Effects: worker_threads.
 */
import { isMainThread, Worker, type WorkerOptions, workerData } from 'node:worker_threads';

type Room = { readonly module: string; readonly start: string; readonly argument: unknown };

const HERE = new URL(import.meta.url);

/** `start` is called with `argument` and may use parentPort. An exception in it ends the thread. */
export function openRoom(module: URL, start: string, argument: unknown, options: WorkerOptions = {}): Worker {
  const room: Room = { module: module.href, start, argument };
  return new Worker(HERE, { ...options, workerData: room });
}

const isRoom = (data: unknown): data is Room =>
  typeof data === 'object' && data !== null && 'module' in data && 'start' in data;

if (!isMainThread && isRoom(workerData)) {
  const { module, start, argument } = workerData;
  const exports = (await import(module)) as Record<string, (argument: unknown) => unknown>;
  const run = exports[start];
  if (run === undefined) throw new Error(`${module} has no ${start}`);
  await run(argument);
}
