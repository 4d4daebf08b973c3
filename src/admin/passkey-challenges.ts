/**
 * Challenges that were given out and not yet answered: each for one purpose of one owner, used once, and for a short
 * time. They live in memory, bounded in all and per owner, so that who only asks for challenges pushes out his own.
 * WebAuthn Level 3 §13.4.3. Pure: time and random octets are handed in.
 */
export type Challenge = {
  /** Who may have only a few at a time: a session, or the address that signs in. */
  readonly owner: string;
  /** The account that is to be proved; undefined: whichever the passkey is of. */
  readonly account: string | undefined;
  readonly value: Uint8Array<ArrayBuffer>;
};

export const CHALLENGE_MS = 120_000;
const MAX_CHALLENGES = 2000;
const MAX_PER_OWNER = 10;

export class PasskeyChallenges {
  /** In the order of their ends. */
  readonly #open = new Map<string, Challenge & { readonly endsMs: number }>();

  add(id: string, challenge: Challenge, nowMs: number): void {
    this.#forgetOld(nowMs);
    this.#open.delete(id);
    const own = [...this.#open].filter(([, { owner }]) => owner === challenge.owner).map(([key]) => key);
    for (const key of own.slice(0, Math.max(0, own.length - MAX_PER_OWNER + 1))) this.#open.delete(key);
    if (this.#open.size >= MAX_CHALLENGES) {
      const [oldest = ''] = this.#open.keys();
      this.#open.delete(oldest);
    }
    this.#open.set(id, { ...challenge, endsMs: nowMs + CHALLENGE_MS });
  }

  /** The challenge, which is gone then whatever becomes of the answer. */
  take(id: string, nowMs: number): Challenge | undefined {
    this.#forgetOld(nowMs);
    const found = this.#open.get(id);
    this.#open.delete(id);
    return found;
  }

  #forgetOld(nowMs: number): void {
    for (const [id, { endsMs }] of this.#open) {
      if (endsMs > nowMs) break;
      this.#open.delete(id);
    }
  }
}
