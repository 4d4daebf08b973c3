import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { extension, integer, makeCrl, newAuthority, Scope, tlv } from '../../test/support/crl-maker.ts';
import { compareFreshness, type CrlFacts, parseCrl } from './crl.ts';
import { findRevoked } from './crl-index.ts';
import { DerError } from './der.ts';

const ca = newAuthority('Test CA');
const THIS_MS = Date.UTC(2026, 0, 1);
const base = { issuer: ca, thisUpdateMs: THIS_MS, nextUpdateMs: THIS_MS + 86_400_000 };
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

test('a list is read with its issuer, dates, numbers and entries', () => {
  const atMs = Date.UTC(2024, 1, 29, 23, 59, 59);
  const { facts } = parseCrl(
    makeCrl({ ...base, number: 258, entries: [{ serial: '1001', reason: 1, atMs }, { serial: '02' }] }),
  );
  assert.equal(facts.issuer, 'CN=Test CA');
  assert.equal(facts.thisUpdateMs, THIS_MS);
  assert.equal(facts.nextUpdateMs, THIS_MS + 86_400_000);
  assert.equal(facts.crlNumber, 258n);
  assert.equal(facts.table.count, 2);
  assert.deepEqual(findRevoked(facts.table, hex('1001')), [{ reason: 1, atMs, issuer: 0 }]);
  assert.deepEqual(findRevoked(facts.table, hex('1002')), []);
});

test('a list without entries revokes nothing', () => {
  assert.equal(parseCrl(makeCrl(base)).facts.table.count, 0);
});

test('an entry with needless leading zeros is found by the serial of the certificate', () => {
  const { facts } = parseCrl(
    makeCrl({ ...base, entries: [{ serial: '00001001' }, { serial: 'ffffff01' }, { serial: '0080' }] }),
  );
  assert.equal(findRevoked(facts.table, hex('1001')).length, 1);
  assert.equal(findRevoked(facts.table, hex('ff01')).length, 1);
  assert.equal(findRevoked(facts.table, hex('0080')).length, 1);
  assert.equal(findRevoked(facts.table, hex('80')).length, 0);
});

test('an entry revokes whatever its date says', () => {
  const der = makeCrl({ ...base, entries: [{ serial: '07' }] });
  const at = der.indexOf('20231114');
  der.write('2023111X', at);
  assert.deepEqual(findRevoked(parseCrl(der).facts.table, hex('07')), [{ reason: 0, atMs: 0, issuer: 0 }]);
});

const REFUSED: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  [
    'an unknown critical extension',
    () => makeCrl({ ...base, extensions: [extension('2a0304', integer(1), true)] }),
    /unknown critical extension 1\.2\.3\.4/,
  ],
  [
    'an unknown critical entry extension',
    () => makeCrl({ ...base, entries: [{ serial: '01', extensions: [extension('2a0304', integer(1), true)] }] }),
    /unknown critical entry extension/,
  ],
  [
    'a certificate issuer in a list that is not indirect',
    () => makeCrl({ ...base, entries: [{ serial: '01', certificateIssuer: 'Other CA' }] }),
    /not indirect/,
  ],
  [
    'a reason code that is no reason code',
    () => makeCrl({ ...base, entries: [{ serial: '01', extensions: [extension(21, integer(1))] }] }),
    /reason code malformed/,
  ],
  [
    'scopes that exclude each other',
    () => makeCrl({ ...base, scope: Scope.of(Scope.onlyUser, Scope.onlyCa) }),
    /exclude each other/,
  ],
  [
    'a negative CRL number',
    () => makeCrl({ ...base, extensions: [extension(20, tlv(2, Buffer.of(0x80)))] }),
    /negative number/,
  ],
  ['a serial number of 65 octets', () => makeCrl({ ...base, entries: [{ serial: '01'.repeat(65) }] }), /too long/],
  ['octets behind it', () => Buffer.concat([makeCrl(base), Buffer.of(0)]), /trailing bytes/],
  ['its end cut off', () => makeCrl(base).subarray(0, -1), /out of bounds/],
];

for (const [what, make, expected] of REFUSED) {
  test(`a list with ${what} is refused`, () => {
    assert.throws(
      () => parseCrl(make()),
      (error: Error) => error instanceof DerError && expected.test(error.message),
    );
  });
}

test('unknown extensions that are not critical are passed over', () => {
  const unknown = extension('2a0304', integer(1));
  const { facts } = parseCrl(
    makeCrl({ ...base, extensions: [unknown], entries: [{ serial: '01', extensions: [unknown] }] }),
  );
  assert.equal(facts.table.count, 1);
});

test('entries of an indirect list belong to the issuer named last', () => {
  const entries = [
    { serial: '01' },
    { serial: '01', certificateIssuer: 'Other CA' },
    { serial: '02' },
    { serial: '01', certificateIssuer: 'Third CA' },
  ];
  const { facts } = parseCrl(makeCrl({ ...base, scope: Scope.of(Scope.indirect), entries }));
  assert.deepEqual(
    findRevoked(facts.table, hex('01')).map(({ issuer }) => issuer),
    [0, 1, 2],
  );
  assert.deepEqual(
    findRevoked(facts.table, hex('02')).map(({ issuer }) => issuer),
    [1],
  );
  assert.equal(facts.certificateIssuers.length, 2);
});

test('freshness goes by CRL number, then by thisUpdate', () => {
  const list = (crlNumber: bigint | undefined, thisUpdateMs: number): CrlFacts => {
    const { crlNumber: _, ...facts } = parseCrl(makeCrl(base)).facts;
    return { ...facts, thisUpdateMs, ...(crlNumber === undefined ? {} : { crlNumber }) };
  };
  assert.ok(compareFreshness(list(3n, 1), list(2n, 9)) > 0);
  assert.ok(compareFreshness(list(2n, 1), list(2n, 9)) < 0);
  assert.ok(compareFreshness(list(undefined, 5), list(2n, 4)) > 0);
  assert.equal(compareFreshness(list(2n, 4), list(2n, 4)), 0);
});

test('whatever the octets are, reading a list throws DerError or nothing', () => {
  const entries = [{ serial: '1001', reason: 6 }, { serial: '02', certificateIssuer: 'Other CA' }, { serial: '00ff' }];
  const good = makeCrl({
    ...base,
    number: 7,
    base: 5,
    scope: Scope.of(Scope.uri('http://a/'), Scope.indirect),
    entries,
  });
  const change = fc.record({ at: fc.nat(good.length - 1), octet: fc.nat(255) });
  const broken = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const der = Uint8Array.from(good);
    for (const { at, octet } of changes) der[at] = octet;
    return der;
  });
  const cut = fc.nat(good.length).map((length) => good.subarray(0, length));
  fc.assert(
    fc.property(fc.oneof(broken, cut, fc.uint8Array({ maxLength: 200 })), (der) => {
      try {
        parseCrl(der);
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
    { numRuns: 3000, seed: 2 },
  );
});
