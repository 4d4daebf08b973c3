/** The page and the picture say what was measured, and do not count what was not valid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPage } from './page.ts';
import { renderPicture } from './picture.ts';
import type { Report } from './report.ts';
import { pairedRatio, summary } from './statistics.ts';
import { type Measurement, measurement } from './workloads.ts';

const run = (cpu: number, more: Partial<Measurement> = {}): Measurement => ({
  cpu,
  rate: 1000 / cpu,
  p50: 5,
  p99: 10,
  failures: 0,
  firstFailure: '',
  others: 0,
  stolen: 0,
  ...more,
});

const reportOf = (results: Readonly<Record<string, readonly Measurement[]>>): Report => ({
  day: '2026-11-25',
  machine: { processor: 'A & B <C>', cores: 2, memoryMb: 24_000, kernel: '6.18', disk: 'a disk', counting: 'a group' },
  rounds: 3,
  seconds: 2,
  peers: [{ name: 'sallyport', version: '0.1.0', what: 'everything' }],
  workloads: [{ name: 'W1', results: new Map(Object.entries(results)) }],
  rows: [
    {
      name: 'fsync',
      title: 'group commit',
      findings: [
        { what: 'syncs', value: '0.1', target: 'below 0.2', met: true },
        { what: 'other', value: '7' },
      ],
    },
  ],
});

test('a server stands with median, spread, and the ratio of the rounds', () => {
  const page = renderPage(reportOf({ postfix: [run(4), run(5), run(6)], sallyport: [run(1), run(2), run(1.5)] }));
  assert.match(page, /\| \*\*sallyport\*\* \| 1\.50 \| 1\.00 … 2\.00 \|/);
  assert.match(page, /\| postfix \| 5\.00 \| 4\.00 … 6\.00 \| 4\.00 × cheaper \|/);
  assert.match(page, /W1: sessions a second, 32 at a time \| twice Postfix’s \| 3\.33 × \| met \|/);
  assert.match(page, /syncs \| below 0\.2 \| 0\.1 \| met/);
});

test('a run with a wrong reply is in no figure, and the target is missed', () => {
  const bad = run(0.1, { failures: 2, firstFailure: 'final dot: unexpected reply: 452 a|b' });
  const page = renderPage(reportOf({ sallyport: [run(1), bad, run(1)], postfix: [run(4), run(4), run(4)] }));
  assert.match(
    page,
    /\| \*\*sallyport\*\* \| 1\.00 \| 1\.00 … 1\.00 \|.*INVALID: 1 run\(s\) with failures\*\* \(final dot: unexpected reply: 452 a\/b\)/,
  );
  assert.match(page, /at most 1\.8 CPU-s per 1,000 sessions \| 1\.00 \| \*\*missed\*\*/);
});

test('a server that never gave a right answer has no figure and no bar', () => {
  const report = reportOf({ sallyport: [run(1)], postfix: [run(4, { failures: 1, firstFailure: 'greeting' })] });
  assert.match(renderPage(report), /\| postfix \| – \| – \|/);
  assert.doesNotMatch(renderPicture(report), />postfix</);
});

test('the longest bar is the dearest server, and text is escaped', () => {
  const picture = renderPicture(reportOf({ sallyport: [run(1)], postfix: [run(4)] }));
  const widths = [...picture.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [
    kind,
    Number(width),
  ]);
  assert.deepEqual(widths, [
    ['own', 165],
    ['bar', 660],
  ]);
  assert.match(picture, /A &amp; B &lt;C&gt;/);
});

test('rounds are compared in pairs and an even number of values has the mean of the middle two', () => {
  assert.equal(pairedRatio([1, 20, 3], [1, 10, 2]), 1.5);
  assert.deepEqual(summary([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4, runs: 4 });
});

test('a load without a single session is a failure with no cost', () => {
  const nothing = { count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  const report = {
    sessions: 0,
    messages: 0,
    failures: 0,
    resumed: 0,
    dropped: 0,
    seconds: 2,
    clientCpuSeconds: 0,
    protocol: '',
    firstFailure: '',
    session: nothing,
    handshake: nothing,
    accepted: nothing,
  };
  const found = measurement({ per: 'session' }, report, { serverCpu: 1, machineBusy: 2, machineStolen: 0 });
  assert.equal(found.failures, 1);
  assert.ok(Number.isNaN(found.cpu));
});
