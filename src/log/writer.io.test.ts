import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mid } from '../core/ids.ts';
import { createMetrics } from './metrics.ts';
import { openMailLog } from './writer.io.ts';

const START = Date.UTC(2026, 10, 24, 13, 31, 0);
const mid = 6 as Mid;

function open(format: 'text' | 'json', onWrite: () => void = () => undefined) {
  const written: string[] = [];
  const clock = { at: START, now: () => clock.at };
  const metrics = createMetrics();
  const write = (text: string): void => {
    written.push(text);
    onWrite();
  };
  return { log: openMailLog({ format, write, clock, metrics }), written, clock, metrics };
}

test('lines leave together, each with its line end', () => {
  const { log, written } = open('json');
  log.emit({ event: 'message-queued', mid });
  log.emit({ event: 'message-done', mid });
  assert.deepEqual(written, []);
  log.flush();
  log.flush();
  assert.equal(written.length, 1);
  const lines = (written[0] ?? '').split('\n');
  assert.deepEqual(
    lines.slice(0, 2).map((line) => JSON.parse(line).event),
    ['message-queued', 'message-done'],
  );
  assert.deepEqual(lines.slice(2), ['']);
});

test('nobody needs to flush while the program runs', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { log, written } = open('text', resolve);
  const alive = setInterval(() => undefined, 1000); // the timer of the log does not keep a process alive
  log.emit({ event: 'message-done', mid });
  await promise;
  clearInterval(alive);
  assert.match(written[0] ?? '', /^\w{3} Nov 2\d \d\d:\d1:00 2026 Info: Message finished MID 6 done\n$/);
});

test('a full batch leaves at once', () => {
  const { log, written } = open('text');
  for (let i = 0; i < 100; i++) log.emit({ event: 'system', level: 'info', text: 'x'.repeat(1000) });
  assert.equal(written.length, 1);
  assert.ok((written[0]?.length ?? 0) >= 65_536);
  assert.ok(written[0]?.endsWith('\n'));
});

test('the time of a line is that of its event', () => {
  const { log, written, clock } = open('text');
  for (const step of [0, 999, 1000, 61_000]) {
    clock.at = START + step;
    log.emit({ event: 'message-done', mid });
  }
  log.flush();
  const seconds = (written[0] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[3]?.slice(3));
  assert.deepEqual(seconds, ['31:00', '31:00', '31:01', '32:01']);
});

test('what is written is counted', () => {
  const { log, metrics } = open('text');
  log.emit({ event: 'message-queued', mid });
  assert.equal(metrics.snapshot().series.get('sallyport_messages_received_total'), 1);
});
