/**
 * How many connections there are now: per listener, and per listener and address, counted across all receive threads in
 * shared memory. AsyncOS "Max Concurrency" of a listener, "Max. Concurrent Connections From a Single IP" (to this listener).
 *
 * Each thread has a lane: its own counters and its own table of addresses, which only it changes; a count is the sum over
 * the lanes, taken and raised under one lock, so that limits are exact. When a thread dies the control thread clears its
 * lane, and what the thread had counted is forgotten with it. A table is open addressing with linear probing over keys of
 * listener and 16 address octets; a full one refuses instead of miscounting. Pure: a buffer is handed in.
 */
import { ipBytes, parseIp } from '../core/network.ts';

export type LimitsShape = {
  readonly lanes: number;
  readonly listeners: number;
  /** Distinct addresses per lane; at least as many as a thread may have connections. */
  readonly addresses: number;
};

type Key = { readonly words: readonly number[]; readonly home: number };

const LOCK = 0;
const LANES = 1;
const LISTENERS = 2;
const SLOTS = 3;
const HEADER = 4;
/** count, listener + 1, four words of the address. */
const SLOT_WORDS = 6;
const KEY_WORDS = 5;
const LOCK_WAIT_MS = 1;

/** 64 receive threads and lane 0; memory that is never touched costs nothing. */
const DEFAULT_SHAPE: LimitsShape = { lanes: 65, listeners: 256, addresses: 20_000 };

/** Memory for all threads; made once, by the control thread. */
export function createConnectionLimits({
  lanes,
  listeners,
  addresses,
}: LimitsShape = DEFAULT_SHAPE): SharedArrayBuffer {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, addresses)));
  const words = HEADER + lanes * (listeners + slots * SLOT_WORDS);
  const buffer = new SharedArrayBuffer(words * 4);
  new Int32Array(buffer).set([0, lanes, listeners, slots]);
  return buffer;
}

export class ConnectionLimits {
  readonly #words: Int32Array;
  readonly #lane: number;
  readonly #lanes: number;
  readonly #listeners: number;
  readonly #slots: number;

  /** Threads that share a lane share its table too; only clearing a dead thread's lane needs one lane each. */
  constructor(buffer: SharedArrayBuffer, lane = 0) {
    this.#words = new Int32Array(buffer);
    this.#lanes = this.#word(LANES);
    this.#listeners = this.#word(LISTENERS);
    this.#slots = this.#word(SLOTS);
    if (!(lane >= 0 && lane < this.#lanes)) throw new RangeError(`connection limits have no lane ${lane}`);
    this.#lane = lane;
  }

  /** Counts a connection to a listener in; `listener`: its limit is reached, and nothing is counted. */
  enterListener(listener: number, maxConcurrency: number): 'ok' | 'listener' {
    this.#checkListener(listener);
    return this.#locked(() => {
      if (this.#sumOfListener(listener) >= maxConcurrency) return 'listener';
      this.#add(this.#listenerAt(this.#lane, listener), 1);
      return 'ok';
    });
  }

  /** Counts a connection from an address in; `address`: the limit is reached, or nothing more can be counted. */
  enterAddress(listener: number, ip: string, maxPerAddress: number): 'ok' | 'address' {
    const key = this.#keyOf(listener, ip);
    return this.#locked(() => {
      if (this.#sumOfKey(key) >= maxPerAddress) return 'address';
      const slot = this.#find(this.#lane, key, true);
      if (slot < 0) return 'address';
      this.#words.set(key.words, slot + 1);
      this.#add(slot, 1);
      return 'ok';
    });
  }

  /** Undoes `enterListener` of the same lane. */
  leaveListener(listener: number): void {
    this.#checkListener(listener);
    this.#locked(() => this.#add(this.#listenerAt(this.#lane, listener), -1));
  }

