/** Certificates that come again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authority, client, generalName, name, subjectAltName } from '../../test/pkits/certificate-writer.ts';
import { createCertificateReader } from './certificate-memory.ts';

const issuing = authority(name('CN=Issuing'));
const alice = client(issuing).der;
const bob = client(issuing).der;
const carol = client(issuing).der;

test('a certificate that comes again is the same object, whichever memory its octets come in', () => {
  const read = createCertificateReader(10);
  const first = read(alice);
  assert.ok(first !== undefined);
  assert.equal(read(new Uint8Array(alice)), first);
  const within = Buffer.concat([Buffer.from('before'), alice, Buffer.from('after')]);
  assert.equal(read(within.subarray(6, 6 + alice.length)), first);
});

test('one octet makes another certificate', () => {
  const read = createCertificateReader(10);
  const forged = Buffer.from(alice);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1); // the end of the signature
  assert.notEqual(read(forged), read(alice));
  assert.deepEqual(read(forged)?.der, forged);
});

test('what is malformed is malformed each time', () => {
  const read = createCertificateReader(10);
  assert.equal(read(alice.subarray(1)), undefined);
  assert.equal(read(alice.subarray(1)), undefined);
});

test('of more certificates than are kept, the one that was not shown for longest is read anew', () => {
  const read = createCertificateReader(2);
  const [a, b] = [read(alice), read(bob)];
  assert.equal(read(alice), a);
  read(carol);
  assert.equal(read(alice), a);
  assert.notEqual(read(bob), b);
});

test('long certificates drive out more than one, so that nobody can fill the memory with them', () => {
  const long = (i: number): Buffer =>
    client(issuing, {
      extensions: [subjectAltName(...Array.from({ length: 400 }, (_, n) => generalName.dns(`${i}-${n}.test`)))],
    }).der;
  const read = createCertificateReader(4);
  const [a, b] = [read(alice), read(bob)];
  assert.equal(read(alice), a);
  const first = long(1);
  const kept = read(first);
  assert.equal(read(first), kept);
  read(long(2));
  assert.notEqual(read(first), kept);
  assert.notEqual(read(bob), b);
});
