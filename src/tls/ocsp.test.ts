import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import {
  authority,
  basicConstraints,
  certificate,
  client,
  extendedKeyUsage,
  extension,
  type Issuer,
  keyUsage,
  name,
  oid,
  pem,
  seq,
  tlv,
  type Wish,
} from '../../test/pkits/certificate-writer.ts';
import {
  noCheck,
  nonceExtension,
  OCSP_SIGNING,
  ocspError,
  ocspResponse,
  type ResponseWish,
  type SingleWish,
} from '../../test/support/ocsp-writer.ts';
import { parseCertificate } from './certificate.ts';
import { DerError } from './der.ts';
import { judgeOcspResponse, type OcspAnswer, type OcspCheck, type OcspVerdict } from './ocsp.ts';
import { encodeOcspRequest } from './ocsp-request.ts';
import { MAX_OCSP_RESPONSE_BYTES, parseOcspResponse } from './ocsp-response.ts';

const NOW = Date.UTC(2026, 10, 24, 12, 0, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NONCE = Buffer.alloc(32, 7);

const ca = authority(name('O=Example', 'CN=Issuing CA'));
const otherCa = authority(name('O=Elsewhere', 'CN=Other CA'));
/** Another key under the issuer's name, as after a rollover. */
const rolledOver = authority(name('O=Example', 'CN=Issuing CA'));
const alice = client(ca, { serial: [0x10, 0x01] });

const delegateOf = (issuer: Issuer, wish: Wish = {}): Issuer =>
  certificate({
    subject: name('O=Example', 'CN=OCSP Responder'),
    issuer,
    serial: [0x20],
    extensions: [extendedKeyUsage(OCSP_SIGNING), keyUsage(1), noCheck],
    ...wish,
  });
const delegate = delegateOf(ca);

const SINGLE: SingleWish = { serial: [0x10, 0x01], issuer: ca, thisUpdateMs: NOW - HOUR, nextUpdateMs: NOW + HOUR };
const respond = (wish: Partial<ResponseWish> = {}, single: Partial<SingleWish> = {}): Buffer =>
  ocspResponse({ singles: [{ ...SINGLE, ...single }], signer: ca, producedAtMs: NOW - MINUTE, ...wish });

const judge = (response: Uint8Array, changes: Partial<OcspCheck> = {}): OcspVerdict =>
  judgeOcspResponse({
    certificate: parseCertificate(alice.der),
    issuer: parseCertificate(ca.der),
    response,
    nowMs: NOW,
    maxAgeMs: HOUR,
    ...changes,
  });

function answer(response: Uint8Array, changes: Partial<OcspCheck> = {}): OcspAnswer {
  const verdict = judge(response, changes);
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.why);
  return verdict.answer;
}

function refused(response: Uint8Array, why: RegExp, changes: Partial<OcspCheck> = {}): void {
  const verdict = judge(response, changes);
  assert.ok(!verdict.ok, `an answer: ${JSON.stringify(verdict)}`);
  assert.match(verdict.why, why);
}

test('the issuer itself may answer, named by its name or by its key', () => {
  for (const byKey of [false, true]) {
    const found = answer(respond({ byKey }));
    assert.equal(found.status, 'good');
    assert.deepEqual(found.signer, { kind: 'issuer', name: 'CN=Issuing CA,O=Example' });
    assert.equal(found.countsUntilMs, NOW + HOUR);
  }
});

test('a responder that the issuer delegated may answer; without nocheck its own revocation is an open question', () => {
  for (const byKey of [false, true]) {
    const found = answer(respond({ signer: delegate, certificates: [delegate.der], byKey }));
    assert.deepEqual(found.signer, { kind: 'delegate', name: 'CN=OCSP Responder,O=Example' });
    assert.equal(found.unchecked, undefined);
  }
  const plain = delegateOf(ca, { extensions: [extendedKeyUsage(OCSP_SIGNING)] });
  const found = answer(respond({ signer: plain, certificates: [plain.der] }));
  assert.deepEqual(Buffer.from(found.unchecked ?? []), plain.der);
});