  /** Undoes `enterAddress` of the same lane. */
  leaveAddress(listener: number, ip: string): void {
    const key = this.#keyOf(listener, ip);
    this.#locked(() => {
      const slot = this.#find(this.#lane, key, false);
      if (slot >= 0 && this.#add(slot, -1) === 0) this.#remove(this.#lane, slot);
    });
  }

  /** Undoes both. */
  leave(listener: number, ip: string): void {
    this.leaveAddress(listener, ip);
    this.leaveListener(listener);
  }

  connectionsTo(listener: number): number {
    this.#checkListener(listener);
    return this.#locked(() => this.#sumOfListener(listener));
  }

  connectionsFrom(listener: number, ip: string): number {
    const key = this.#keyOf(listener, ip);
    return this.#locked(() => this.#sumOfKey(key));
  }

  /** Forgets everything a dead thread had counted, and frees the lock if it died holding it. */
  clearLane(lane: number): void {
    if (Atomics.compareExchange(this.#words, LOCK, lane + 1, 0) === lane + 1) Atomics.notify(this.#words, LOCK);
    this.#locked(() => {
      const start = this.#laneAt(lane);
      this.#words.fill(0, start, start + this.#laneWords());
    });
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }

  /** Never below 0: a connection counted in before its lane was cleared may still be counted out. */
  #add(at: number, change: number): number {
    const count = Math.max(0, this.#word(at) + change);
    this.#words[at] = count;
    return count;
  }

  /** A thread holds the lock for less than a microsecond; the wait is for one that the scheduler stopped meanwhile. */
  #locked<T>(work: () => T): T {
    const me = this.#lane + 1;
    for (;;) {
      const holder = Atomics.compareExchange(this.#words, LOCK, 0, me);
      if (holder === 0) break;
      Atomics.wait(this.#words, LOCK, holder, LOCK_WAIT_MS);
    }
    try {
      return work();
    } finally {
      Atomics.store(this.#words, LOCK, 0);
      Atomics.notify(this.#words, LOCK, 1);
    }
  }

  #laneWords(): number {
    return this.#listeners + this.#slots * SLOT_WORDS;
  }
  #laneAt(lane: number): number {
    return HEADER + lane * this.#laneWords();
  }
  #listenerAt(lane: number, listener: number): number {
    return this.#laneAt(lane) + listener;
  }
  #slotAt(lane: number, index: number): number {
    return this.#laneAt(lane) + this.#listeners + (index & (this.#slots - 1)) * SLOT_WORDS;
  }

  #checkListener(listener: number): void {
    if (!(Number.isInteger(listener) && listener >= 0 && listener < this.#listeners)) {
      throw new RangeError(`connection limits have no listener ${listener}`);
    }
  }

  #keyOf(listener: number, ip: string): Key {
    this.#checkListener(listener);
    const parsed = parseIp(ip);
    // Whatever is no address shares one counter: it cannot be counted apart, and must not be free.
    const view = new DataView(parsed === undefined ? new ArrayBuffer(16) : ipBytes(parsed).buffer);
    const words = [listener + 1, view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12)];
    return { words, home: hash(words) };
  }

  #sumOfListener(listener: number): number {
    let sum = 0;
    for (let lane = 0; lane < this.#lanes; lane++) sum += this.#word(this.#listenerAt(lane, listener));
    return sum;
  }

  #sumOfKey(key: Key): number {
    let sum = 0;
    for (let lane = 0; lane < this.#lanes; lane++) {
      const slot = this.#find(lane, key, false);
      if (slot >= 0) sum += this.#word(slot);
    }
    return sum;
  }

  /** The slot of a key, or with `free` the slot where it may be written; -1 for none. */
  #find(lane: number, key: Key, free: boolean): number {
    for (let i = 0; i < this.#slots; i++) {
      const slot = this.#slotAt(lane, key.home + i);
      if (this.#word(slot) === 0) return free ? slot : -1;
      if (this.#holds(slot, key)) return slot;
    }
    return -1;
  }

  #holds(slot: number, key: Key): boolean {
    for (let i = 0; i < KEY_WORDS; i++) if (this.#words[slot + 1 + i] !== key.words[i]) return false;
    return true;
  }

  /** Moves later keys of the same run back, so that no search ends early at the hole. */
  #remove(lane: number, emptied: number): void {
    const mask = this.#slots - 1;
    const base = this.#slotAt(lane, 0);
    let hole = (emptied - base) / SLOT_WORDS;
    for (let i = (hole + 1) & mask; this.#word(this.#slotAt(lane, i)) !== 0; i = (i + 1) & mask) {
      const slot = this.#slotAt(lane, i);
      const home = hash(this.#words.subarray(slot + 1, slot + SLOT_WORDS)) & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      const target = this.#slotAt(lane, hole);
      this.#words.copyWithin(target, slot, slot + SLOT_WORDS);
      this.#words[slot] = 0; // the new hole, so that the walk ends there in a full table
      hole = i;
    }
    this.#words.fill(0, this.#slotAt(lane, hole), this.#slotAt(lane, hole) + SLOT_WORDS);
  }
}

/** Spreads keys that differ in a few low bits, as neighbouring addresses do. */
function hash(key: ArrayLike<number>): number {
  let h = 0x9e3779b9;
  for (let i = 0; i < key.length; i++) {
    h = Math.imul(h ^ (key[i] ?? 0), 0x85ebca6b);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
