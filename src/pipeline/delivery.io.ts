/**
 * Delivery, the third phase of AsyncOS: from "recipient is due" to delivered, retried or bounced. Each decision is a
 * function of `delivery/`: SMTP routes and jobs (`destination.ts`), who gets a connection (`destination-controls.ts`),
 * what a reply means (`outcome.ts`), what follows from it (`conclusion.ts`), the bounce (`bounce.ts`).
 * Nothing is settled before the next hop has answered, so a crash at any point means another attempt and no loss.
 * Effects: queue, DNS, connections, log, timers.
 */
import type { Config } from '../config/schema.ts';
import type { Dcid, Mid } from '../core/ids.ts';
import type { Clock, Dns, DueRecipient } from '../core/ports.ts';
import { expired } from '../delivery/conclusion.ts';
import { compileWays, groupDue, type HopRoute, type Job, type Way } from '../delivery/destination.ts';
import { DestinationControls } from '../delivery/destination-controls.ts';
import { Errands } from '../delivery/errands.io.ts';
import { HopStates, HostCounters } from '../delivery/host-counters.ts';
import { HostMemory } from '../delivery/host-memory.ts';
import { HostStatus } from '../delivery/host-status.io.ts';
import { type DeliveryQueue, Ledger } from '../delivery/ledger.io.ts';
import {
  type HopPorts,
  type HopSettings,
  hopSettings,
  hostFailed,
  type NoHop,
  type OpenHop,
  openHop,
} from '../delivery/next-hop.io.ts';
import type { DeliveryLoad } from '../delivery/operations.ts';
import type { Outcome } from '../delivery/outcome.ts';
import { OpenChannels } from '../delivery/peer-channel.io.ts';
import { RecipientLimits } from '../delivery/recipient-limits.ts';
import { sendJob } from '../delivery/send-job.io.ts';
import type { MailLog } from '../log/mail-event.ts';
import { decideAttempt, decideRetry } from '../queue/retry-schedule.ts';

export type DeliveryOptions = {
  readonly queue: DeliveryQueue;
  readonly config: Config;
  readonly spoolDir: string;
  readonly dns: Dns;
  readonly clock: Clock;
  /** 0 ≤ random() < 1. */
  readonly random: () => number;
  readonly log: MailLog;
  readonly nextDcid: () => Dcid;
  readonly nextMid: () => Mid;
  /** Told the SMTP route and the row of destination controls of every recipient that is tried. */
  readonly noteRoute?: (rule: string) => void;
  /** Whether an administrator has suspended delivery: nothing new is begun. */
  readonly suspended?: () => boolean;
};

export type Delivery = {
  /** Everything that is due now, also for hosts that were down a moment ago (`delivernow`). */
  kick(): void;
  /** A look at what is due. */
  wake(): void;
  /** Throws, and changes nothing, where the configuration cannot be used. */
  reconfigure(config: Config): void;
  /** `suspended` says something else now. What is under way ends by itself. */
  suspensionChanged(): void;
  /** Takes back what waits here for a connection; it stays leased and held. */
  withdraw(matches: (row: DueRecipient) => boolean): readonly DueRecipient[];
  readonly ledger: Ledger;
  readonly stopping: boolean;
  readonly load: DeliveryLoad;
  readonly hosts: HostStatus;
  /** Lets transactions finish for at most `deadlineMs` from now, gives everything else back to the queue. */
  stop(deadlineMs: number): Promise<void>;
};

export const OWNER = 'delivery';
/** Longer than a job may wait here plus the longest attempt, so that nobody else gets a recipient under a transaction. */
const LEASE_MS = 3 * 3_600_000;
const MAX_JOB_AGE_MS = 3_600_000;
const MAX_TRIES = 3;
const CLAIM_ROWS = 500;
/** Recipients in memory; with fewer, one slow next hop could hold up all others. */
const MAX_WAITING = 20_000;
const IDLE_SESSION_MS = 2_000;

/** What a configuration says to the walk, built once and exchanged whole. */
type InForce = {
  readonly settings: HopSettings;
  readonly wayOf: (address: string) => Way;
  readonly sendTlsRequiredAlert: boolean;
};

/** Throws where the configuration cannot be used. */
const inForce = (config: Config): InForce => ({
  settings: hopSettings(config),
  wayOf: compileWays(config),
  sendTlsRequiredAlert: config.destinationControls.sendTlsRequiredAlert,
});

export function startDelivery(options: DeliveryOptions): Delivery {
  return new DeliveryWalk(options);
}

class DeliveryWalk implements Delivery {
  readonly #on: DeliveryOptions;
  readonly #ports: HopPorts;
  readonly #controls: DestinationControls;
  readonly #errands: Errands;
  readonly ledger: Ledger;
  readonly #counters = new HostCounters();
  readonly #hops = new HopStates();
  readonly hosts: HostStatus;
  #inForce: InForce;
  readonly #recipientLimits = new RecipientLimits();

