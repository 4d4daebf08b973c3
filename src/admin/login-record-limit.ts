/**
 * How many failed logins are worth an entry of their own in the audit record, which never forgets: a thousand at once and
 * then one each second, whoever tries. Beyond that they are refused all the same and counted; the next entry says how many
 * there were, so that a flood from many addresses can neither fill the disk nor hide. Pure: time is handed in.
 */
const AT_ONCE = 1000;
const EVERY_MS = 1000;

export class LoginRecordLimit {
  #left = AT_ONCE;
  #lastMs: number | undefined;
  #passedOver = 0;

  /** Undefined: no entry for this one. Else how many had none since the last entry. */
  next(nowMs: number): number | undefined {
    const elapsedMs = Math.max(0, nowMs - (this.#lastMs ?? nowMs));
    this.#left = Math.min(AT_ONCE, this.#left + elapsedMs / EVERY_MS);
    this.#lastMs = nowMs;
    if (this.#left < 1) {
      this.#passedOver++;
      return undefined;
    }
    this.#left--;
    const passedOver = this.#passedOver;
    this.#passedOver = 0;
    return passedOver;
  }
}
