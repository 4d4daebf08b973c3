/**
 * Entry of the admin thread: the HTTP API with everything it needs, apart from the threads that serve mail and from the
 * control thread, which it asks over a line of calls. It takes revisions and revocation lists as they do. What needs
 * memory (zod, the routes, the accounts) is loaded with the first request.
 * Effects: sockets, the accounts' database, the queue, calls to the control thread.
 */
import fs from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import type { AdminSettings, MessageHeader } from './admin/api-context.ts';
import type { Answer } from './admin/api-response.ts';
import type { ControlCalls } from './admin/control-calls.ts';
import type { Explanations } from './admin/explanations.ts';
import { API_SOCKET, ADMIN_FOLDER, openFolder, socketPath } from './admin/control-socket.io.ts';
import { type ApiListener, listenOnSocket, listenWithTls, type TlsMaterial } from './admin/http-server.io.ts';
import { certificateDoor } from './admin-certificates.ts';
import { parseSocketAddress } from './accept/listener.io.ts';
import type { AdminConfig } from './config/schema.ts';
import type { Mid } from './core/ids.ts';
import { callsOver } from './core/calls.io.ts';
import { codeOf } from './core/errors.ts';
import { blockAround, parseCidr, parseIp, type IpRange } from './core/network.ts';
import { systemClock } from './core/system-clock.io.ts';
import { createMetrics } from './log/metrics.ts';
import { CrlSeeker } from './pipeline/crl-seeker.io.ts';
import { openThreadLog, serveControlThread, tellPoints, type ThreadHandlers } from './pipeline/thread-entry.io.ts';
import { versionOfProgram } from './core/version.io.ts';
import type { CompiledRevision, ThreadStart } from './pipeline/thread-messages.ts';
import { connectQueue } from './queue/queue-client.io.ts';
import { DEMONSTRATION } from './tls/demonstration-certificate.io.ts';
import { DeskLink } from './tls/desk-link.io.ts';
import type { CrlSet } from './tls/revocation.ts';

/** Of a message that an administrator looks at. */
const HEADER_BYTES = 32 * 1024;

/** What holds without `admin:`, where nobody but the local account can sign in. */
const WITHOUT_ADMIN: AdminSettings = {
  sessionIdle: 1_800_000,
  sessionLifetime: 43_200_000,
  maxFailedLogins: 5,
  lockTime: 900_000,
};

export async function startAdminThread(start: ThreadStart): Promise<void> {
  const thread = new AdminThread(start);
  serveControlThread(thread);
  await thread.openSocket();
}

type Prepared = {
  readonly revision: CompiledRevision;
  readonly tls: TlsMaterial | undefined;
  readonly added: readonly string[];
};

