/**
 * Composition root: builds every effect of a running gateway and hands it to the stages; the only file that knows all.
 * The control thread runs this: configuration, revocation lists, the store, the log sink, metrics, the control socket.
 * It serves no mail itself. Effects: all.
 */
import fs from 'node:fs';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { claimAddress } from './accept/listener.io.ts';
import { Alerts } from './control/alerts.io.ts';
import { ConnectionLimits, createConnectionLimits } from './accept/connection-limits.ts';
import { type ControlSocket, openControlSocket } from './admin/control-socket.io.ts';
import {
  type ConfigurationHost,
  openConfiguration,
  type OpenedConfiguration,
  type RunningConfiguration,
} from './control/configuration.io.ts';
import type { RevisionInfo, Unconfirmed } from './config/configuration-store.ts';
import type { Config } from './config/schema.ts';
import { serveCalls } from './core/calls.io.ts';
import { giveBackStart } from './core/collect.io.ts';
import type { AlertMail, AlertSent } from './core/alert.ts';
import { GatewayError, whyOf } from './core/errors.ts';
import { CounterReset } from './log/counter-reset.ts';
import type { MailEvent, MailLog } from './log/mail-event.ts';
import { createMetrics, mergeSnapshots, type MetricsSnapshot, renderPrometheus } from './log/metrics.ts';
import { MetricsEndpoint } from './log/metrics-server.io.ts';
import { openMailLog } from './log/writer.io.ts';
import type { CompiledRevision } from './pipeline/thread-messages.ts';
import { ExemptionNotices } from './control/exemption-notices.io.ts';
import { HistoryKeeper } from './control/history-keeper.io.ts';
import { dropPrivileges } from './control/privileges.io.ts';
import { fromNextStart } from './control/next-start.ts';
import { type QueueStoreHandle, openQueueStore } from './queue/open-store.io.ts';
import { connectQueue } from './queue/queue-client.io.ts';
import { compileRevision } from './pipeline/compiled-revision.ts';
import { controlCalls } from './control/control-calls.io.ts';
import { RateWatch } from './control/rate-watch.io.ts';
import { SuspensionKeeper } from './control/suspension-keeper.io.ts';
import { systemClock } from './core/system-clock.io.ts';
import { Threads } from './threads.io.ts';
import { versionOfProgram } from './core/version.io.ts';
import { pointProfilesOf } from './tls/crl-points.ts';
import type { Staples } from './tls/stapling.ts';
import { CertificateDesk } from './tls/certificate-desk.io.ts';
import { OcspDisk } from './tls/ocsp-disk.io.ts';
import { ExpiryWatch } from './tls/expiry-watch.io.ts';
import { Stapler } from './tls/stapler.io.ts';
import { crlGauges } from './tls/crl-gauges.ts';
import { type CrlStore, openCrlStore } from './tls/crl-store.io.ts';

export type GatewayOptions = {
  /** Without it the configuration store in the data folder is the truth. */
  readonly configFile: string | undefined;
  /** The store's master key, where it is not in the data folder. */
  readonly keyFile?: string | undefined;
  readonly dataDir: string;
  readonly logFormat: 'text' | 'json';
  /** Where log lines go; called with whole lines. */
  readonly write: (text: string) => void;
  /** Called when the gateway cannot go on. */
  readonly onFatal: (why: string) => void;
};

export type StartResult =
  | { readonly ok: true; readonly gateway: Gateway }
  | { readonly ok: false; readonly faults: readonly string[] };

const STOP_MS = 9000;
const MAX_LISTENERS = 256;
const NO_ALERT = '';
const RELOAD_ALERT = { class: 'system', severity: 'critical', key: 'reload', count: 1 } as const;
const UNCHANGED = 'configuration not changed: the revision in force goes on';

