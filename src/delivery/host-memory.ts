/**
 * Which hosts were down a moment ago, so that ten thousand messages for a dead host do not each wait for a connection
 * time-out. The time a host is left alone doubles with each failure and follows the bounce profile: never longer than
 * half of the wait that the profile gives a message, so that every retry still meets a host that is asked.
 * Pure: time is handed in.
 */
import type { TlsSetting } from './destination-control-table.ts';
import type { HopAddress } from './mx.ts';
import type { Outcome } from './outcome.ts';

/** `tls`: what the destination asks. A host that is no good for one that requires TLS may do for another. */
export type AskedAddress = HopAddress & { readonly tls?: TlsSetting };

const MAX_HOSTS = 20_000;
const MAX_DOWN_MS = 10 * 60_000;

type Down = { readonly failures: number; readonly untilMs: number; readonly outcome: Outcome };

export class HostMemory {
  readonly #down = new Map<string, Down>();

  /** The hosts to try now, in their order; and, when none is left, what they said when they were last asked. */
  usable(
    addresses: readonly AskedAddress[],
    nowMs: number,
  ): { readonly try: AskedAddress[]; readonly down: Outcome[] } {
    const usable: AskedAddress[] = [];
    const down: Outcome[] = [];
    for (const address of addresses) {
      const known = this.#down.get(keyOf(address));
      if (known === undefined || known.untilMs <= nowMs) usable.push(address);
      else down.push(known.outcome);
    }
    return { try: usable, down };
  }

  /** Until when a host is left alone; undefined where it is asked. */
  downUntilMs(address: AskedAddress, nowMs: number): number | undefined {
    const untilMs = this.#down.get(keyOf(address))?.untilMs ?? nowMs;
    return untilMs > nowMs ? untilMs : undefined;
  }

  failed(
    address: AskedAddress,
    facts: { outcome: Outcome; nowMs: number; initialWaitMs: number; maxWaitMs: number },
  ): void {
    const key = keyOf(address);
    const failures = (this.#down.get(key)?.failures ?? 0) + 1;
    const waitMs =
      Math.min(facts.initialWaitMs * 2 ** Math.min(failures - 1, 20), facts.maxWaitMs, 2 * MAX_DOWN_MS) / 2;
    if (this.#down.size >= MAX_HOSTS) this.#down.clear();
    this.#down.set(key, { failures, untilMs: facts.nowMs + waitMs, outcome: facts.outcome });
  }

  worked(address: AskedAddress): void {
    this.#down.delete(keyOf(address));
  }

  /** Every host counts as not yet asked (`delivernow`). */
  forget(): void {
    this.#down.clear();
  }
}

const keyOf = ({ address, port, tls = 'preferred' }: AskedAddress): string => `${address} ${port} ${tls}`;
