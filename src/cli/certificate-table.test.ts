/** Certificates as a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certificate } from '../tls/certificate.ts';
import { certificateTable, commonName } from './certificate-table.ts';

const DAY_MS = 86_400_000;

const certificate = (subject: string, notBefore: number, notAfter: number): Certificate =>
  ({
    subject: { rfc4514: subject },
    issuer: { rfc4514: 'CN=An\\, Authority,O=Example' },
    notBeforeMs: notBefore * DAY_MS,
    notAfterMs: notAfter * DAY_MS,
  }) as unknown as Certificate;

test('status and remaining days are those of the day', () => {
  const rows = [
    { name: 'good', certificate: certificate('CN=gw.example.com', 0, 110) },
    { name: 'old', certificate: certificate('O=Example', 0, 90) },
    { name: 'early', certificate: certificate('CN=later\u001b[2J', 120, 400) },
    { name: 'lost', certificate: undefined, why: 'cannot read it: ENOENT' },
  ];
  const lines = certificateTable(rows, 100 * DAY_MS)
    .split('\n')
    .slice(2);
  assert.match(lines[0] ?? '', /^good +gw\.example\.com +An, Authority +Active +10 days$/);
  assert.match(lines[1] ?? '', /^old +O=Example +.*Expired +-10 days$/);
  assert.match(lines[2] ?? '', /^early +later.*Not yet valid +300 days$/);
  assert.ok(!lines.join('').includes('\u001b'), 'a certificate cannot drive the terminal');
  assert.match(lines[3] ?? '', /^lost +cannot read it: ENOENT +Unreadable$/);
});

test('the common name is found wherever it stands, escapes undone', () => {
  assert.equal(commonName('CN=a\\,b,O=c'), 'a,b');
  assert.equal(commonName('O=c,CN=a'), 'a');
  assert.equal(commonName('O=c'), 'O=c');
});
