/**
 * What delivery knows of a recipient host, for `hoststatus` and `tophosts`: what was counted, whether its next hop was up,
 * how many connections there are, and where its mail would go now. Effects: DNS, where addresses are asked for.
 */
import type { DestinationControls } from './destination-controls.ts';
import type { Way } from './destination.ts';
import { emptyCounts, type HopStates, type HostCounters } from './host-counters.ts';
import { type HopPorts, type HopSettings, resolveHop } from './next-hop.io.ts';
import type { HostAddresses, HostDelivery } from './operations.ts';

export type HostStatusParts = {
  readonly counters: HostCounters;
  readonly states: HopStates;
  readonly controls: Pick<DestinationControls, 'load'>;
  readonly ports: Pick<HopPorts, 'dns' | 'random' | 'clock' | 'hosts'>;
  /** Of the configuration in force. */
  readonly wayOf: (address: string) => Way;
  readonly settings: () => Pick<HopSettings, 'hostname'>;
};

export class HostStatus {
  readonly #parts: HostStatusParts;

  constructor(parts: HostStatusParts) {
    this.#parts = parts;
  }

  /** Every recipient host that was met, and `also`. */
  all(also: readonly string[]): HostDelivery[] {
    const met = new Set([...this.#parts.counters.all()].map(({ host }) => host));
    return [...met.union(new Set(also))].map((host) => this.of(host));
  }

  of(host: string): HostDelivery {
    const { counters, states, controls } = this.#parts;
    const way = this.#wayTo(host);
    const key = 'key' in way ? way.key : '';
    const { connecting, established } = controls.load(key);
    return {
      counts: counters.get(host) ?? emptyCounts(host),
      rule: way.rule,
      state: states.get(key),
      connections: { connecting, established },
    };
  }

  async addresses(host: string): Promise<HostAddresses> {
    const { ports, settings } = this.#parts;
    const way = this.#wayTo(host);
    if (way.kind === 'discard') return { kind: 'none', why: `SMTP route ${way.rule} is /dev/null` };
    if (way.kind === 'impossible') return { kind: 'none', why: way.why };
    const plan = await resolveHop(way, settings(), ports);
    if (plan.kind !== 'addresses') return { kind: 'none', why: plan.why };
    const nowMs = ports.clock.now();
    const addresses = plan.addresses.map((address) => {
      const downUntilMs = ports.hosts.downUntilMs({ ...address, tls: way.control.tls }, nowMs);
      return { ...address, ...(downUntilMs === undefined ? {} : { downUntilMs }) };
    });
    return { kind: 'addresses', addresses };
  }

  #wayTo(host: string): Way {
    return this.#parts.wayOf(`@${host}`);
  }
}
