import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pem } from '../../test/pkits/certificate-writer.ts';
import { DerError } from './der.ts';
import { decodePem } from './pem.ts';

const DATA = Buffer.from('the quick brown fox jumps over the lazy dog, twice: the quick brown fox');

test('blocks are given in order, text between them and other labels are skipped', () => {
  const text = `# a bundle\n${pem(DATA)}comment\r\n${pem(DATA, 'PRIVATE KEY')}${pem(Buffer.from('b'))}`;
  assert.deepEqual(decodePem(text, 'CERTIFICATE').map(String), [DATA.toString(), 'b']);
  assert.deepEqual(decodePem(Buffer.from(text), /KEY$/).map(String), [DATA.toString()]);
  assert.deepEqual(decodePem('nothing here', 'CERTIFICATE'), []);
});

test('CRLF line ends and a byte order mark are no obstacle', () => {
  const text = `\ufeff${pem(DATA).replaceAll('\n', '\r\n')}`;
  assert.equal(decodePem(text, 'CERTIFICATE').length, 1);
  assert.equal(decodePem(Buffer.from(text), 'CERTIFICATE').length, 1);
});

test('a damaged block is refused, not repaired', () => {
  const good = pem(DATA);
  const bad = [
    good.replace('-----END CERTIFICATE-----', ''),
    good.replace('END CERTIFICATE', 'END X509 CERTIFICATE'),
    good.replace('\n', '\nProc-Type: 4,ENCRYPTED\n'),
    good.replace(/A|d/, '!'),
    good.replace('\n-----END', 'A\n-----END'),
    '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
    '-----BEGIN CERTIFICATE-----\nQQ=Q\n-----END CERTIFICATE-----\n',
    '-----BEGIN CERTIFICATE\nQQ==\n-----END CERTIFICATE-----\n',
  ];
  for (const text of bad) assert.throws(() => decodePem(text, 'CERTIFICATE'), DerError, text);
});
