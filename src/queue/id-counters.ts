/**
 * The process-wide counters behind ICID, MID and DCID (AsyncOS: injection, message and delivery connection IDs).
 * All threads share one piece of memory and count with atomic operations. The store remembers how far they may have
 * got, in blocks, so that no number comes back after a restart or a crash.
 * Pure: memory is handed in.
 */
import type { Dcid, Icid, Mid } from '../core/ids.ts';

export type CounterName = 'icid' | 'mid' | 'dcid';
export type CounterValues = Readonly<Record<CounterName, number>>;
type CounterIds = { icid: Icid; mid: Mid; dcid: Dcid };

export const COUNTER_NAMES: readonly CounterName[] = ['icid', 'mid', 'dcid'];
/** How many numbers of each kind the store sets aside at a time. After a crash the rest of a block is lost. */
export const COUNTER_BLOCK = 1_000_000;

const SLOT: Readonly<Record<CounterName, number>> = { icid: 0, mid: 1, dcid: 2 };

/** `next` is the first number that each counter gives. */
export function createCounters(next: CounterValues): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(COUNTER_NAMES.length * BigInt64Array.BYTES_PER_ELEMENT);
  const slots = new BigInt64Array(shared);
  for (const name of COUNTER_NAMES) slots[SLOT[name]] = BigInt(next[name]);
  return shared;
}

/** The next number of its kind, never given before. Numbers stay below 2^53 for any lifetime of a gateway. */
export function nextId<N extends CounterName>(shared: SharedArrayBuffer, name: N): CounterIds[N] {
  return Number(Atomics.add(new BigInt64Array(shared), SLOT[name], 1n)) as CounterIds[N];
}

/** The number that each counter would give next. */
export function peekCounters(shared: SharedArrayBuffer): CounterValues {
  const slots = new BigInt64Array(shared);
  const peek = (name: CounterName): number => Number(Atomics.load(slots, SLOT[name]));
  return { icid: peek('icid'), mid: peek('mid'), dcid: peek('dcid') };
}

/** The limits to remember now, or undefined while every counter has more than half a block left. */
export function nextReservation(current: CounterValues, reserved: CounterValues): CounterValues | undefined {
  if (COUNTER_NAMES.every((name) => reserved[name] - current[name] > COUNTER_BLOCK / 2)) return undefined;
  return {
    icid: current.icid + COUNTER_BLOCK,
    mid: current.mid + COUNTER_BLOCK,
    dcid: current.dcid + COUNTER_BLOCK,
  };
}
