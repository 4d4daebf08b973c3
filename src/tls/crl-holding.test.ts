/** Which lists of unknown issuers a source holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeForeign } from './crl-holding.ts';
import type { ForeignCrl, LoadedForeignCrl } from './crl-issuer.ts';

const MIB = 1024 * 1024;
const list = (sha256: string, changes: Partial<ForeignCrl> = {}): LoadedForeignCrl => ({
  crl: { issuerKey: 'a', scopeId: '', bytes: 1000, sha256, ...changes } as ForeignCrl,
  der: new Uint8Array(),
});
const crls = (lists: readonly LoadedForeignCrl[]): ForeignCrl[] => lists.map(({ crl }) => crl);
const names = (lists: readonly ForeignCrl[]): string[] => lists.map(({ sha256 }) => sha256);

test('of lists that say they are the same one the latest four are held', () => {
  let held: readonly ForeignCrl[] = [];
  for (const each of ['1', '2', '3', '4', '5', '6']) held = mergeForeign(held, [list(each)]).held;
  assert.deepEqual(names(held), ['6', '5', '4', '3']);
  const others = [list('d', { baseCrlNumber: 1n }), list('s', { scopeId: '30' }), list('i', { issuerKey: 'b' })];
  assert.deepEqual(names(mergeForeign(held, others).held), ['d', 's', 'i', '6', '5', '4', '3']);
});

test('what comes again is not new, what is given up is told', () => {
  const before = crls(['4', '3', '2', '1'].map((each) => list(each)));
  const { held, taken, dropped } = mergeForeign(before, [list('5'), list('3'), list('5')]);
  assert.deepEqual(names(held), ['5', '3', '4', '2']);
  assert.deepEqual(names(crls(taken)), ['5']);
  assert.deepEqual(names(dropped), ['1']);
});

test('a download that fills its share does not drive out what was there before', () => {
  const before = crls([list('true', { bytes: 3 * MIB })]);
  const forged = Array.from({ length: 100 }, (_, i) => list(`f${i}`, { scopeId: String(i), bytes: MIB }));
  const { held } = mergeForeign(before, forged);
  assert.deepEqual(names(held), ['f0', 'f1', 'f2', 'f3', 'true']);
});
