import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCrlList } from './crl.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
const HOUR_MS = 3_600_000;

test('crl list shows source, address, entries, dates, number and the next fetch', () => {
  const text = renderCrlList({
    nowMs: NOW_MS,
    sources: [
      {
        name: 'cac',
        enabled: true,
        schedule: 'every 1h',
        everGood: true,
        url: 'http://crl.test/cac.crl',
        lastSuccessMs: NOW_MS - 600_000,
        lastError: 'http://crl.test/cac.crl: connection refused',
        nextRunMs: NOW_MS + 3_000_000,
        lists: [
          {
            issuer: 'CN=Issuing CA',
            entries: 1,
            bytes: 300,
            thisUpdateMs: NOW_MS - HOUR_MS,
            nextUpdateMs: NOW_MS + 48 * HOUR_MS,
            crlNumber: '7',
            delta: false,
            partial: false,
            age: 'fresh',
          },
          {
            issuer: 'CN=Root\nCA',
            entries: 12,
            bytes: 300,
            thisUpdateMs: NOW_MS - 50 * HOUR_MS,
            nextUpdateMs: NOW_MS - HOUR_MS,
            delta: true,
            partial: true,
            age: 'expired',
          },
        ],
      },
      { name: 'off', enabled: false, schedule: 'manual', everGood: false, lists: [] },
      { name: 'new', enabled: true, schedule: 'manual', everGood: false, lists: [] },
    ],
  });
  assert.equal(
    text,
    `cac  every 1h, next in 50 min
  fetched    10 min ago from http://crl.test/cac.crl
  error      http://crl.test/cac.crl: connection refused
  CN=Issuing CA
    1 entry, CRL number 7
    thisUpdate 2026-11-24 11:00:00Z (1 h ago), nextUpdate 2026-11-26 12:00:00Z (in 2 d)
  CN=Root?CA (delta, partial)
    12 entries, expired
    thisUpdate 2026-11-22 10:00:00Z (2 d ago), nextUpdate 2026-11-24 11:00:00Z (1 h ago)

off  disabled

new  manual
  fetched    never
  no good copy yet
`,
  );
});

test('without sources crl list says so', () => {
  assert.equal(renderCrlList({ nowMs: 0, sources: [] }), 'No CRL sources are configured.\n');
});
