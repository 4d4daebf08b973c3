/**
 * OCSP answers that outlive the process: a restart while responders are down locks nobody out who was let in before, and
 * lets nobody in who would not have been. Peer: `openssl ocsp`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../support/eventually.ts';
import { HOUR } from '../../support/ocsp-responder.ts';
import { type OcspGateway, OcspRig } from './ocsp-rig.ts';

const LET_IN = /^250 2\.1\.0/;
const REVOKED = /^554 5\.7\.1 client certificate revoked/;
const DEFERRED = /^454 4\.7\.0/;

let rig: OcspRig;
before(async () => {
  rig = await OcspRig.open();
});
beforeEach(async () => {
  await rig.responder.stop();
  await rig.responder.up();
  rig.responder.behaviour = HOUR;
  rig.responder.questions = 0;
});

const folderOf = ({ gateway }: OcspGateway): string => join(gateway.data, 'ocsp');
/** The answers on disk, once there are so many. */
const kept = (running: OcspGateway, count: number): Promise<string[]> =>
  eventually(() => {
    const files = namesIn(folderOf(running));
    assert.ok(files.length >= count, `${files.length} answers of ${count} on disk`);
    return files;
  });

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.ocsp'));
  } catch {
    return [];
  }
}

for (const [how, end] of [
  ['a stop', (running: OcspGateway) => running.stop()],
  ['kill -9', (running: OcspGateway) => running.gateway.kill()],
] as const)
  test(`after ${how}, with the responder down, answers are what they were under require`, async () => {
    const first = await rig.start({ nonce: 'require' });
    assert.match(await first.enter(rig.card('alice')), LET_IN);
    assert.match(await first.enter(rig.card('frank')), REVOKED);
    assert.equal((await kept(first, 2)).length, 2);
    await end(first);
    await rig.responder.down();
    const second = await first.again();
    assert.match(await second.enter(rig.card('alice')), LET_IN);
    assert.match(await second.enter(rig.card('frank')), REVOKED);
    // Nobody has asked about this one before.
    assert.match(await second.enter(rig.card('carol')), DEFERRED);
    const told = await second.gateway.event(({ event, serial }) => event === 'certificate-status' && serial === '1001');
    assert.equal(told['status'], 'good');
    assert.equal(told['responder'], rig.responder.url);
    await second.stop();
  });

test('with the responder up a kept answer is used without asking until maxAge, and then it is asked again', async () => {
  const first = await rig.start({});
  assert.match(await first.enter(rig.card('alice')), LET_IN);
  await kept(first, 1);
  await first.stop();
  const second = await first.again();
  assert.match(await second.enter(rig.card('alice')), LET_IN);
  assert.equal(rig.responder.questions, 1);
  await second.stop();

  const brief = await rig.start({ maxAge: '1s' });
  assert.match(await brief.enter(rig.card('alice')), LET_IN);
  await kept(brief, 1);
  await brief.stop();
  await wait(1000);
  rig.responder.index = { ...rig.responder.index, '1001': 'revoked' };
  const asking = await brief.again();
  assert.match(await asking.enter(rig.card('alice')), REVOKED);
  await asking.stop();
  // What the newer answer says is what is kept now.
  await rig.responder.down();
  const last = await asking.again();
  assert.match(await last.enter(rig.card('alice')), REVOKED);
  await last.stop();
  rig.responder.index = { ...rig.responder.index, '1001': 'good' };
});

test('an answer past its maxAge still counts until its nextUpdate while the responder is down, and not a moment longer', async () => {
  let endMs = 0;
  const single = (lifeMs: number) => (nowMs: number) => {
    endMs = Math.ceil(nowMs / 1000) * 1000 + lifeMs;
    return { thisUpdateMs: nowMs - 3_600_000, nextUpdateMs: endMs };
  };
  let second: OcspGateway;
  let answer: string;
  // The restart must be over while the answer lives: on a busy machine one that lives longer is needed.
  for (let lifeMs = 6000; ; lifeMs *= 3) {
    await rig.responder.stop();
    await rig.responder.up();
    rig.responder.behaviour = { kind: 'written', serial: '1001', single: single(lifeMs) };
    const first = await rig.start({ maxAge: '1s' });
    assert.match(await first.enter(rig.card('alice')), LET_IN);
    await kept(first, 1);
    await first.stop();
    await rig.responder.down();
    second = await first.again();
    answer = await second.enter(rig.card('alice'));
    await second.stop();
    if (Date.now() < endMs) break;
  }
  assert.match(answer, LET_IN);
  await wait(Math.max(0, endMs - Date.now()));
  const third = await second.again();
  assert.match(await third.enter(rig.card('alice')), DEFERRED);
  assert.deepEqual(namesIn(folderOf(third)), []);
  await third.stop();
});

test('an answer without nextUpdate is not kept, and neither is one that says unknown', async () => {
  rig.responder.behaviour = { kind: 'openssl' };
  const first = await rig.start({});
  assert.match(await first.enter(rig.card('alice')), LET_IN);
  rig.responder.behaviour = HOUR;
  assert.match(await first.enter(rig.card('bob')), /^554 5\.7\.1 /);
  assert.match(await first.enter(rig.card('carol')), LET_IN);
  // Carol's was the last one that was asked for.
  assert.equal((await kept(first, 1)).length, 1);
  await first.stop();
  await rig.responder.down();
  const second = await first.again();
  assert.match(await second.enter(rig.card('carol')), LET_IN);
  assert.match(await second.enter(rig.card('alice')), DEFERRED);
  await second.stop();
});

test('files that somebody has changed, exchanged or cut off let nobody in', async () => {
  const first = await rig.start({});
  assert.match(await first.enter(rig.card('alice')), LET_IN);
  assert.match(await first.enter(rig.card('frank')), REVOKED);
  const files = (await kept(first, 2)).map((name) => join(folderOf(first), name));
  const [one, two] = files as [string, string];
  await first.stop();
  await rig.responder.down();

  const contents = files.map((file) => readFileSync(file, 'utf8'));
  renameSync(one, `${one}.x`);
  renameSync(two, one);
  renameSync(`${one}.x`, two);
  const exchanged = await first.again();
  assert.match(await exchanged.enter(rig.card('alice')), DEFERRED);
  assert.match(await exchanged.enter(rig.card('frank')), DEFERRED);
  await exchanged.stop();

  const changes: readonly ((text: string) => string)[] = [
    (text) => {
      const { response, ...rest } = JSON.parse(text) as { response: string };
      const bytes = Buffer.from(response, 'base64');
      // Within what is signed.
      bytes[80] = (bytes[80] as number) ^ 1;
      return JSON.stringify({ ...rest, response: bytes.toString('base64') });
    },
    (text) => text.slice(0, text.length >> 1),
    () => '',
    () => '{"version":1,"responder":"x","receivedMs":1,"nonce":"absent","response":"MAMKAQA="}',
  ];
  for (const change of changes) {
    for (const [i, file] of files.entries()) writeFileSync(file, change(contents[i] as string));
    const changed = await first.again();
    assert.match(await changed.enter(rig.card('alice')), DEFERRED);
    assert.match(await changed.enter(rig.card('frank')), DEFERRED);
    await changed.stop();
  }
});
