/**
 * OCSP through the running gateway, against a responder whose answers `openssl ocsp` makes: what each answer, and each
 * way of giving none, does to the session, in the words that the client reads.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Credentials } from '../../support/certificate-authority.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import type { LogEvent, Refusal } from '../../support/gateway.ts';
import { HOUR, type OcspBehaviour } from '../../support/ocsp-responder.ts';
import { Program } from '../../support/program.ts';
import { OcspRig } from './ocsp-rig.ts';

const LET_IN = /^250 2\.1\.0/;
const REVOKED = /^554 5\.7\.1 client certificate revoked/;
const NO_ANSWER = 'client certificate cannot be checked for revocation: no OCSP answer';
const REFUSED = new RegExp(`^554 5\\.7\\.1 ${NO_ANSWER}`);
const DEFERRED = /^454 4\.7\.0/;
const NO_LIST = /^554 5\.7\.1 client certificate cannot be checked for revocation: no revocation list/;

let rig: OcspRig;
before(async () => {
  rig = await OcspRig.open();
});

/** Every test begins with a responder that answers well. */
const asked = (behaviour: OcspBehaviour = HOUR): void => {
  rig.responder.behaviour = behaviour;
  rig.responder.questions = 0;
};

test('a good answer lets in, a revoked one refuses, and the log names responder, answer and signer', async () => {
  asked();
  const running = await rig.start({});
  const { gateway } = running;
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.match(await running.enter(rig.card('frank')), REVOKED);
  const rule = await running.refusalRule();
  assert.ok(rule.endsWith(`smtpAuthProfiles.cac0.ocsp: ${rig.responder.url}`), rule);
  const status = await gateway.event(({ event, serial }) => event === 'certificate-status' && serial === '1001');
  assert.equal(status['status'], 'good');
  assert.equal(status['responder'], rig.responder.url);
  assert.match(String(status['signer']), /Test Card Issuing CA/);
  const answer = await gateway.event((event) => event.event === 'ocsp-answer' && event['status'] === 'revoked');
  assert.equal((answer['certificate'] as { serial: string }).serial, '1006');
  await running.stop();
});

test('an answer stands in for the list of the issuer, and is asked for once', async () => {
  asked();
  const running = await rig.start({ mode: 'prefer' });
  for (let i = 0; i < 5; i++) assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.equal(rig.responder.questions, 1);
  await running.stop();
});

test('sessions that come at the same time share one question', async () => {
  asked();
  const running = await rig.start({}, (config) => ({ ...config, system: { receiveThreads: 2 } }));
  const replies = await Promise.all(Array.from({ length: 10 }, () => running.enter(rig.card('alice'))));
  for (const reply of replies) assert.match(reply, LET_IN);
  assert.equal(rig.responder.questions, 1);
  await running.stop();
});

test('a certificate that its responder does not know: require refuses, prefer leaves it to the lists', async () => {
  asked();
  const [strict, lenient] = await rig.startWith([{}, { mode: 'prefer' }]);
  assert.ok(strict !== undefined && lenient !== undefined);
  assert.match(await strict.enter(rig.card('bob')), REFUSED);
  assert.match(await strict.refusalRule(), /ocsp\.mode: http:\S+ does not know the certificate$/);
  assert.match(await lenient.enter(rig.card('bob')), NO_LIST);
  await strict.stop();
});

test('a delegated responder with nocheck answers as well as the issuer', async () => {
  asked({ kind: 'openssl', minutes: 60, signer: rig.delegate('noCheck=ignored') });
  const running = await rig.start({});
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.match(await running.enter(rig.card('frank')), REVOKED);
  const status = await running.gateway.event((event) => event.event === 'certificate-status');
  assert.match(String(status['signer']), /CN=OCSP Responder/);
  await running.stop();
});

test('a delegate without nocheck counts only if a list says that it is not revoked itself', async () => {
  asked({ kind: 'openssl', minutes: 60, signer: rig.delegate() });
  const without = await rig.start({ whenUnavailable: 'refuse' });
  assert.match(await without.enter(rig.card('alice')), REFUSED);
  assert.match(await without.refusalRule(), /CN=OCSP Responder,O=Example has no id-pkix-ocsp-nocheck/);
  await without.stop();
  const lists = (revoked: readonly string[]) => {
    rig.crls.answer = { kind: 'list', body: rig.site.pki.issuing.crl({ revoked }) + rig.site.pki.root.crl() };
  };
  lists([]);
  const listed = await rig.start({ whenUnavailable: 'refuse' });
  assert.match(await listed.enter(rig.card('alice')), LET_IN);
  await listed.stop();
  lists(['2001']);
  const revoked = await rig.start({ whenUnavailable: 'refuse' });
  assert.match(await revoked.enter(rig.card('alice')), REFUSED);
  assert.match(await revoked.refusalRule(), /CN=OCSP Responder,O=Example is revoked/);
  await revoked.stop();
  rig.crls.answer = { kind: 'list', body: rig.site.pki.root.crl() };
});

const hourFrom = (ms: number) => ({ thisUpdateMs: ms, nextUpdateMs: ms + 3_600_000 });