const NOT_DELEGATED: readonly (readonly [title: string, signer: Issuer, why: RegExp])[] = [
  ['of another authority', delegateOf(otherCa), /not issued by the key/],
  ['of the same authority with another key', delegateOf(rolledOver), /not issued by the key/],
  ['without OCSPSigning', delegateOf(ca, { extensions: [extendedKeyUsage('1.3.6.1.5.5.7.3.2')] }), /OCSPSigning/],
  ['with any purpose only', delegateOf(ca, { extensions: [extendedKeyUsage('2.5.29.37.0')] }), /OCSPSigning/],
  ['without extended key usage', delegateOf(ca, { extensions: [] }), /OCSPSigning/],
  [
    'whose key usage is for issuing only',
    delegateOf(ca, { extensions: [extendedKeyUsage(OCSP_SIGNING), keyUsage(1 << 5)] }),
    /digitalSignature/,
  ],
  ['that has expired', delegateOf(ca, { notAfter: '240101000000Z' }), /not valid after/],
  ['that is not valid yet', delegateOf(ca, { notBefore: '300101000000Z' }), /not valid before/],
  [
    'with an unknown critical extension',
    delegateOf(ca, {
      extensions: [extendedKeyUsage(OCSP_SIGNING), extension('1.2.3.4', Buffer.of(5, 0), true)],
    }),
    /critical extension/,
  ],
  [
    'that calls itself by the name of the issuer',
    certificate({ subject: name('O=Example', 'CN=Issuing CA'), extensions: [basicConstraints(true)] }),
    /may not answer|does not verify/,
  ],
];
for (const [title, signer, why] of NOT_DELEGATED) {
  test(`a responder ${title} may not answer`, () => {
    refused(respond({ signer, certificates: [signer.der] }), why);
    refused(respond({ signer, certificates: [signer.der], byKey: true }), why);
  });
}

test('a client certificate of the same authority may not answer for its neighbour', () => {
  refused(respond({ signer: alice, certificates: [alice.der] }), /may not answer: extended key usage/);
});

test('a signature by another key, over other octets, or of a weak kind is no answer', () => {
  refused(respond({ signWith: otherCa.keys.privateKey }), /does not verify/);
  const changed = respond();
  const at = changed.indexOf(Buffer.from('8000', 'hex'));
  changed[at] = 0x82;
  refused(changed, /does not verify/);
  refused(respond({ signer: delegate, certificates: [] }), /no certificate of the signer/);
  refused(
    respond({ algorithm: seq(oid('1.2.840.10045.4.1')) }),
    /the signature is weak \(algorithm 1\.2\.840\.10045\.4\.1\)/,
  );
});

test('an answer about another serial number or another authority is none', () => {
  refused(respond({}, { serial: [0x10, 0x02] }), /about another certificate/);
  refused(respond({}, { issuer: otherCa }), /about another certificate/);
  refused(respond({}, { issuer: rolledOver }), /about another certificate/);
  refused(respond({}, { hash: 'md5' }), /about another certificate/);
});

test('the responder may name the certificate with another hash than it was asked with', () => {
  assert.equal(answer(respond({}, { hash: 'sha256' })).status, 'good');
});

test('of several answers about one certificate the worst counts', () => {
  const good = { ...SINGLE, thisUpdateMs: NOW - MINUTE };
  const revoked: SingleWish = { ...SINGLE, status: { revokedAtMs: NOW - 2 * HOUR, reason: 1 } };
  const others: SingleWish = { ...SINGLE, serial: [5] };
  const found = answer(respond({ singles: [others, good, revoked] }));
  assert.equal(found.status, 'revoked');
  assert.deepEqual(found.revoked, { atMs: NOW - 2 * HOUR, reason: 'keyCompromise' });
});

test('unknown is said as it is, and a revocation without a reason is unspecified', () => {
  assert.equal(answer(respond({}, { status: 'unknown' })).status, 'unknown');
  assert.equal(answer(respond({}, { status: { revokedAtMs: NOW - HOUR } })).revoked?.reason, 'unspecified');
});

test('clocks may differ by five minutes, not more', () => {
  assert.equal(answer(respond({}, { thisUpdateMs: NOW + 4 * MINUTE })).status, 'good');
  refused(respond({}, { thisUpdateMs: NOW + 6 * MINUTE }), /from the future/);
  refused(respond({ producedAtMs: NOW + 6 * MINUTE }), /from the future/);
  const late = answer(respond({}, { nextUpdateMs: NOW - 4 * MINUTE }));
  assert.equal(late.countsUntilMs, NOW + MINUTE);
  refused(respond({}, { nextUpdateMs: NOW - 6 * MINUTE }), /has expired/);
  refused(respond({}, { nextUpdateMs: NOW - 2 * HOUR }), /before its thisUpdate/);
});

test('an answer without nextUpdate counts until it is as old as maxAge, whenever it came', () => {
  const { nextUpdateMs: _, ...single } = SINGLE;
  const counts = (ageMs: number): number =>
    answer(respond({ singles: [{ ...single, thisUpdateMs: NOW - ageMs }] })).countsUntilMs - NOW;
  assert.deepEqual([MINUTE, 50 * MINUTE, HOUR + MINUTE].map(counts), [HOUR - MINUTE, 10 * MINUTE, MINUTE]);
  refused(respond({ singles: [{ ...single, thisUpdateMs: NOW - 2 * HOUR }] }), /older than maxAge/);
});

