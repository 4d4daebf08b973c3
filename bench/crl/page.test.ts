import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPage } from './page.ts';

const waits = { replies: 100, longestMs: 12, p999Ms: 9 };
const arrival = { updateMs: 1500, beforeMb: 120, peakMb: 220, afterMb: 150, waits };

test('the page shows what was measured, and a library that refuses in its own words', () => {
  const page = renderPage({
    rows: [
      {
        what: 'load',
        entries: 1_000_000,
        result: { entries: 1_000_000, loadMs: 900, cpuMs: 800, blockedMs: 2, peakMb: 45, keptMb: 24, lookupUs: 0.4 },
      },
      { what: 'peculiar', entries: 1_000_000, refused: 'too long' },
    ],
    gateway: { idleMb: 118, quiet: waits, arrivals: [{ ...arrival, afterMb: 130 }, arrival] },
    machine: 'one processor',
    versions: 'Node',
  });
  assert.match(page, /1,000,000 \| 900 ms \| 2\.0 ms \| 45 MB \| 24 MB \| 0\.40 µs/);
  assert.match(page, /refuses it: too long/);
  assert.match(page, /a million entries add 20 MB/);
  assert.match(page, /the first million \| 1500 ms \| 120 MB \| 100 MB \| 150 MB \| 12 ms/);
});