/** Not three that are no answers of a web server in a row: then the responder is left alone for a while. */
const noAnswers = (): readonly (readonly [title: string, behaviour: OcspBehaviour, why: RegExp])[] => {
  const forger: Credentials = rig.site.pki.forgedIssuing.own;
  const neighbour = rig.card('carol');
  const written = (serial: string, fromNowMs: number) =>
    ({ kind: 'written', serial, single: (now: number) => hourFrom(now + fromNowMs) }) as const;
  return [
    ['signed by a CA of the same name', { kind: 'openssl', minutes: 60, signer: forger }, /may not answer/],
    ['of ten megabytes', { kind: 'huge' }, /longer than 65536 octets/],
    ['signed by a neighbour’s card', { kind: 'openssl', minutes: 60, signer: neighbour }, /without OCSPSigning/],
    ['with status 503', { kind: 'status', code: 503 }, /the server answers 503/],
    ['that has expired', written('3004', -7_200_000), /has expired/],
    ['that sends elsewhere', { kind: 'redirect', location: `http://localhost:${rig.responder.port}/` }, /not allowed/],
    ['from the future', written('3006', 3_600_000), /future/],
    ['that is empty', { kind: 'bytes', body: Buffer.alloc(0) }, /empty/],
    ['about another card', written('3999', -1000), /another certificate/],
    ['that does not end', { kind: 'hanging' }, /not finished after/],
    ['that is an error page', { kind: 'html' }, /malformed/],
    ['of random octets', { kind: 'bytes', body: Buffer.from('30030a0100ffff', 'hex') }, /malformed/],
    ['that says try later', { kind: 'bytes', body: Buffer.from('30030a0103', 'hex') }, /answers tryLater/],
  ];
};

test('an answer that is none never counts, whatever is wrong with it', async () => {
  const usual = { whenUnavailable: 'refuse' };
  const [patient, hasty] = await rig.startWith([usual, { ...usual, timeout: '1s' }]);
  assert.ok(patient !== undefined && hasty !== undefined);
  for (const [i, [title, behaviour, why]] of noAnswers().entries()) {
    asked(behaviour);
    const running = behaviour.kind === 'hanging' ? hasty : patient;
    const from = running.gateway.events.length;
    assert.match(await running.enter(rig.stranger(String(3000 + i))), REFUSED, title);
    const refused = await running.gateway.event(({ event }) => event === 'refused', { from });
    assert.match((refused['refusal'] as Refusal).rule, why, title);
    const failed = await running.gateway.event(({ event }) => event === 'ocsp-failed', { from });
    assert.match(String(failed['why']), why, title);
    assert.equal(rig.responder.questions, 1, title);
  }
  await patient.stop();
});

const CHOICES: readonly (readonly [object, RegExp])[] = [
  [{}, DEFERRED],
  [{ whenUnavailable: 'defer' }, DEFERRED],
  [{ whenUnavailable: 'refuse' }, REFUSED],
  [{ whenUnavailable: 'accept' }, LET_IN],
  [{ whenUnavailable: 'crl' }, NO_LIST],
  [{ mode: 'prefer' }, NO_LIST],
  [{ mode: 'prefer', whenUnavailable: 'defer' }, DEFERRED],
];

test('a responder that is down: the profile’s choice', async () => {
  asked();
  await rig.responder.down();
  const running = await rig.startWith(CHOICES.map(([ocsp]) => ({ ...ocsp })));
  for (const [i, [ocsp, expected]] of CHOICES.entries())
    assert.match((await running[i]?.enter(rig.card('alice'))) ?? '', expected, JSON.stringify(ocsp));
  await running[0]?.stop();
  await rig.responder.up();
});

test('with the responder down, the list of the issuer decides where the profile says so', async () => {
  asked({ kind: 'status', code: 500 });
  rig.crls.answer = { kind: 'list', body: rig.site.pki.issuing.crl({ revoked: ['1006'] }) + rig.site.pki.root.crl() };
  const running = await rig.start({ mode: 'prefer' });
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.match(await running.enter(rig.card('frank')), REVOKED);
  await running.stop();
  rig.crls.answer = { kind: 'list', body: rig.site.pki.root.crl() };
});

test('a revocation counts whoever tells it: the list against a good answer, the answer against a list', async () => {
  asked();
  rig.crls.answer = { kind: 'list', body: rig.site.pki.issuing.crl({ revoked: ['1001'] }) + rig.site.pki.root.crl() };
  const modes = [{ mode: 'prefer' }, { mode: 'require' }, { mode: 'prefer', whenUnavailable: 'accept' }];
  const running = await rig.startWith(modes);
  for (const each of running) {
    assert.match(await each.enter(rig.card('alice')), REVOKED, 'by the list');
    assert.match(await each.enter(rig.card('frank')), REVOKED, 'by the responder');
  }
  await running[0]?.stop();
  rig.crls.answer = { kind: 'list', body: rig.site.pki.root.crl() };
});

