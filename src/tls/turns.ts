/** So many pieces of work at a time, so many waiting for their turn, and no more. Pure: what the work does is its own. */
export class Turns {
  readonly #atOnce: number;
  readonly #mayWait: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly atOnce: number; readonly mayWait: number }) {
    this.#atOnce = limits.atOnce;
    this.#mayWait = limits.mayWait;
  }

  /** Undefined, and nothing is done, where too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#atOnce) return this.#start(work);
    if (this.#waiting.length >= this.#mayWait) return undefined;
    return new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    }).then(() => this.#start(work));
  }

  async #start<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