test('a nonce that comes back must be ours; whether one must come back is for the profile to say', () => {
  const matching = respond({ extensions: [nonceExtension(NONCE)] });
  assert.equal(answer(matching, { nonce: NONCE }).nonce, 'matched');
  assert.equal(answer(matching).nonce, 'notSent');
  refused(matching, /nonce of the response is not/, { nonce: Buffer.alloc(32, 8) });
  refused(respond({ extensions: [nonceExtension(NONCE.subarray(1))] }), /is not the one/, { nonce: NONCE });
  assert.equal(answer(respond(), { nonce: NONCE }).nonce, 'absent');
  refused(respond(), /has no nonce/, { nonce: NONCE, nonceRequired: true });
});

test('an unknown critical extension makes it no answer, an unknown other one does not', () => {
  const strange = (critical: boolean): Buffer => extension('1.2.3.4', Buffer.of(5, 0), critical);
  refused(respond({ extensions: [strange(true)] }), /unknown critical extension 1\.2\.3\.4/);
  refused(respond({}, { extensions: [strange(true)] }), /unknown critical extension 1\.2\.3\.4/);
  assert.equal(answer(respond({ extensions: [strange(false)] }, { extensions: [strange(false)] })).status, 'good');
});

test('the errors of a responder are told by name; unauthorized stands apart', () => {
  const words = { 1: 'malformedRequest', 2: 'internalError', 3: 'tryLater', 5: 'sigRequired', 6: 'unauthorized' };
  for (const [status, word] of Object.entries(words)) {
    const verdict = judge(ocspError(Number(status)));
    assert.deepEqual(verdict, {
      ok: false,
      unauthorized: word === 'unauthorized',
      why: `the responder answers ${word}`,
    });
  }
  refused(ocspError(4), /status 4 unknown/);
});

test('what is no OCSP response is malformed, and a big one is not read', () => {
  refused(Buffer.from('<html>Please log in</html>'), /malformed/);
  refused(Buffer.alloc(0), /malformed/);
  refused(Buffer.concat([respond(), Buffer.of(0)]), /malformed: trailing/);
  refused(tlv(0x30, Buffer.alloc(MAX_OCSP_RESPONSE_BYTES)), /too long/);
  refused(respond({ certificates: Array.from({ length: 17 }, () => alice.der) }), /too many/);
  const singles = Array.from({ length: 257 }, () => SINGLE);
  refused(respond({ singles }), /too many/);
});

test('a certificate of the response that cannot be read does not spoil the others', () => {
  const response = respond({ signer: delegate, certificates: [seq(), delegate.der] });
  assert.equal(answer(response).signer.kind, 'delegate');
});

const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-ocsp-'));
after(() => rmSync(folder, { recursive: true }));
const file = (fileName: string, content: string | Uint8Array): string => {
  const where = path.join(folder, fileName);
  writeFileSync(where, content);
  return where;
};

for (const hash of ['sha1', 'sha256'] as const) {
  test(`openssl reads a request as it was meant, with ${hash}`, () => {
    const question = { certificate: parseCertificate(alice.der), issuer: parseCertificate(ca.der) };
    const ours = file(`ours-${hash}.req`, encodeOcspRequest(question, hash, NONCE));
    const text = execFileSync('openssl', ['ocsp', '-reqin', ours, '-req_text', '-noverify'], { encoding: 'utf8' });
    const theirs = path.join(folder, `theirs-${hash}.req`);
    const files = ['-issuer', file('ca.pem', pem(ca.der)), '-cert', file('alice.pem', pem(alice.der))];
    execFileSync('openssl', ['ocsp', `-${hash}`, ...files, '-no_nonce', '-reqout', theirs]);
    const expected = execFileSync('openssl', ['ocsp', '-reqin', theirs, '-req_text'], { encoding: 'utf8' });
    const certId = (printed: string): string | undefined => /Certificate ID:[^]*Serial Number: \w+/.exec(printed)?.[0];
    assert.ok(certId(text)?.includes('Serial Number: 1001'));
    assert.equal(certId(text), certId(expected));
    assert.match(text, new RegExp(`OCSP Nonce:\\s+0420${'07'.repeat(32)}`, 'i'));
  });
}

test('a damaged response is never believed, and never throws anything but the error of the DER reader', () => {
  const response = respond(
    { signer: delegate, certificates: [delegate.der], extensions: [nonceExtension(NONCE)] },
    { status: { revokedAtMs: NOW - HOUR, reason: 1 } },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(response.length - 1)),
      (changes, cut) => {
        const damaged = Uint8Array.from(response);
        for (const [at, by] of changes) damaged[at] = (damaged[at] as number) ^ by;
        const input = cut === null ? damaged : damaged.subarray(0, cut);
        const verdict = judge(input, { nonce: NONCE });
        // What is not signed (the certificates sent along) may change without harm; what is said may not.
        if (verdict.ok) assert.equal(verdict.answer.status, 'revoked');
        try {
          parseOcspResponse(input);
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('any octets are answered with words', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(judge(bytes).ok, false);
    }),
  );
});