test('a session that waits for the responder gets 454, stays, and comes in when the responder is back', async () => {
  asked();
  await rig.responder.down();
  const running = await rig.start({});
  const session = await running.session(rig.card('alice'));
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  await rig.responder.up();
  // What is not known is remembered for five seconds.
  await eventually(async () => assert.match((await session.command('MAIL FROM:<alice@example.test>')).text, LET_IN));
  await session.quit();
  await running.stop();
});

test('an answer that runs out while the session is open is asked for again at the next MAIL FROM', async () => {
  asked({ kind: 'written', serial: '1001', single: (now) => ({ thisUpdateMs: now - 1000, nextUpdateMs: now + 4000 }) });
  const running = await rig.start({});
  const session = await running.session(rig.card('alice'));
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  const status = ({ event, serial }: LogEvent): boolean => event === 'certificate-status' && serial === '1001';
  await running.gateway.event(status);
  const countsUntilMs = Number(running.gateway.events.findLast(status)?.['nextUpdateMs']);
  asked({
    kind: 'written',
    serial: '1001',
    single: (now) => ({ ...hourFrom(now), status: { revokedAtMs: now, reason: 1 } }),
  });
  await eventually(async () => {
    await session.expect('RSET', '250');
    assert.match((await session.command('MAIL FROM:<alice@example.test>')).text, REVOKED);
  });
  assert.ok(Date.now() >= countsUntilMs, 'it was asked again while the first answer still counted');
  assert.equal(rig.responder.questions, 1);
  await session.quit();
  await running.stop();
});

test('maxAge asks anew before nextUpdate; a responder that is down then does not undo an answer that still counts', async () => {
  asked();
  const running = await rig.start({ maxAge: '1s', whenUnavailable: 'refuse' });
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  await rig.responder.down();
  const failed = running.gateway.event((event) => event.event === 'ocsp-failed');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  await failed;
  await rig.responder.up();
  await running.stop();
});

test('a nonce is sent and may be missing in the answer, unless the profile requires it', async () => {
  asked({ kind: 'openssl', minutes: 60, noNonce: true });
  const strict = { nonce: 'require', whenUnavailable: 'refuse' };
  const [optional, required, other] = await rig.startWith([{}, strict, { ...strict, hash: 'sha256' }]);
  assert.ok(optional !== undefined && required !== undefined && other !== undefined);
  assert.match(await optional.enter(rig.card('alice')), LET_IN);
  assert.match(await required.enter(rig.card('alice')), REFUSED);
  assert.match(await required.refusalRule(), /has no nonce/);
  asked();
  assert.match(await other.enter(rig.card('alice')), LET_IN);
  await optional.stop();
});

test('without a nonce the question is a GET that caches can answer', async () => {
  asked();
  rig.responder.methods.length = 0;
  const running = await rig.start({ nonce: 'off' });
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.deepEqual(rig.responder.methods, ['GET']);
  await running.stop();
});

test('a card that names no responder, or one on a host that is not allowed: nobody is asked, whenNoResponder decides', async () => {
  asked();
  const cards = [rig.card('alice', ''), rig.card('alice', `OCSP;URI:http://localhost:${rig.responder.port}/`)];
  const [strict, lists] = await rig.startWith([{ whenNoResponder: 'refuse' }, { whenNoResponder: 'crl' }]);
  assert.ok(strict !== undefined && lists !== undefined);
  for (const card of cards) assert.match(await strict.enter(card), REFUSED);
  assert.match(await strict.refusalRule(), /ocsp\.whenNoResponder/);
  for (const card of cards) assert.match(await lists.enter(card), NO_LIST);
  assert.equal(rig.responder.questions, 0);
  await strict.stop();
});

test('every certificate below the anchor is asked about: an authority without an answer keeps its cards out', async () => {
  asked();
  const running = await rig.start({ whenNoResponder: 'refuse' });
  assert.match(
    await running.enter(rig.card('alice')),
    /no OCSP answer about its authority CN=Test Card Issuing CA,O=Example$/,
  );
  await running.stop();
});

test('the checks hold without a crl section', async () => {
  asked();
  const off = (config: Record<string, unknown>): Record<string, unknown> => ({ ...config, crl: {} });
  const root = rig.site.pki.root.own;
  writeFileSync(join(rig.site.folder, 'ocsp', 'root.index'), 'V\t350101000000Z\t\t0A\tunknown\t/CN=x\n');
  const port = await freePort();
  const rootResponder = Program.start('openssl', [
    ...['ocsp', '-port', String(port), '-index', join(rig.site.folder, 'ocsp', 'root.index'), '-CA', root.certFile],
    ...['-rsigner', root.certFile, '-rkey', root.keyFile, '-rmd', 'sha256', '-nmin', '60'],
  ]);
  await rootResponder.shows(/waiting for OCSP client connections/);
  const running = await rig.start({ whenNoResponder: 'refuse', responders: [`http://127.0.0.1:${port}`] }, off);
  assert.match(await running.enter(rig.card('alice')), LET_IN);
  assert.match(await running.enter(rig.card('frank')), REVOKED);
  await running.stop();
  rootResponder.kill();
});
