/**
 * The delivery walk with a queue in memory and DNS answers of the test's own, and everything that it logged.
 * Effects: the walk's.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { configSchema } from '../../../src/config/schema.ts';
import type { Dcid, Icid, Mid, Rid } from '../../../src/core/ids.ts';
import type { Body, Dns, Envelope, NewMessage, Recipient } from '../../../src/core/ports.ts';
import { no } from '../../../src/core/verdict.ts';
import type { MailEvent } from '../../../src/log/mail-event.ts';
import { type Delivery, startDelivery } from '../../../src/pipeline/delivery.io.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';

const NO_DNS: Dns = {
  reverse: async () => no('test'),
  addresses: async () => no('test'),
  mx: async () => no('test'),
};

export type RigOptions = {
  readonly routes?: Record<string, string[]>;
  readonly delivery?: Record<string, unknown>;
  readonly destinationControls?: Record<string, unknown>;
  readonly noteRoute?: (rule: string) => void;
  readonly profile?: Record<string, unknown>;
  readonly dns?: Partial<Dns>;
  /** Messages queued before delivery starts. */
  readonly queue?: MemoryQueue;
};

export type Rig = {
  readonly queue: MemoryQueue;
  readonly delivery: Delivery;
  readonly log: MailEvent[];
  readonly spoolDir: string;
  send(message: MessageSketch): Promise<Mid>;
  events<E extends MailEvent['event']>(name: E): Extract<MailEvent, { event: E }>[];
};

export type MessageSketch = {
  readonly sender?: string;
  readonly to: readonly (string | Omit<Recipient, 'rid'>)[];
  readonly text?: string | Buffer;
  readonly body?: Body;
  readonly envelope?: Partial<Envelope>;
  readonly receivedMs?: number;
};

export const configOf = (options: RigOptions) =>
  configSchema.parse({
    hostname: 'gw.example.test',
    listeners: {
      in: { type: 'private', address: ['127.0.0.1:2525'], hat: [{ senderGroup: 'ALL', policy: 'RELAYED' }] },
    },
    smtpRoutes: options.routes ?? {},
    delivery: { connectTimeout: '60s', commandTimeout: '60s', dataTimeout: '60s', ...options.delivery },
    destinationControls: options.destinationControls ?? {},
    bounceProfiles: { default: { initialWait: '20ms', maxWait: '40ms', ...options.profile } },
  });

let lastMid = 0;

export function newMessage(sketch: MessageSketch): NewMessage {
  const text = Buffer.from(sketch.text ?? 'Subject: test\r\n\r\nhello\r\n');
  return {
    mid: ++lastMid as Mid,
    icid: 1 as Icid,
    receivedMs: sketch.receivedMs ?? Date.now(),
    envelope: {
      sender: sketch.sender ?? 'sender@example.org',
      recipients: sketch.to.map((to, rid) => ({ rid: rid as Rid, ...(typeof to === 'string' ? { address: to } : to) })),
      body: '7BIT',
      smtpUtf8: false,
      ...sketch.envelope,
    },
    body: sketch.body ?? { kind: 'inline', bytes: text },
    origin: { listener: 'in', remoteAddress: '127.0.0.1', senderGroup: 'ALL' },
  };
}

/** Stopped when the test ends. */
export function startRig(t: TestContext, options: RigOptions): Rig {
  const queue = options.queue ?? new MemoryQueue();
  const log: MailEvent[] = [];
  const spoolDir = mkdtempSync(join(tmpdir(), 'sallyport-spool-'));
  let dcid = 0;
  const delivery = startDelivery({
    queue,
    config: configOf(options),
    ...(options.noteRoute === undefined ? {} : { noteRoute: options.noteRoute }),
    spoolDir,
    dns: { ...NO_DNS, ...options.dns },
    clock: { now: () => Date.now() },
    random: () => 0.5,
    log: { emit: (event) => log.push(event) },
    nextDcid: () => ++dcid as Dcid,
    nextMid: () => ++lastMid as Mid,
  });
  t.after(() => delivery.stop(2_000));
  return {
    queue,
    delivery,
    log,
    spoolDir,
    async send(sketch) {
      const message = newMessage(sketch);
      await queue.accept(message);
      return message.mid;
    },
    events: <E extends MailEvent['event']>(name: E) =>
      log.filter((event): event is Extract<MailEvent, { event: E }> => event.event === name),
  };
}
