import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { generalizedTime, parseGeneralizedTime } from './generalized-time.ts';
import { loginTokens, withTime } from './tokens.ts';

describe('tokens of a login', () => {
  const rows: readonly [
    login: string,
    domain: string | undefined,
    u: string,
    d: string | undefined,
    a: string | undefined,
  ][] = [
    ['alice', undefined, 'alice', undefined, undefined],
    ['alice', 'example.test', 'alice', 'example.test', 'alice@example.test'],
    ['alice@other.test', 'example.test', 'alice@other.test', 'other.test', 'alice@other.test'],
    ['a@b@other.test', undefined, 'a@b@other.test', 'other.test', 'a@b@other.test'],
    ['alice@', 'example.test', 'alice@', 'example.test', 'alice@example.test'],
    ['alice@', undefined, 'alice@', undefined, undefined],
  ];
  for (const [login, domain, u, d, a] of rows) {
    test(`${login} with default domain ${domain ?? 'none'}`, () => {
      const lookup = loginTokens(login, domain);
      assert.deepEqual(
        ['u', 'd', 'a'].map((token) => lookup(token)?.[0]),
        [u, d, a],
      );
      assert.equal(lookup('cn'), undefined);
    });
  }
});

describe('time', () => {
  const lookup = withTime((token) => (token === 'u' ? ['alice'] : undefined), Date.UTC(2026, 10, 22, 1, 30, 0, 999));
  test('{t} is GeneralizedTime in UTC', () => assert.deepEqual(lookup('t'), ['20261122013000Z']));
  test('{t:unix} is seconds since 1970', () => assert.deepEqual(lookup('t:unix'), ['1795311000']));
  test('{t:filetime} is 100 ns since 1601', () => assert.deepEqual(lookup('t:filetime'), ['134397846009990000']));
  test('{t:ad} is GeneralizedTime with a fraction', () => assert.deepEqual(lookup('t:ad'), ['20261122013000.0Z']));
  test('other tokens are looked up as before', () => {
    assert.deepEqual(lookup('u'), ['alice']);
    assert.equal(lookup('constructor'), undefined);
  });

  test('every second is written as the platform writes it, and read back', () => {
    const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
    fc.assert(
      fc.property(seconds, (second) => {
        const text = `${new Date(second * 1000).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
        assert.equal(generalizedTime(second * 1000), text);
        assert.equal(parseGeneralizedTime(text), second * 1000);
      }),
      { numRuns: 500 },
    );
  });
  const rows: readonly [string, number | undefined][] = [
    ['20261122013000+0100', Date.UTC(2026, 10, 22, 0, 30)],
    ['20261122013000-0230', Date.UTC(2026, 10, 22, 4, 0)],
    ['202611220130Z', Date.UTC(2026, 10, 22, 1, 30)],
    ['2026112201Z', Date.UTC(2026, 10, 22, 1)],
    ['2026112201.5Z', Date.UTC(2026, 10, 22, 1, 30)],
    ['20261122013000.25Z', Date.UTC(2026, 10, 22, 1, 30, 0, 250)],
    ['20240229000000Z', Date.UTC(2024, 1, 29)],
    ['20230229000000Z', undefined],
    ['20261322013000Z', undefined],
    ['20261122013000', undefined],
    ['never', undefined],
  ];
  for (const [text, expected] of rows) test(`reads ${text}`, () => assert.equal(parseGeneralizedTime(text), expected));
});
