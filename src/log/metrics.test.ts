import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Icid } from '../core/ids.ts';
import type { MailEvent } from './mail-event.ts';
import { MAIL_EVENT_SAMPLES } from './mail-event-samples.ts';
import { countEvent, createMetrics, describeMetrics, mergeSnapshots, renderPrometheus } from './metrics.ts';

const samples = Object.values(MAIL_EVENT_SAMPLES).map(({ sample }): MailEvent => sample);
const icid = 1 as Icid;

test('every event is counted under its name', () => {
  const metrics = createMetrics();
  for (const event of samples) countEvent(metrics, event);
  const text = renderPrometheus(metrics.snapshot());
  for (const { event } of samples) {
    assert.ok(text.includes(`sallyport_mail_events_total{event="${event}"} 1\n`), event);
  }
});

test('people who are not allowed are counted without a label, from zero', () => {
  const metrics = createMetrics();
  const value = () => /^sallyport_smtp_auth_not_allowed_total (\d+)$/m.exec(renderPrometheus(metrics.snapshot()))?.[1];
  assert.equal(value(), '0');
  for (const action of ['monitor', 'reject'] as const) {
    countEvent(metrics, { event: 'auth-not-allowed', icid, user: 'alice', action, profile: 'password' });
  }
  assert.equal(value(), '2');
});

test('no user, address or client word becomes a label', () => {
  const metrics = createMetrics();
  for (const event of samples) countEvent(metrics, event);
  countEvent(metrics, {
    event: 'auth-failed',
    icid,
    user: 'mallory',
    mechanism: 'X-EVIL',
    profile: 'password',
    reason: 'no',
  });
  const text = renderPrometheus(metrics.snapshot());
  for (const word of ['alice', 'bob', 'mallory', 'X-EVIL', '127.0.0.1"', '198.51.100.7', 'example.net', 'Minutes']) {
    assert.ok(!text.includes(word), word);
  }
});

test('the number of series is bounded', () => {
  const metrics = createMetrics();
  for (let i = 0; i < 5000; i++) metrics.add('sallyport_connections_total', 1, { listener: `l${i}` });
  const { series } = metrics.snapshot();
  assert.ok(series.size <= 2001, String(series.size));
  const sum = [...series].reduce(
    (total, [key, value]) => total + (key.startsWith('sallyport_connections_total') ? value : 0),
    0,
  );
  assert.equal(sum, 5000);
});

test('a label value is escaped and bounded', () => {
  const metrics = createMetrics();
  metrics.add('sallyport_connections_total', 1, { listener: 'a"b\\c\nd\re\u2028' });
  metrics.add('sallyport_connections_total', 1, { listener: 'x'.repeat(5000) });
  const lines = renderPrometheus(metrics.snapshot())
    .split('\n')
    .filter((line) => line.startsWith('sallyport_connections_total'));
  assert.equal(lines[0], String.raw`sallyport_connections_total{listener="a\"b\\c\nd?e?"} 1`);
  assert.equal(lines[1], `sallyport_connections_total{listener="${'x'.repeat(200)}"} 1`);
});

test('snapshots of threads add up; a directory that one thread finds down is down', () => {
  const [a, b] = [createMetrics(), createMetrics()];
  a.add('sallyport_messages_received_total', 2);
  b.add('sallyport_messages_received_total', 3);
  const directory = { event: 'directory', server: 'corp', host: 'ldap://a', hostsUp: 1 } as const;
  countEvent(a, { ...directory, up: true });
  countEvent(b, { ...directory, up: false });
  const merged = mergeSnapshots([a.snapshot(), structuredClone(b.snapshot())]);
  assert.equal(merged.series.get('sallyport_messages_received_total'), 5);
  assert.equal(merged.series.get('sallyport_directory_up{server="corp",host="ldap://a"}'), 0);
  assert.deepEqual(mergeSnapshots([]).series, new Map());
});

test('a snapshot does not change afterwards', () => {
  const metrics = createMetrics();
  const before = metrics.snapshot();
  metrics.add('sallyport_messages_received_total');
  assert.equal(before.series.get('sallyport_messages_received_total'), 0);
});

test('the text format names, explains and types each metric once, before its series', () => {
  const metrics = createMetrics();
  for (const event of samples) countEvent(metrics, event);
  let current = '';
  const seen = new Set<string>();
  for (const line of renderPrometheus(metrics.snapshot()).trimEnd().split('\n')) {
    const help = /^# HELP (\w+) \S.*$/.exec(line);
    if (help !== null) {
      current = help[1] ?? '';
      assert.ok(!seen.has(current), current);
      seen.add(current);
    } else if (line.startsWith('#')) assert.match(line, new RegExp(`^# TYPE ${current} (counter|gauge)$`));
    else assert.match(line, new RegExp(`^${current}(\\{\\w+="[^"\\n]*"(,\\w+="[^"\\n]*")*\\})? -?\\d+(\\.\\d+)?$`));
  }
  assert.ok(seen.size > 30, String(seen.size));
});

test('a counter ends in _total, a gauge does not', () => {
  for (const { name, type } of describeMetrics()) assert.equal(name.endsWith('_total'), type === 'counter', name);
});