/** Resolves when every listener accepts, or with the faults, a line each, when it cannot. */
export async function startGateway(options: GatewayOptions): Promise<StartResult> {
  const opened = await openConfiguration({ keyFile: undefined, ...options });
  if (!opened.ok) return opened;
  const gateway = new Gateway(options, opened);
  const why = await gateway.start().then(() => undefined, whyOf);
  if (why === undefined) return { ok: true, gateway };
  await gateway.stop();
  return { ok: false, faults: [`${opened.name}: ${why}`] };
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #metrics = createMetrics();
  readonly #log: MailLog & { flush(): void };
  readonly #slots = new Map<string, number>();
  readonly #startedMs = systemClock.now();
  /** Nothing is changed before everything is there. */
  readonly #started = Promise.withResolvers<void>();
  readonly #opened: OpenedConfiguration;
  #revision: CompiledRevision;
  #configuration: RunningConfiguration | undefined;
  #store: QueueStoreHandle | undefined;
  #threads: Threads | undefined;
  #suspensions: SuspensionKeeper | undefined;
  readonly #counterReset = new CounterReset();
  readonly #rates = new RateWatch(systemClock, () => this.#collect());
  #crls: CrlStore | undefined;
  #control: ControlSocket | undefined;
  readonly #desk: CertificateDesk;
  readonly #ocspDisk: OcspDisk;
  readonly #stapler: Stapler;
  readonly #endpoint = new MetricsEndpoint(async () => renderPrometheus(await this.#collect()));
  readonly #history: HistoryKeeper;
  readonly #exemptions: ExemptionNotices;
  readonly #expiry: ExpiryWatch;
  readonly #alerts: Alerts;

  constructor(options: GatewayOptions, opened: OpenedConfiguration) {
    this.#options = options;
    this.#opened = opened;
    this.#started.promise.catch(() => undefined);
    this.#revision = compileRevision(opened.revision, this.#slots);
    this.#log = openMailLog({
      format: options.logFormat,
      write: options.write,
      clock: systemClock,
      metrics: this.#metrics,
      onEvent: (event) => this.#alerts.see(event),
    });
    const common = { clock: systemClock, log: this.#log };
    const viaDelivery = async (mail: AlertMail): Promise<AlertSent> => {
      if (this.#threads === undefined) throw new GatewayError('closed', 'there are no threads');
      return this.#threads.delivery.sendAlert(mail);
    };
    this.#alerts = new Alerts({ ...common, version: versionOfProgram(), viaDelivery }, this.config);
    this.#history = new HistoryKeeper({ ...common, dataDir: options.dataDir });
    this.#history.keepMs = this.config.system.clientHistory;
    this.#exemptions = new ExemptionNotices(systemClock, this.#log);
    this.#expiry = new ExpiryWatch({ ...common, dataDir: options.dataDir });
    const authorities = (): readonly string[] => Object.values(this.#revision.material.authorities);
    const disk = new OcspDisk({ ...common, folder: path.join(options.dataDir, 'ocsp') });
    this.#ocspDisk = disk;
    this.#desk = new CertificateDesk({ ...common, authorities, disk });
    const publish = async (staples: Staples): Promise<void> => this.#threads?.publishStaples(staples);
    this.#stapler = new Stapler({ ...common, publish, disk });
  }

  get config(): Config {
    return this.#revision.config;
  }

  /** Opens everything in the order that makes `ready` true: store, lists, listeners; then gives up root. */
  async start(): Promise<void> {
    const { dataDir } = this.#options;
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o750 });
    for (const text of this.#opened.wentBack) this.#system('warning', text, 'went back at the start');
    for (const text of this.#opened.warnings) this.#system('warning', text);
    for (const address of addressesOf(this.config)) await claimAddress(address);
    this.#store = await openQueueStore({
      dataDir,
      log: this.#log,
      minFreeBytes: this.config.system.minFreeSpace,
      onDeath: (why) => this.#cannotGoOn(`the queue's thread has ended: ${why}`),
    });
    this.#suspensions = await SuspensionKeeper.open({
      queue: connectQueue(this.#store.connect()),
      listeners: MAX_LISTENERS,
      clock: systemClock,
      log: this.#log,
      metrics: this.#metrics,
      tell: () => this.#threads?.suspensionChanged(),
    });
    this.#suspensions.configure(this.#revision.slots);
    this.#threads = this.#openThreads(this.#store, this.#suspensions);
    this.#crls = openCrlStore({
      ...this.#crlInput(this.#revision),
      dataDir,
      clock: systemClock,
      log: this.#log,
      publish: (set) => {
        void this.#threads?.publish(set);
        this.#expiry.setLists(set.lists);
      },
    });
    await this.#crls.start();
    this.#configuration = this.#opened.serve(this.#host());
    await this.#threads.change(this.#revision);
    await this.#stapler.configure(this.config, this.#revision.material);
    await this.#openAdmin();
    dropPrivileges(this.config.system, dataDir, this.#log);
    this.#exemptions.watch(this.config);
    this.#expiry.setMaterial(this.#revision.material);
    this.#rates.start();
    this.#expiry.start();
    this.#alerts.start(dataDir);
    giveBackStart();
    this.#log.emit({ event: 'system', level: 'info', text: `Sallyport is ready: revision ${this.#revision.number}` });
    this.#log.flush();
    this.#started.resolve();
  }

  /** SIGHUP: reads the file, or the files that the committed configuration names, again. Faults change nothing. */
  async reload(): Promise<void> {
    const answer = await this.#configuration?.reload();
    if (answer === undefined || answer.ok) return;
    const { refusal } = answer;
    const lines = this.#opened.linesOf(refusal);
    for (const line of lines) this.#system('critical', line, NO_ALERT);
    const [why = refusal.why] = lines;
    this.#system('critical', refusal.kind === 'faults' ? UNCHANGED : `${UNCHANGED}: ${refusal.why}`, NO_ALERT);
    this.#alerts.raise([{ ...RELOAD_ALERT, text: `${UNCHANGED}: ${why}` }]);
  }

  #host(): ConfigurationHost {
    return {
      running: () => this.#revision,
      change: async (revision, warnings, record) => {
        await this.#started.promise;
        await this.#change(compileRevision(revision, this.#slots), warnings, record);
      },
      committed: (revision, unconfirmed) => this.#log.emit(commitEvent(revision, unconfirmed)),
      note: (level, text) => this.#system(level, text),
    };
  }

  /**
   * Rejects, and changes nothing, where a thread cannot build the revision, an address cannot be bound, or it cannot be
   * written down (`record`).
   */
  async #change(revision: CompiledRevision, warnings: readonly string[], record: () => void): Promise<void> {
    const held = new Set(addressesOf(this.config));
    for (const address of addressesOf(revision.config)) if (!held.has(address)) await claimAddress(address);
    const endpoint = await this.#endpoint.prepare(revision.config.system.metrics);
    let fetched: Promise<void> | undefined;
    try {
      await this.#threads?.change(revision, () => {
        record();
        this.#suspensions?.configure(revision.slots);
        // Before the revision is adopted: no session may be judged by its rules and the former sources.
        fetched = this.#crls?.reconfigure(this.#crlInput(revision));
      });
    } catch (error) {
      endpoint.abandon();
      throw error;
    }
    endpoint.adopt();
    const later = fromNextStart(this.config, revision.config);
    this.#revision = revision;
    void this.#stapler.configure(revision.config, revision.material);
    this.#store?.setMinFreeBytes(revision.config.system.minFreeSpace);
    this.#history.keepMs = revision.config.system.clientHistory;
    this.#exemptions.watch(revision.config);
    this.#expiry.setMaterial(revision.material);
    this.#alerts.configure(revision.config);
    for (const text of [...warnings, ...later]) this.#system('warning', text);
    this.#system('info', `configuration revision ${revision.number} in force`);
    await fetched;
  }

  /** Graceful stop: no new connections, idle sessions end, transactions finish; at most about 10 s. */
  async stop(): Promise<void> {
    this.#started.reject(new Error('the gateway is stopping'));
    this.#control?.close();
    this.#endpoint.close();
    if (this.#configuration === undefined) this.#opened.close();
    await this.#configuration?.close();
    this.#suspensions?.close();
    this.#rates.stop();
    this.#crls?.stop();
    this.#expiry.stop();
    this.#stapler.stop();
    this.#alerts.stop();
    await this.#threads?.stop(STOP_MS);
    this.#desk.stop();
    await Promise.all([this.#ocspDisk.settled(), this.#crls?.settled()]);
    await this.#store?.close();
    this.#history.close();
    this.#exemptions.stop();
    this.#system('info', 'Sallyport has stopped');
    this.#log.flush();
  }

  #openThreads(store: QueueStoreHandle, suspensions: SuspensionKeeper): Threads {
    const receiveThreads = receiveThreadCount(this.config);
    const limits = createConnectionLimits({ lanes: receiveThreads + 1, listeners: MAX_LISTENERS, addresses: 20_000 });
    return new Threads({
      receiveThreads,
      start: {
        logFormat: this.#options.logFormat,
        dataDir: this.#options.dataDir,
        ids: store.ids,
        underWay: store.underWay,
        limits,
        suspension: suspensions.flags.buffer,
        receiveThreads,
      },
      connectQueue: () => store.connect(),
      connectCalls: () => this.#connectCalls(receiveThreads, limits),
      connectDesk: () => this.#desk.connect(),
      clock: systemClock,
      log: this.#log,
      writeLog: this.#options.write,
      wantPoints: (requests) => this.#crls?.want(requests),
      keepHistory: (batch) => this.#history.keep(batch),
      raiseAlerts: this.#alerts.raise,
      onFatal: (why) => this.#cannotGoOn(why),
    });
  }

  /** The admin thread's end of a line on which the control thread's objects answer. */
  #connectCalls(receiveThreads: number, limits: SharedArrayBuffer): MessagePort {
    const [crls, configuration, suspensions] = [this.#crls, this.#configuration, this.#suspensions];
    const [store, threads] = [this.#store, this.#threads];
    if (crls === undefined || configuration === undefined || suspensions === undefined)
      throw new Error('the gateway is not ready yet');
    if (store === undefined || threads === undefined) throw new Error('the gateway is not ready yet');
    const { port1, port2 } = new MessageChannel();
    const calls = controlCalls({
      startedMs: this.#startedMs,
      receiveThreads,
      revision: () => this.#revision,
      limits: new ConnectionLimits(limits),
      metrics: () => this.#collect(),
      crls,
      configuration,
      suspensions,
      threads,
      ids: store.ids,
      rates: this.#rates,
      alerts: this.#alerts,
      counterReset: this.#counterReset,
      history: this.#history,
      clock: systemClock,
      log: this.#log,
    });
    serveCalls(port1, calls);
    return port2;
  }

  #crlInput({ config, material }: CompiledRevision) {
    return {
      settings: config.crl,
      authorities: Object.values(material.authorities),
      baseDir: this.#opened.baseDir,
      points: pointProfilesOf(config),
    };
  }

  async #openAdmin(): Promise<void> {
    this.#control = await openControlSocket(this.#options.dataDir, async () => this.#threads?.startAdmin());
    (await this.#endpoint.prepare(this.config.system.metrics)).adopt();
  }

  async #collect(): Promise<MetricsSnapshot> {
    return mergeSnapshots([
      this.#metrics.snapshot(),
      this.#expiry.metrics(),
      this.#alerts.metrics(),
      ...(this.#crls === undefined ? [] : [crlGauges(this.#crls.list())]),
      ...((await this.#threads?.metrics()) ?? []),
    ]);
  }

  /** Before the process ends, the alert that says so gets a moment to leave. */
  #cannotGoOn(why: string): void {
    this.#system('critical', `the gateway cannot go on: ${why}`);
    void this.#alerts.lastWords().then(() => this.#options.onFatal(why));
  }

  #system(level: 'info' | 'warning' | 'critical', text: string, topic?: string): void {
    this.#log.emit({ event: 'system', level, text, ...(topic === undefined ? {} : { topic }) });
  }
}

const addressesOf = (config: Config): string[] => Object.values(config.listeners).flatMap(({ address }) => address);

function commitEvent({ number, author, comment }: RevisionInfo, unconfirmed: Unconfirmed | undefined): MailEvent {
  const deadlineMs = unconfirmed?.deadlineMs;
  return {
    event: 'commit',
    revision: number,
    user: author,
    comment,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}

/** `auto` leaves one core to delivery, the store and the control thread. */
function receiveThreadCount(config: Config): number {
  const { receiveThreads } = config.system;
  return receiveThreads === 'auto' ? Math.min(8, Math.max(1, navigator.hardwareConcurrency - 1)) : receiveThreads;
}
