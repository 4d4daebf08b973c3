import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authority, client, name, pem } from '../../test/pkits/certificate-writer.ts';
import { buildTrustStore } from './trust-store.ts';

const root = authority(name('CN=Root'));
const issuing = authority(name('CN=Issuing'), { issuer: root });

test('self-signed certificates are anchors, all others intermediates', () => {
  const store = buildTrustStore([pem(root.der) + pem(issuing.der), pem(client(issuing).der)]);
  assert.deepEqual([store.anchors.length, store.intermediates.length, store.problems.length], [1, 2, 0]);
});

test('a certificate that only names itself as its issuer is no anchor', () => {
  const imitation = authority(name('CN=Root'), { issuer: { ...authority(name('CN=x')), subject: name('CN=Root') } });
  assert.deepEqual(buildTrustStore([pem(imitation.der)]).anchors, []);
});

test('a certificate that comes twice counts once', () => {
  assert.equal(buildTrustStore([pem(root.der), pem(root.der)]).anchors.length, 1);
});

test('what cannot be read is a problem, and the rest counts', () => {
  const store = buildTrustStore([pem(Buffer.from('junk')) + pem(root.der), 'empty', '-----BEGIN CERTIFICATE-----\n']);
  assert.equal(store.anchors.length, 1);
  assert.equal(store.problems.length, 3);
});

test('expired certificates load', () => {
  const old = authority(name('CN=Old'), { notAfter: '250101000000Z' });
  const store = buildTrustStore([pem(old.der) + pem(root.der)]);
  assert.deepEqual(store.problems, []);
  assert.equal(store.anchors.length, 2);
});
