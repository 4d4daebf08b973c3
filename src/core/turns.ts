/** So many pieces of work at a time, so many waiting for their turn, and no more. Pure: what the work does is its own. */
export class Turns {
  readonly #mayWait: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** Without `mayWait` the caller bounds how many come. */
  constructor(limits: { readonly atOnce: number; readonly mayWait?: number }) {
    this.#free = limits.atOnce;
    this.#mayWait = limits.mayWait ?? Number.POSITIVE_INFINITY;
  }

  /** Undefined, and nothing is done, where too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    return this.#free === 0 && this.#waiting.length >= this.#mayWait ? undefined : this.take(work);
  }

  /** However many wait. */
  take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#do(work);
    }
    return new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    }).then(() => this.#do(work));
  }

  /** A place that becomes free goes to the next in line at once, so that nobody who comes meanwhile takes it as well. */
  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
