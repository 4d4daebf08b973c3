/**
 * Who may connect to the API at all, and how often at a time: decided before a handshake costs anything. An IPv6 address
 * counts with its /64, because one machine has all of that. Pure: state in memory, bounded by the open connections.
 */
import { type IpRange, inRange, parseIp } from '../core/network.ts';
import { addressKey } from './login-throttle.ts';

const MAX_PER_ADDRESS = 32;

export class ConnectionGate {
  /** Networks that may connect; undefined: every one. */
  networks: readonly IpRange[] | undefined;
  readonly #open = new Map<string, number>();

  /** What to call when the connection is closed; undefined where it may not be opened. */
  enter(address: string): (() => void) | undefined {
    const key = addressKey(address);
    const count = this.#open.get(key) ?? 0;
    if (!this.#allowed(address) || count >= MAX_PER_ADDRESS) return undefined;
    this.#open.set(key, count + 1);
    return () => {
      const rest = (this.#open.get(key) ?? 1) - 1;
      if (rest > 0) this.#open.set(key, rest);
      else this.#open.delete(key);
    };
  }

  #allowed(address: string): boolean {
    if (this.networks === undefined) return true;
    const ip = parseIp(address);
    return ip !== undefined && this.networks.some((network) => inRange(network, ip));
  }
}
