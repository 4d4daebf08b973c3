/**
 * What an administrator has suspended: receiving on all or some listeners, delivery, the work queue (AsyncOS: suspend,
 * suspendlistener, suspenddel, workqueue pause). `Standing` says who did it and since when; the flags are what receive
 * and delivery threads look at, in shared memory, for the price of one atomic load.
 * Pure: memory and time are handed in.
 */
export type Mark = { readonly sinceMs: number; readonly by: string; readonly reason?: string };

export type Standing = {
  /** Every listener, also one that a later configuration adds. */
  readonly everyListener?: Mark;
  readonly listeners: Readonly<Record<string, Mark>>;
  readonly delivery?: Mark;
  readonly workQueue?: Mark;
};

export const NOTHING_SUSPENDED: Standing = { listeners: {} };

export type WhichListeners = 'all' | readonly string[];

export const listenerMark = ({ everyListener, listeners }: Standing, name: string): Mark | undefined =>
  everyListener ?? (Object.hasOwn(listeners, name) ? listeners[name] : undefined);

export function suspendListeners(standing: Standing, which: WhichListeners, mark: Mark): Standing {
  if (which === 'all') return { ...standing, everyListener: standing.everyListener ?? mark };
  const marks = which.map((name): [string, Mark] => [name, listenerMark(standing, name) ?? mark]);
  return { ...standing, listeners: { ...standing.listeners, ...Object.fromEntries(marks) } };
}

/** `known`: every listener of the configuration; where all were suspended, the others stay so. */
export function resumeListeners(standing: Standing, which: WhichListeners, known: readonly string[]): Standing {
  const { everyListener, listeners, ...rest } = standing;
  if (which === 'all') return { ...rest, listeners: {} };
  const before: Record<string, Mark> =
    everyListener === undefined ? listeners : Object.fromEntries(known.map((name) => [name, everyListener]));
  return { ...rest, listeners: Object.fromEntries(Object.entries(before).filter(([name]) => !which.includes(name))) };
}

export function withDelivery(standing: Standing, mark: Mark | undefined): Standing {
  const { delivery: _, ...rest } = standing;
  return mark === undefined ? rest : { ...rest, delivery: mark };
}

/** As `status` says it: AsyncOS "System status". */
export function systemStatus(standing: Standing, listeners: readonly string[]): string {
  const suspended = listeners.filter((name) => listenerMark(standing, name) !== undefined);
  const { delivery, workQueue } = standing;
  const words: string[] = [];
  if (suspended.length > 0 && suspended.length === listeners.length)
    words.push(delivery === undefined ? 'Receiving suspended' : 'Offline (receiving and delivery suspended)');
  else if (suspended.length > 0) words.push(`Receiving suspended on ${suspended.join(', ')}`);
  if (delivery !== undefined && suspended.length !== listeners.length) words.push('Delivery suspended');
  if (workQueue !== undefined) words.push('Work queue paused');
  return words.length === 0 ? 'Online' : words.join('; ');
}

/** As `JSON.stringify` wrote it; the work queue's mark is kept apart, where the store looks for it. */
export function parseStanding(text: string | undefined): Standing {
  if (text === undefined) return NOTHING_SUSPENDED;
  const value = JSON.parse(text) as Partial<Standing>;
  const { everyListener, listeners = {}, delivery } = value;
  return {
    listeners,
    ...(everyListener === undefined ? {} : { everyListener }),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

const DELIVERY = 0;
const LISTENERS = 1;

export class SuspensionFlags {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  static create(listeners: number): SuspensionFlags {
    return new SuspensionFlags(new SharedArrayBuffer((LISTENERS + listeners) * Int32Array.BYTES_PER_ELEMENT));
  }

  get delivery(): boolean {
    return Atomics.load(this.#words, DELIVERY) === 1;
  }

  listener(slot: number): boolean {
    return Atomics.load(this.#words, LISTENERS + slot) === 1;
  }

  /** `slots`: where each listener of the configuration has its flag. */
  show(standing: Standing, slots: Readonly<Record<string, number>>): void {
    Atomics.store(this.#words, DELIVERY, standing.delivery === undefined ? 0 : 1);
    for (const [name, slot] of Object.entries(slots))
      Atomics.store(this.#words, LISTENERS + slot, listenerMark(standing, name) === undefined ? 0 : 1);
  }
}
