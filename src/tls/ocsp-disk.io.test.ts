import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { MailEvent } from '../log/mail-event.ts';
import { OcspDisk } from './ocsp-disk.io.ts';
import type { KeptAnswer } from './ocsp-kept.ts';

const kept = (responder: string): KeptAnswer => ({
  responder,
  receivedMs: 1,
  nonce: 'absent',
  response: Uint8Array.of(1, 2, 3),
});

let parent: string;
let folder: string;
let nowMs: number;
let events: MailEvent[];
beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'sallyport-ocsp-'));
  folder = path.join(parent, 'ocsp');
  nowMs = 1_800_000_000_000;
  events = [];
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const open = (maxAnswers?: number): OcspDisk =>
  new OcspDisk({
    folder,
    clock: { now: () => nowMs },
    log: { emit: (event) => void events.push(event) },
    ...(maxAnswers === undefined ? {} : { maxAnswers }),
  });
const files = (): string[] => readdirSync(folder).sort();

test('what is saved is there for the next run, and a newer answer takes its place', async () => {
  const first = open();
  await first.save('a', nowMs + 1000, kept('one'));
  await first.save('b', nowMs + 1000, kept('two'));
  await first.save('a', nowMs + 2000, kept('three'));
  assert.equal(files().length, 2);
  const next = open();
  assert.equal((await next.read('a'))?.responder, 'three');
  assert.equal((await next.read('b'))?.responder, 'two');
  assert.equal(await next.read('c'), undefined);
  await next.remove('a');
  assert.equal(await next.read('a'), undefined);
  assert.equal(await open().read('a'), undefined);
  assert.deepEqual(events, []);
});

test('what has come to its end is not read, and is gone after the next start', async () => {
  const disk = open();
  await disk.save('a', nowMs + 1000, kept('one'));
  nowMs += 1000;
  assert.equal(await disk.read('a'), undefined);
  assert.equal(files().length, 1);
  assert.equal(await open().read('a'), undefined);
  assert.deepEqual(files(), []);
});

test('no more are kept than there may be: those that end soonest go', async () => {
  const disk = open(20);
  for (let i = 0; i < 50; i++) await disk.save(`${i}`, nowMs + 1000 + (i % 2 === 0 ? 0 : 10_000) + i, kept(`${i}`));
  assert.ok(files().length <= 20, `${files().length}`);
  assert.equal((await disk.read('49'))?.responder, '49');
  assert.equal(await disk.read('0'), undefined);
  assert.equal(
    await open(20)
      .read('49')
      .then((each) => each?.responder),
    '49',
  );
  await open(5).read('49');
  assert.ok(files().length <= 5, `${files().length}`);
});

test('files that are half written, cut off, of another name or too long are nothing', async () => {
  const disk = open();
  await disk.save('a', nowMs + 1000, kept('one'));
  const [name = ''] = files();
  const file = path.join(folder, name);
  const whole = readFileSync(file);
  writeFileSync(path.join(folder, `${name}.new`), whole.subarray(0, 10));
  writeFileSync(path.join(folder, 'README'), 'not ours');
  assert.equal((await open().read('a'))?.responder, 'one');
  assert.deepEqual(files(), ['README', name].sort());
  for (const content of [whole.subarray(0, 40), Buffer.alloc(0), Buffer.alloc(1_000_000, 0x20)]) {
    writeFileSync(file, content);
    assert.equal(await open().read('a'), undefined);
  }
});

test('a disk that refuses is told once, and costs the copy only', async () => {
  mkdirSync(parent, { recursive: true });
  writeFileSync(folder, 'a file where the folder should be');
  const disk = open();
  await disk.save('a', nowMs + 1000, kept('one'));
  await disk.save('b', nowMs + 1000, kept('two'));
  assert.equal(events.length, 1);
  assert.equal(await disk.read('a'), undefined);
  rmSync(folder);
  await disk.save('a', nowMs + 1000, kept('three'));
  assert.equal((await disk.read('a'))?.responder, 'three');
});