  constructor(options: DeliveryOptions) {
    const { dns, log, clock, random, nextDcid, config } = options;
    this.#on = options;
    this.#inForce = inForce(config);
    this.#controls = new DestinationControls(config.delivery);
    this.#ports = { dns, log, clock, random, nextDcid, hosts: new HostMemory(), channels: new OpenChannels() };
    this.#errands = new Errands({ log, clock, round: () => this.#claim() });
    this.ledger = new Ledger({
      ...options,
      counters: this.#counters,
      owner: OWNER,
      errands: this.#errands,
      settings: () => this.#inForce.settings,
      decideRetry,
    });
    this.hosts = new HostStatus({
      counters: this.#counters,
      states: this.#hops,
      controls: this.#controls,
      ports: this.#ports,
      wayOf: (address) => this.#inForce.wayOf(address),
      settings: () => this.#inForce.settings,
    });
    options.queue.onArrival?.(() => this.#errands.wake());
    this.#errands.wake();
  }

  wake(): void {
    this.#errands.wake();
  }

  kick(): void {
    this.#ports.hosts.forget();
    this.#recipientLimits.reset();
    this.#errands.wake();
  }

  reconfigure(config: Config): void {
    this.#inForce = inForce(config);
    this.#controls.limits = config.delivery;
    // What waits here has its way by the former configuration: it goes back, and is claimed by the new one.
    const waiting = this.#controls.drain().map((job) => this.ledger.release(job.rows));
    this.#errands.run(Promise.all(waiting).then(() => this.kick()));
  }

  suspensionChanged(): void {
    if (!this.#resting) this.#errands.wake();
    else for (const job of this.#controls.drain()) this.#errands.run(this.ledger.release(job.rows));
  }

  withdraw(matches: (row: DueRecipient) => boolean): readonly DueRecipient[] {
    return this.#controls.withdraw(matches);
  }

  get stopping(): boolean {
    return this.#errands.stopping;
  }

  get load(): DeliveryLoad {
    const { connections, waiting } = this.#controls;
    return { connections, waiting };
  }

  /** Nothing new is begun: the gateway is stopping, or delivery is suspended. */
  get #resting(): boolean {
    return this.#errands.stopping || this.#on.suspended?.() === true;
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#errands.stopRounds();
    for (const job of this.#controls.drain()) this.#errands.run(this.ledger.release(job.rows));
    await this.#errands.finished(deadlineMs * 0.8);
    this.ledger.giveUp();
    this.#ports.channels.stop();
    await this.#errands.finished(deadlineMs * 0.2);
  }

  /** Due recipients → routes → jobs. Answers when to look again; undefined = when something happens. */
  async #claim(): Promise<number | undefined> {
    const { queue, clock } = this.#on;
    while (!this.#resting) {
      if (this.#controls.waiting >= MAX_WAITING) return undefined;
      // Asked together: they travel together. An answer that is older than the claim only makes one round too many.
      const [rows, nextDueMs] = await Promise.all([
        queue.claim(OWNER, clock.now(), LEASE_MS, CLAIM_ROWS),
        queue.nextDueMs(),
      ]);
      const fresh = this.ledger.hold(rows);
      if (this.#resting) await this.ledger.release(fresh);
      else this.#admit(fresh);
      if (rows.length < CLAIM_ROWS) return nextDueMs;
    }
    return undefined;
  }

  #route(address: string): Way {
    const way = this.#inForce.wayOf(address);
    this.#on.noteRoute?.(way.rule);
    if ('control' in way) this.#on.noteRoute?.(way.control.rule);
    return way;
  }

  #admit(rows: readonly DueRecipient[]): void {
    const nowMs = this.#on.clock.now();
    const { profile } = this.#inForce.settings;
    const mayTry = (row: DueRecipient): boolean => decideAttempt(profile, { ...row, nowMs }).action === 'attempt';
    const late = rows.filter((row) => !mayTry(row));
    for (const group of Map.groupBy(late, ({ mid }) => mid).values())
      this.#errands.run(this.ledger.conclude(group.map(expired)));
    // SMTP routes.
    const due = groupDue(rows.filter(mayTry), (address) => this.#route(address), nowMs);
    for (const { rows: gone, rule } of due.discarded) this.#errands.run(this.ledger.discard(gone, rule));
    for (const { rows: lost, status, why } of due.impossible)
      this.#errands.run(
        this.ledger.conclude(lost.map((row) => ({ row, outcome: { kind: 'bounce', status, why, elsewhere: false } }))),
      );
    for (const job of due.jobs) this.#limit(job, nowMs);
    this.#dispatch();
  }

  /** Recipients above the destination's limit wait for its next period. */
  #limit(job: Job, nowMs: number): void {
    const { key, control, domain } = job.route;
    if (control.recipientLimit === undefined) {
      this.#controls.add(job);
      return;
    }
    const { granted, untilMs } = this.#recipientLimits.take(key, control.recipientLimit, job.rows.length, nowMs);
    if (granted > 0) this.#controls.add({ ...job, rows: job.rows.slice(0, granted) });
    if (granted < job.rows.length)
      this.#errands.run(this.ledger.postpone(job.rows.slice(granted), { untilMs, domain, rule: control.rule }));
  }

  /** Destination controls: as many connections as the limits allow. */
  #dispatch(): void {
    for (let route = this.#controls.start(); route !== undefined; route = this.#controls.start())
      this.#errands.run(this.#serve(route));
  }

  /** One connection: MX, hosts in order, TLS, then job after job. */
  async #serve(route: HopRoute): Promise<void> {
    const hop = await openHop(route, this.#controls.busy(route.key), this.#inForce.settings, this.#ports);
    if ('outcome' in hop) {
      const { outcome, dcid, host } = hop;
      if (outcome.kind !== 'delivered' && !this.#controls.busy(route.key))
        this.#hops.note(route.key, { state: 'down', atMs: this.#on.clock.now(), why: outcome.why });
      const jobs = this.#controls.failed(route.key);
      if (jobs.length > 0) this.#noteDown(route, hop);
      const all = jobs.map((job) =>
        this.ledger.conclude(
          job.rows.map((row) => ({ row, outcome })),
          { dcid, host },
        ),
      );
      await Promise.all(all);
    } else {
      this.#controls.established(route.key);
      this.#hops.note(route.key, { state: 'up', atMs: this.#on.clock.now() });
      const first = this.#nextJob(route, hop); // takes its job before others are asked to help
      this.#dispatch();
      try {
        for (let job = await first; job !== undefined; job = await this.#nextJob(route, hop))
          await this.#deliver(job, hop);
      } finally {
        this.#controls.ended(route.key);
        this.#on.log.emit({ event: 'dcid-close', dcid: hop.dcid });
        this.#errands.run(hop.session.quit());
      }
    }
    this.#dispatch();
    this.#errands.wake();
  }

  /** What somebody should look at: hosts of the administrator's own that are down, TLS that was required and not given. */
  #noteDown({ kind, rule, control, domain }: HopRoute, { outcome, withoutTls }: NoHop): void {
    if (outcome.kind !== 'retry' || this.#errands.stopping) return;
    if (withoutTls !== undefined) {
      const alert = this.#inForce.sendTlsRequiredAlert;
      this.#on.log.emit({ event: 'destination-without-tls', domain, rule: control.rule, why: withoutTls, alert });
    } else if (kind === 'hosts' && rule.startsWith('smtpRoutes.'))
      this.#on.log.emit({ event: 'route-down', route: rule, why: outcome.why });
  }

  async #nextJob({ key, control }: HopRoute, { session }: OpenHop): Promise<Job | undefined> {
    if (!session.usable || session.messages >= control.maxMessagesPerConnection) return undefined;
    const job = this.#controls.take(key);
    if (job !== undefined || this.#resting) return job;
    const rest = this.#controls.rest(key);
    const alive = await session.idle(IDLE_SESSION_MS, rest.work);
    rest.over();
    return alive ? this.#controls.take(key) : undefined;
  }

  /** One transaction, and what its replies mean for each recipient. */
  async #deliver(job: Job, hop: OpenHop): Promise<void> {
    const { queue, clock, log, spoolDir } = this.#on;
    const [first] = job.rows;
    if (first === undefined || clock.now() - job.claimedMs > MAX_JOB_AGE_MS) return this.ledger.release(job.rows);
    const { session, dcid, address } = hop;
    const { mid } = first;
    const fresh = session.messages === 0;
    log.emit({ event: 'delivery-start', dcid, mid, rids: job.rows.map(({ recipient }) => recipient.rid) });
    const ended = await sendJob(job, session, { readBody: () => queue.readBody(mid), spoolDir });
    // A session that ended before the message could matter: another host is next, or the same one where it was merely
    // tired of an old connection.
    const elsewhere = ended.filter(({ outcome }) => job.tries < MAX_TRIES && isElsewhere(outcome));
    if (elsewhere[0] !== undefined && fresh)
      hostFailed(address, elsewhere[0].outcome, this.#inForce.settings, this.#ports);
    if (elsewhere.length > 0) this.#again({ ...job, tries: job.tries + 1, rows: elsewhere.map(({ row }) => row) });
    const final = ended.filter((item) => !elsewhere.includes(item));
    await this.ledger.conclude(final, { dcid, host: address.host, dsnPassedOn: session.extensions.dsn });
  }

  #again(job: Job): void {
    if (this.#resting) this.#errands.run(this.ledger.release(job.rows));
    else this.#controls.add(job);
  }
}

const isElsewhere = (outcome: Outcome): boolean => outcome.kind !== 'delivered' && outcome.elsewhere;
