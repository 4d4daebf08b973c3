/**
 * Whether a message that has arrived waits for others, so that they share one commit: a flush to disk costs as much for
 * one message as for fifty. Who is alone never waits; where many messages are on their way, the first one waits until
 * half of them have arrived, and never longer than a few milliseconds. Each receive thread decides so for its own
 * messages, which then travel to the store together, and the store for those of all threads.
 * How many are on their way stands in shared memory: a lane for each thread, which only that thread changes.
 * Pure: memory is handed in.
 */

/** Added to the time from the final dot to 250 at most, once in the thread and once in the store. */
export const LONGEST_WAIT_MS = 10;
/** 64 receive threads, and lane 0 for those that receive nothing. */
const LANES = 65;

/** `waiting` messages have arrived, of `underWay` that have begun with MAIL and have no answer yet. */
export const awaitsCompany = (waiting: number, underWay: number): boolean => 2 * waiting < underWay;

/** Memory for all threads; made once. */
export const createUnderWay = (): SharedArrayBuffer => new SharedArrayBuffer(LANES * Int32Array.BYTES_PER_ELEMENT);

/** The messages of one thread that have begun and have no answer yet. */
export class UnderWay {
  readonly #lanes: Int32Array;
  readonly #lane: number;

  /** Counts from 0: what a thread that died had counted in this lane is forgotten. */
  constructor(memory: SharedArrayBuffer, lane: number) {
    this.#lanes = new Int32Array(memory);
    if (!(lane >= 0 && lane < this.#lanes.length)) throw new RangeError(`there is no lane ${lane}`);
    this.#lane = lane;
    Atomics.store(this.#lanes, lane, 0);
  }

  get count(): number {
    return Atomics.load(this.#lanes, this.#lane);
  }

  begin(): void {
    Atomics.add(this.#lanes, this.#lane, 1);
  }

  end(): void {
    Atomics.sub(this.#lanes, this.#lane, 1);
  }
}

/** Of all threads; 0 where only one has any: it has waited for its own already. */
export function underWayTogether(lanes: Int32Array): number {
  let threads = 0;
  let messages = 0;
  for (let lane = 0; lane < lanes.length; lane++) {
    const count = Atomics.load(lanes, lane);
    if (count > 0) threads++;
    messages += count;
  }
  return threads > 1 ? messages : 0;
}
