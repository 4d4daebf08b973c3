import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measured } from './measure.ts';
import { type CrlReport, renderPage } from './page.ts';

const wait = { count: 100, p99Ms: 9, longestMs: 12, ownPauseMs: 2 };
const clients = { open: wait, fresh: { ...wait, longestMs: 31 } };
const arrival = { title: 'a million', updateMs: 1500, beforeMb: 120, peakMb: 220, afterMb: 150, ...clients };
const result: Measured = {
  entries: 1_000_000,
  loadMs: 900,
  cpuMs: 800,
  blockedMs: 2,
  peakMb: 45,
  keptMb: 24,
  lookupUs: 0.4,
};
const report = (changes: Partial<CrlReport> = {}): CrlReport => ({
  rows: [
    { what: 'load', entries: 1000, results: [{ ...result, entries: 1000, lookupUs: 0.3 }] },
    { what: 'load', entries: 1_000_000, results: [result, { ...result, loadMs: 1100, peakMb: 50 }] },
    { what: 'peculiar', entries: 1_000_000, results: [], refused: 'too long' },
  ],
  gateway: { idleMb: 118, quiet: clients, arrivals: [arrival, { ...arrival, afterMb: 140 }] },
  machine: 'one processor',
  versions: 'Node',
  load: 0.25,
  ...changes,
});

test('the page shows what was measured, and a library that refuses in its own words', () => {
  const page = renderPage(report());
  assert.match(page, /1,000,000 \| 1000 ms \(900–1100 ms\) \| 800 ms \| 2\.0 ms \| 50 MB \| 24 MB \| 0\.40 µs/);
  assert.match(page, /refuses it: too long/);
  assert.match(page, /load average 0\.3/);
  assert.match(page, /all these lists added 20 MB/);
  assert.match(
    page,
    /a million \| 1500 ms \| 120 MB \| 100 MB \| 150 MB \| 9\.0 ms \| 12 ms \| 2\.0 ms \| 9\.0 ms \| 31 ms/,
  );
});

test('each target is judged by the worst run', () => {
  assert.doesNotMatch(renderPage(report()), /missed/);
  const slow = report().rows.map((row) =>
    row.entries === 1_000_000 ? { ...row, results: [result, { ...result, loadMs: 2100 }] } : row,
  );
  assert.match(renderPage(report({ rows: slow })), /under 2 s \| 2100 ms \| \*\*missed\*\*/);
  const late = { ...arrival, open: { ...wait, longestMs: 51 } };
  const gateway = { ...report().gateway, arrivals: [arrival, late, arrival] };
  assert.match(renderPage(report({ gateway })), /at most 50 ms \| 51 ms \(99 %: 9\.0 ms\) \| \*\*missed\*\*/);
});
