/**
 * Asks for a collection of garbage where something big was given up: a thread that has nothing to do collects none, and
 * memory shared between threads is free only when each of them has. Needs Node's --expose-gc (bin/sallyport gives it);
 * without it the memory comes back with the next mail. Effects: the collector, a timer.
 */
import { getHeapStatistics } from 'node:v8';

const SOON_MS = 2000;
/** A bigger heap belongs to a busy thread: it collects by itself, and a full collection would hold its sessions up. */
const MAX_HEAP_BYTES = 64 * 1024 * 1024;

/**
 * What a thread does once, when it has started: loading and compiling let its young generation grow, and only this kind of
 * collection makes it small again. 15 MB for all threads of a gateway, 30 ms each, before anybody is connected.
 */
export function giveBackStart(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

let timer: NodeJS.Timeout | undefined;

/** Two seconds from now, however often it is asked until then. Does nothing in a busy thread. */
export function collectSoon(): void {
  timer ??= setTimeout(collect, SOON_MS).unref();
}

function collect(): void {
  timer = undefined;
  if (getHeapStatistics().used_heap_size > MAX_HEAP_BYTES) return;
  void globalThis.gc?.({ type: 'major', execution: 'async' });
}
