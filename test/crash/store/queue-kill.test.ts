/**
 * kill -9 at any moment: after the restart every message whose `accept` had resolved is there, whole and with all its
 * recipients; nothing is there in part; no MID comes a second time.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openQueueStore } from '../../../src/queue/open-store.io.ts';
import { type QueueClient, connectQueue } from '../../../src/queue/queue-client.io.ts';
import { bodyBytes, mid, recordingLog, sha256 } from '../../contract/queue-messages.ts';
import { bodySizeOf } from './crash-bodies.ts';

const CHILD = path.join(import.meta.dirname, 'accepting-child.ts');
const ROUNDS = 16;

/** A small seeded generator (xorshift32), so that a failing run can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Promised = { readonly acknowledged: Set<number>; readonly ended: Set<number> };

/** Lets the child work for a moment, kills it, and adds what it had promised. Only whole lines count. */
async function killedRun(dataDir: string, afterMs: number, promised: Promised): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, dataDir, '0', 'mixed'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let text = '';
  const opened = new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('OPEN\n')) resolve();
    });
    child.once('exit', () => reject(new Error('the child ended before the store was open')));
  });
  await opened;
  await wait(afterMs);
  child.kill('SIGKILL');
  await closed;
  let acknowledged = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, number] = line.split(' ');
    if (word === 'END') promised.ended.add(Number(number));
    if (word !== 'ACK') continue;
    assert.ok(!promised.acknowledged.has(Number(number)), `MID ${number} was given twice`);
    promised.acknowledged.add(Number(number));
    acknowledged++;
  }
  return acknowledged;
}

async function bodyHash(queue: QueueClient, dataDir: string, ofMid: number): Promise<string> {
  const body = await queue.readBody(mid(ofMid));
  return sha256(body.kind === 'inline' ? body.bytes : readFileSync(path.join(dataDir, 'spool', body.file)));
}

/** Opens what the crash left and compares it with what was promised. */
async function inspect(dataDir: string, promised: Promised): Promise<void> {
  const log = recordingLog();
  const store = await openQueueStore({ dataDir, log });
  try {
    await compare(connectQueue(store.connect()), dataDir, promised);
    assert.ok(!log.events.some((event) => event.event === 'system' && event.level === 'critical'));
  } finally {
    await store.close();
  }
}

async function compare(queue: QueueClient, dataDir: string, { acknowledged, ended }: Promised): Promise<void> {
  const messages = await queue.listMessages({ limit: 1_000_000 });
  const present = new Set<number>(messages.map((message) => message.mid));
  for (const number of acknowledged) {
    assert.ok(present.has(number) || ended.has(number), `MID ${number} was acknowledged and is lost`);
  }
  for (const message of messages) {
    assert.equal(message.recipients.length, 2, `MID ${message.mid} has lost recipients`);
    const expected = sha256(bodyBytes(message.mid, bodySizeOf(message.mid)));
    assert.equal(await bodyHash(queue, dataDir, message.mid), expected, `MID ${message.mid} is not whole`);
  }
  const spooled = messages.filter((message) => message.size > 65_536).map((message) => `${message.mid}.eml`);
  assert.deepEqual(readdirSync(path.join(dataDir, 'spool')).sort(), spooled.sort());
}

test(`after kill -9 at ${ROUNDS} moments every acknowledged message is there and whole`, async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'sallyport-kill-'));
  const random = seeded(20261124);
  const promised: Promised = { acknowledged: new Set(), ended: new Set() };
  try {
    // On a slow machine more rounds are needed before much is promised.
    for (let round = 0; round < ROUNDS || promised.acknowledged.size <= ROUNDS; round++) {
      await killedRun(dataDir, Math.floor(random() * 120), promised);
      // Two crashes in a row happen too, so not every one is followed by a clean stop.
      if (round % 2 === 1) await inspect(dataDir, promised);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
