/**
 * The way of an alert: straight to a host that takes it, past work queue, delivery queue, bounce profiles and
 * destination controls, so that it leaves also when those are what it tells of. Hosts are those of `alerts.smtpHosts`,
 * else of the SMTP route of the recipient's domain, else its mail exchangers; with TLS where the host offers it. DNS
 * answers are kept for half an hour. AsyncOS: Alerts. On the delivery thread, which has what it takes; where that does
 * not answer, the control thread loads it for itself.
 * Effects: DNS, connections.
 */
import { randomInt } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { AlertMail, AlertSent } from '../core/alert.ts';
import { GatewayError, whyOf } from '../core/errors.ts';
import { NO_DCID, type Rid } from '../core/ids.ts';
import type { Clock, Dns } from '../core/ports.ts';
import { openBody } from '../delivery/body-source.io.ts';
import type { DestinationControl } from '../delivery/destination-control-table.ts';
import { createDns } from '../delivery/dns.io.ts';
import { HostMemory } from '../delivery/host-memory.ts';
import { type HopPorts, type HopSettings, hopSettings, openHop } from '../delivery/next-hop.io.ts';
import { decideOutcome, type Outcome } from '../delivery/outcome.ts';
import { OpenChannels } from '../delivery/peer-channel.io.ts';
import { compileRoutes, type RouteTable, routeOf } from '../delivery/smtp-routes.ts';
import { SILENT } from '../log/silent.ts';

const DNS_CACHE_MS = 30 * 60_000;
const CONNECT_TIMEOUT_MS = 30_000;
const REPLY_TIMEOUT_MS = 60_000;

/** Destination controls do not hold for alerts. */
const UNCONTROLLED: DestinationControl = {
  rule: 'alerts',
  tls: 'preferred',
  maxConnections: 1,
  maxMessagesPerConnection: 1,
  recipientLimit: undefined,
  byDomain: false,
};

export class AlertPath {
  readonly #settings: HopSettings;
  readonly #routes: RouteTable;
  readonly #dns: Dns;
  readonly #clock: Clock;
  readonly #channels = new OpenChannels();

  constructor(config: Config, clock: Clock) {
    const limits = {
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: REPLY_TIMEOUT_MS,
      dataTimeout: REPLY_TIMEOUT_MS,
    };
    const settings = hopSettings(config);
    this.#settings = { ...settings, limits: { ...settings.limits, ...limits } };
    const { smtpHosts } = config.alerts;
    this.#routes = compileRoutes(smtpHosts === undefined ? config.smtpRoutes : { ALL: smtpHosts });
    this.#dns = createDns({ servers: config.system.dnsServers, cacheMs: DNS_CACHE_MS });
    this.#clock = clock;
  }

  /** One attempt. Never rejects. */
  async send(mail: AlertMail): Promise<AlertSent> {
    try {
      return meaningOf(await this.#attempt(mail));
    } catch (error) {
      return { ok: false, why: whyOf(error), permanent: false };
    }
  }

  stop(): void {
    this.#channels.stop();
  }

  async #attempt({ from, to, text }: AlertMail): Promise<Outcome> {
    const route = routeOf(this.#routes, to);
    if (route.kind === 'discard') return refused('5.4.4', `${route.rule} discards mail for this address`);
    if (route.kind === 'impossible') return refused(route.status, route.why);
    // Whether a host was down a moment ago does not count: attempts are few.
    const ports: HopPorts = {
      dns: this.#dns,
      clock: this.#clock,
      channels: this.#channels,
      hosts: new HostMemory(),
      // Alerts have log lines of their own.
      log: SILENT,
      nextDcid: () => NO_DCID,
      random: () => randomInt(2 ** 32) / 2 ** 32,
    };
    const hop = await openHop({ domain: '', ...route, control: UNCONTROLLED }, false, this.#settings, ports);
    if ('outcome' in hop) return hop.outcome;
    const recipient = { rid: 0 as Rid, address: to };
    const message = {
      sender: from,
      recipients: [recipient],
      body: '7BIT',
      smtpUtf8: false,
      bytes: text.length,
    } as const;
    const [happening] = await hop.session.send(message, openBody({ kind: 'inline', bytes: text }, ''));
    void hop.session.quit();
    return happening === undefined ? refused('4.3.0', 'no recipient was tried') : decideOutcome(happening);
  }
}

/** The way of the configuration in force, made with its first alert. What is under way ends with a new one, and is tried again. */
export class AlertPaths {
  readonly #clock: Clock;
  #config: Config | undefined;
  #path: AlertPath | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  adopt(config: Config): void {
    this.stop();
    this.#config = config;
  }

  /** Rejects before the first configuration. */
  async send(mail: AlertMail): Promise<AlertSent> {
    if (this.#config === undefined) throw new GatewayError('closed', 'delivery has not begun yet');
    this.#path ??= new AlertPath(this.#config, this.#clock);
    return await this.#path.send(mail);
  }

  stop(): void {
    this.#path?.stop();
    this.#path = undefined;
  }
}

const refused = (status: string, why: string): Outcome => ({ kind: 'bounce', status, why, elsewhere: false });

function meaningOf(outcome: Outcome): AlertSent {
  if (outcome.kind === 'delivered') return { ok: true };
  return { ok: false, why: `${outcome.status} ${outcome.why}`, permanent: outcome.kind === 'bounce' };
}
