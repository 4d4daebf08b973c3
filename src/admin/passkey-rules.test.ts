import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counterWentBack, relyingPartyOf } from './passkey-rules.ts';

test('passkeys belong to the host of the first origin, and work from the origins under it', () => {
  const origins = [
    'https://gw.example.test:8443',
    'https://a.gw.example.test',
    'https://example.test',
    'https://xgw.example.test',
  ];
  assert.deepEqual(relyingPartyOf(origins), {
    id: 'gw.example.test',
    origins: ['https://gw.example.test:8443', 'https://a.gw.example.test'],
  });
});

test('there are no passkeys without a host name', () => {
  for (const origins of [[], ['https://192.0.2.1:8443'], ['https://[2001:db8::1]'], ['nonsense']])
    assert.equal(relyingPartyOf(origins), undefined);
});

test('a counter must grow, unless it was never anything but zero', () => {
  const cases = [
    [0, 0, false],
    [0, 1, false],
    [1, 2, false],
    [1, 1, true],
    [2, 1, true],
    [1, 0, true],
  ] as const;
  for (const [stored, given, back] of cases) assert.equal(counterWentBack(stored, given), back, `${stored} ${given}`);
});