class AdminThread implements ThreadHandlers {
  readonly #start: ThreadStart;
  readonly #metrics = createMetrics();
  readonly #log: ReturnType<typeof openThreadLog>;
  readonly #control: ControlCalls;
  readonly #queue: ReturnType<typeof connectQueue>;
  readonly #prepared = new Map<number, Prepared>();
  readonly #listeners = new Map<string, ApiListener>();
  #socket: { close(): void } | undefined;
  #revision: CompiledRevision | undefined;
  readonly #crls = new CrlSeeker(tellPoints);
  #api: Promise<Answer> | undefined;
  #explanations: Promise<Explanations & { readonly close: () => void }> | undefined;
  #closeApi: () => void = () => undefined;
  #ready: () => void = () => undefined;
  /** The first revision is in force. */
  readonly #inForce = new Promise<void>((resolve) => {
    this.#ready = resolve;
  });

  constructor(start: ThreadStart) {
    const { calls } = start;
    if (calls === undefined) throw new Error('the admin thread has no line to the control thread');
    this.#start = start;
    this.#log = openThreadLog(start, this.#metrics);
    this.#control = callsOver<ControlCalls>(calls);
    this.#queue = connectQueue(start.queuePort);
  }

  async openSocket(): Promise<void> {
    const { dataDir } = this.#start;
    fs.mkdirSync(path.join(dataDir, ADMIN_FOLDER), { recursive: true, mode: 0o700 });
    fs.rmSync(path.join(dataDir, API_SOCKET), { force: true });
    this.#socket = await listenOnSocket(socketPath(openFolder(dataDir), API_SOCKET), () => this.#open());
  }

  async prepare(revision: CompiledRevision): Promise<void> {
    const { admin } = revision.config;
    if (admin === undefined) {
      this.#prepared.set(revision.number, { revision, tls: undefined, added: [] });
      return;
    }
    const tls = tlsMaterial(admin, revision);
    // Fails the revision, and not a session, where OpenSSL refuses the material.
    createSecureContext({
      cert: tls.certPem,
      key: tls.keyPem,
      ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
    });
    const added: string[] = [];
    try {
      for (const address of admin.address) {
        if (this.#listeners.has(address)) continue;
        this.#listeners.set(address, await this.#listen(address, tls));
        added.push(address);
      }
    } catch (error) {
      this.#close(added);
      throw error;
    }
    this.#prepared.set(revision.number, { revision, tls, added });
  }

  adopt(number: number): void {
    const next = this.#prepared.get(number);
    this.#prepared.clear();
    if (next === undefined) return;
    const { revision, tls } = next;
    const { admin } = revision.config;
    this.#revision = revision;
    const networks = admin?.accessList?.flatMap((text) => rangeOf(text) ?? []);
    const wanted = new Set(admin?.address);
    this.#close([...this.#listeners.keys()].filter((address) => !wanted.has(address)));
    for (const listener of this.#listeners.values()) {
      if (tls !== undefined) listener.renew(tls);
      listener.allow(networks);
    }
    this.#ready();
  }

  abandon(number: number): void {
    const prepared = this.#prepared.get(number);
    this.#prepared.delete(number);
    this.#close(prepared?.added ?? []);
  }

  crls(set: CrlSet): void {
    this.#crls.set = set;
  }

  staples(): void {
    // Listeners of mail alone are stapled.
  }

  metrics() {
    return this.#metrics.snapshot();
  }

  async stop(): Promise<void> {
    this.#close([...this.#listeners.keys()]);
    this.#socket?.close();
    this.#closeApi();
    (await this.#explanations)?.close();
    this.#log.flush();
  }

  #close(addresses: readonly string[]): void {
    for (const address of addresses) {
      this.#listeners.get(address)?.close();
      this.#listeners.delete(address);
    }
  }

  async #listen(address: string, tls: TlsMaterial): Promise<ApiListener> {
    try {
      return await listenWithTls(parseSocketAddress(address), tls, () => this.#open());
    } catch (error) {
      throw new Error(`admin: cannot listen on ${address}: ${codeOf(error) ?? String(error)}`, { cause: error });
    }
  }

  #open(): Promise<Answer> {
    this.#api ??= this.#build().catch((error: unknown) => {
      this.#api = undefined;
      throw error;
    });
    return this.#api;
  }

  async #build(): Promise<Answer> {
    await this.#inForce;
    const { openApi } = await import('./admin/open.io.ts');
    const opened = openApi({
      folder: path.join(this.#start.dataDir, ADMIN_FOLDER),
      version: versionOfProgram(),
      clock: systemClock,
      log: this.#log,
      control: this.#control,
      queue: this.#queue,
      messageHeader: (mid) => this.#messageHeader(mid),
      config: () => this.#inForceNow().config,
      settings: () => this.#inForceNow().config.admin ?? WITHOUT_ADMIN,
      origins: () => originsOf(this.#inForceNow()),
      certificates: () => this.#certificates(),
      explanations: () => this.#explain(),
    });
    this.#closeApi = opened.close;
    return opened.answer;
  }

  #explain(): Promise<Explanations> {
    const { dataDir, deskPort } = this.#start;
    this.#explanations ??= import('./explain/explanations.io.ts').then(({ explanationsOf }) =>
      explanationsOf({
        control: this.#control,
        running: () => this.#inForceNow(),
        crls: this.#crls,
        desk: new DeskLink(deskPort),
        dataDir,
        clock: systemClock,
      }),
    );
    return this.#explanations;
  }

  async #messageHeader(mid: Mid): Promise<MessageHeader | undefined> {
    const { openBody } = await import('./delivery/body-source.io.ts');
    const { headerFacts } = await import('./content/header.ts');
    try {
      const source = openBody(await this.#queue.readBody(mid), path.join(this.#start.dataDir, 'spool'));
      const head = await source.head(HEADER_BYTES);
      const end = head.indexOf('\r\n\r\n');
      const text = head.subarray(0, end < 0 ? head.length : end + 2).toString('utf8');
      const { subject } = headerFacts(head);
      return { text, ...(subject === undefined ? {} : { subject }) };
    } catch {
      return undefined;
    }
  }

  #inForceNow(): CompiledRevision {
    if (this.#revision === undefined) throw new Error('no revision is in force');
    return this.#revision;
  }

  /** Built once per revision. */
  #certificates() {
    const revision = this.#inForceNow();
    const known = doors.get(revision);
    if (known !== undefined) return known;
    const door = certificateDoor(revision.config, revision.material, systemClock, () => this.#crls.set);
    doors.set(revision, door);
    return door;
  }
}

const doors = new WeakMap<CompiledRevision, ReturnType<typeof certificateDoor>>();

function tlsMaterial(admin: AdminConfig, { config, material }: CompiledRevision): TlsMaterial {
  const pair = material.certificates[admin.certificate ?? DEMONSTRATION];
  if (pair === undefined) throw new Error('admin: there is no certificate');
  const { minVersion, maxVersion, ciphers } = config.ssl;
  const { clientCertificate } = admin;
  const authorities = clientCertificate?.trust.map((name) => material.authorities[name] ?? '');
  return { ...pair, minVersion, maxVersion, ciphers, authorities };
}

/** `https://HOSTNAME:PORT` where nothing else is configured; browsers leave the port 443 out. */
function originsOf({ config }: CompiledRevision): readonly string[] {
  const { admin, hostname } = config;
  if (admin === undefined) return [];
  return (
    admin.origins ??
    admin.address.map((address) => new URL(`https://${hostname}:${parseSocketAddress(address).port}`).origin)
  );
}

function rangeOf(text: string): IpRange | undefined {
  if (text.includes('/')) return parseCidr(text);
  const ip = parseIp(text);
  return ip === undefined ? undefined : blockAround(ip, ip.version === 4 ? 32 : 128);
}
