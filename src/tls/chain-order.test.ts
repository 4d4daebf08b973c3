import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authority,
  client,
  extension,
  generalName,
  type Issuer,
  name,
  oid,
  pem,
  seq,
} from '../../test/pkits/certificate-writer.ts';
import { parseCertificate } from './certificate.ts';
import { type ChainDiagnosis, diagnoseChain } from './chain-order.ts';
import { buildTrustStore } from './trust-store.ts';

const NOW_MS = Date.UTC(2026, 10, 25);
const root = authority(name('CN=Root'));
const sub = authority(name('CN=Sub'), { issuer: root });
const low = authority(name('CN=Low'), { issuer: sub });
const leaf = client(low, { subject: name('CN=mail.example.test') });
const stranger = authority(name('CN=Stranger'));

const diagnose = (made: readonly Issuer[], ...anchors: readonly Issuer[]): ChainDiagnosis =>
  diagnoseChain(
    made.map(({ der }) => parseCertificate(der)),
    NOW_MS,
    anchors.length === 0 ? undefined : buildTrustStore(anchors.map(({ der }) => pem(der))),
  );
const faults = (...args: Parameters<typeof diagnose>): string[] =>
  diagnose(...args).findings.flatMap(({ severity, words }) => (severity === 'fault' ? [words] : []));
const notes = (...args: Parameters<typeof diagnose>): string[] =>
  diagnose(...args).findings.flatMap(({ severity, words }) => (severity === 'note' ? [words] : []));

test('a chain whose certificates follow each other up to the authority has no fault', () => {
  assert.deepEqual(faults([leaf, low, sub], root), []);
  assert.deepEqual(diagnose([leaf, low, sub]).order, [1, 2, 3]);
  assert.deepEqual(faults([leaf, low, sub]), []);
  assert.match(notes([leaf, low, sub]).join(), /nothing is missing if that is a root/);
});

test('certificates out of order are put into order', () => {
  assert.deepEqual(diagnose([leaf, sub, low], root).order, [1, 3, 2]);
  assert.deepEqual(faults([leaf, sub, low], root), [
    'out of order: the chain is certificate 1, then certificate 3, then certificate 2',
  ]);
  assert.deepEqual(diagnose([low, sub, leaf], root).order, [3, 1, 2]);
});

test('a gap is named with the issuer that is missing', () => {
  assert.deepEqual(faults([leaf, sub], root), [
    'certificate 2 (CN=Sub) is not part of the chain',
    'missing: the certificate of CN=Low, which issued the last of the chain',
  ]);
  assert.deepEqual(faults([leaf]), ['missing: the certificate of its issuer, CN=Low']);
  assert.match(faults([leaf, low, sub], stranger).join(), /^missing: the certificate of CN=Root/);
});

test('where the authority offers the missing certificate is told', () => {
  const access = seq(seq(oid('1.3.6.1.5.5.7.48.2'), generalName.uri('http://pki.example.test/low.cer')));
  const hinting = client(low, { extensions: [extension('1.3.6.1.5.5.7.1.1', access)] });
  assert.match(faults([hinting]).join(), /its authority offers it at http:\/\/pki\.example\.test\/low\.cer/);
});

test('a root at the end is needless, one that is none of the authorities is a fault', () => {
  assert.deepEqual(faults([leaf, low, sub, root], root), []);
  assert.match(notes([leaf, low, sub, root], root).join(), /need not be sent/);
  assert.deepEqual(faults([leaf, low, sub, root], stranger), [
    'the chain ends at CN=Root, which is none of the authorities',
  ]);
});

test('strangers and doubles are named', () => {
  assert.deepEqual(faults([leaf, low, low, stranger, sub], root), [
    'certificate 3 is the same as certificate 2',
    'certificate 4 (CN=Stranger) is not part of the chain',
  ]);
});

test('an authority of the same name with another key does not close a gap', () => {
  const impostor = authority(name('CN=Low'), { issuer: sub });
  assert.match(faults([leaf, impostor, sub], root).join(), /certificate 2 \(CN=Low\) is not part of the chain/);
  const otherRoot = authority(name('CN=Root'));
  assert.match(faults([leaf, low, sub], otherRoot).join(), /the authority of that name has another key/);
});

test('certificates that are not valid now are named', () => {
  const old = client(low, { notAfter: '250101000000Z' });
  assert.deepEqual(faults([old, low, sub], root), ['certificate 1 has expired on 2025-01-01']);
  const early = client(low, { notBefore: '300101000000Z' });
  assert.deepEqual(faults([early, low, sub], root), ['certificate 1 is not valid before 2030-01-01']);
});

test('authorities that certify each other in a ring end the search', () => {
  const [a, b] = [authority(name('CN=A')), authority(name('CN=B'))];
  const ring = [
    authority(name('CN=A'), { issuer: b, keys: a.keys }),
    authority(name('CN=B'), { issuer: a, keys: b.keys }),
  ];
  assert.equal(diagnose(ring).order.length, 2);
});
