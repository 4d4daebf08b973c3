import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crlGauges } from './crl-gauges.ts';
import type { ListedCrl } from './crl-listing.ts';

const NOW_MS = 1_800_000_000_000;
const list = (changes: Partial<ListedCrl> = {}): ListedCrl => ({
  issuer: 'CN=CA',
  entries: 3,
  bytes: 500,
  thisUpdateMs: NOW_MS - 60_000,
  nextUpdateMs: NOW_MS + 3_600_000,
  delta: false,
  partial: false,
  age: 'fresh',
  ...changes,
});
const series = (...lists: readonly ListedCrl[]): ReadonlyMap<string, number> =>
  crlGauges({
    nowMs: NOW_MS,
    sources: [{ name: 'cac', enabled: true, schedule: 'manual', everGood: true, lists }],
  }).series;
const of = (kind: string): string => `{source="cac",issuer="CN=CA",kind="${kind}"}`;

test('each issuer has its entries, its age and its seconds to nextUpdate', () => {
  const found = series(list());
  assert.equal(found.get(`sallyport_crl_entries${of('complete')}`), 3);
  assert.equal(found.get(`sallyport_crl_age_seconds${of('complete')}`), 60);
  assert.equal(found.get(`sallyport_crl_next_update_seconds${of('complete')}`), 3600);
  assert.equal(found.get(`sallyport_crl_expired${of('complete')}`), 0);
  assert.equal(found.get(`sallyport_crl_expiring${of('complete')}`), 0);
  assert.equal(series(list({ age: 'expiring' })).get(`sallyport_crl_expiring${of('complete')}`), 1);
});

test('a list that has expired counts below zero, a delta by itself, and partitions together', () => {
  const late = list({ nextUpdateMs: NOW_MS - 5000, age: 'expired', partial: true });
  const found = series(late, list({ partial: true, entries: 4 }), list({ delta: true, entries: 1 }));
  assert.equal(found.get(`sallyport_crl_next_update_seconds${of('partial')}`), -5);
  assert.equal(found.get(`sallyport_crl_expired${of('partial')}`), 1);
  assert.equal(found.get(`sallyport_crl_entries${of('partial')}`), 7);
  assert.equal(found.get(`sallyport_crl_entries${of('delta')}`), 1);
});

test('without lists there is nothing, and no counter of another registry', () => {
  assert.deepEqual([...series().keys()], []);
});
