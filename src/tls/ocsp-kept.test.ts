import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authority, client, name } from '../../test/pkits/certificate-writer.ts';
import { ocspResponse, type SingleWish } from '../../test/support/ocsp-writer.ts';
import { parseCertificate } from './certificate.ts';
import type { OcspAnswer } from './ocsp.ts';
import { decodeKept, encodeKept, type KeptAnswer, keptUntilMs, restoredAnswer, restoredStanding } from './ocsp-kept.ts';

const NOW = Date.UTC(2026, 10, 25, 12);
const HOUR = 3_600_000;
const ca = authority(name('O=Example', 'CN=Issuing CA'));
const alice = client(ca, { serial: [0x10, 0x01] });
const frank = client(ca, { serial: [0x10, 0x06] });
const question = { certificate: parseCertificate(alice.der), issuer: parseCertificate(ca.der) };
const SINGLE: SingleWish = { serial: [0x10, 0x01], issuer: ca, thisUpdateMs: NOW - HOUR, nextUpdateMs: NOW + HOUR };

const keep = (single: Partial<SingleWish> = {}, changes: Partial<KeptAnswer> = {}): KeptAnswer => ({
  responder: 'http://ocsp.example.test/',
  receivedMs: NOW - 1000,
  nonce: 'matched',
  response: Uint8Array.from(
    ocspResponse({ singles: [{ ...SINGLE, ...single }], signer: ca, producedAtMs: NOW - HOUR }),
  ),
  ...changes,
});

test('what is written is read again, and anything else is nothing', () => {
  const kept = keep();
  const text = encodeKept(kept);
  assert.deepEqual(decodeKept(Buffer.from(text)), kept);
  const { response: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  for (const other of [
    '',
    'null',
    '[]',
    '{}',
    text.slice(0, -5),
    JSON.stringify(rest),
    JSON.stringify({ ...rest, response: 7 }),
    JSON.stringify({ ...rest, response: '', nonce: 'perhaps' }),
    JSON.stringify({ ...rest, response: '', version: 2 }),
    JSON.stringify({ ...rest, response: '', responder: 'x'.repeat(1001) }),
    text.padEnd(200_000),
  ])
    assert.equal(decodeKept(Buffer.from(other)), undefined, other.slice(0, 80));
});

test('an answer is worth what it says to the question that is asked now, until its nextUpdate', () => {
  assert.equal(restoredAnswer(keep(), question, NOW)?.status, 'good');
  assert.equal(restoredAnswer(keep(), question, NOW)?.nonce, 'matched');
  const revoked = keep({ status: { revokedAtMs: NOW - 2 * HOUR, reason: 1 } });
  assert.equal(restoredAnswer(revoked, question, NOW)?.status, 'revoked');
  assert.equal(restoredAnswer(keep(), question, NOW + HOUR), undefined);
  assert.equal(restoredAnswer(keep(), { ...question, certificate: parseCertificate(frank.der) }, NOW), undefined);
  const other = authority(name('O=Example', 'CN=Issuing CA'));
  assert.equal(restoredAnswer(keep(), { ...question, issuer: parseCertificate(other.der) }, NOW), undefined);
});

test('property: a response with any octet changed is worth nothing, or says the same', () => {
  const { response } = keep();
  fc.assert(
    fc.property(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
      const changed = Uint8Array.from(response);
      changed[at] = (changed[at] as number) ^ difference;
      const status = restoredAnswer(keep({}, { response: changed }), question, NOW)?.status;
      assert.ok(status === undefined || status === 'good', `octet ${at}`);
    }),
  );
});

test('it is asked for anew when it would have been had the gateway run on, and at once where the clock was set back', () => {
  const terms = { maxAgeMs: 60_000, nowMs: NOW };
  assert.equal(restoredStanding(keep(), question, terms)?.askAgainMs, NOW - 1000 + 60_000);
  assert.equal(restoredStanding(keep(), question, { ...terms, maxAgeMs: 9 * HOUR })?.askAgainMs, NOW + HOUR);
  const future = keep({}, { receivedMs: NOW + 9 * HOUR });
  assert.equal(restoredStanding(future, question, terms)?.askAgainMs, NOW + 60_000);
  assert.equal(restoredStanding(keep({ nextUpdateMs: NOW - 1 }), question, terms), undefined);
});

test('kept are good and revoked with a nextUpdate to come', () => {
  const answer = (changes: Partial<OcspAnswer>): OcspAnswer => ({
    status: 'good',
    thisUpdateMs: NOW,
    producedAtMs: NOW,
    countsUntilMs: NOW + HOUR,
    nextUpdateMs: NOW + HOUR,
    signer: { kind: 'issuer', name: 'CN=Issuing CA' },
    nonce: 'absent',
    ...changes,
  });
  assert.equal(keptUntilMs(answer({}), NOW), NOW + HOUR);
  assert.equal(keptUntilMs(answer({ status: 'revoked' }), NOW), NOW + HOUR);
  assert.equal(keptUntilMs(answer({ status: 'unknown' }), NOW), undefined);
  assert.equal(keptUntilMs(answer({}), NOW + HOUR), undefined);
  const { nextUpdateMs: _, ...withoutEnd } = answer({});
  assert.equal(keptUntilMs(withoutEnd, NOW), undefined);
});
