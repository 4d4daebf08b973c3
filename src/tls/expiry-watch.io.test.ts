import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { authority, certificate, ecKeys, type Issuer, name, pem } from '../../test/pkits/certificate-writer.ts';
import type { Material } from '../config/schema.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { renderMessage } from '../log/mail-log.ts';
import { renderPrometheus } from '../log/metrics.ts';
import { ExpiryWatch } from './expiry-watch.io.ts';
import type { CrlList } from './revocation.ts';

const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2027, 0, 1);
const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-expiry-'));
after(() => rmSync(dataDir, { recursive: true }));

const utc = (ms: number): string => `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`;
const until = (commonName: string, endMs: number, more: Parameters<typeof certificate>[0] = {}): Issuer =>
  certificate({ subject: name(`CN=${commonName}`), notAfter: utc(endMs), ...more });

function material(certificates: Record<string, Issuer[]>, authorities: Record<string, Issuer[]> = {}): Material {
  const pems = (made: readonly Issuer[]): string => made.map(({ der }) => pem(der)).join('');
  return {
    certificates: Object.fromEntries(
      Object.entries(certificates).map(([key, made]) => [key, { certPem: pems(made), keyPem: '' }]),
    ),
    authorities: Object.fromEntries(Object.entries(authorities).map(([key, made]) => [key, pems(made)])),
  } as unknown as Material;
}

/** A watch whose clock the test moves; `lines` are what the log got. */
function watchAt(startMs: number, folder = dataDir) {
  const lines: string[] = [];
  const events: MailEvent[] = [];
  const clock = { ms: startMs, now: () => clock.ms };
  const emit = (event: MailEvent): void => {
    events.push(event);
    lines.push(renderMessage(event));
  };
  const watch = new ExpiryWatch({ dataDir: folder, clock, log: { emit } });
  return { watch, clock, lines, events };
}

const folderOf = (title: string): string => mkdtempSync(join(dataDir, title));

test('a gateway certificate, an authority and a list are each told of in their own words', () => {
  const { watch, lines } = watchAt(END_MS - 29.5 * DAY_MS, folderOf('words'));
  const list = { source: 'cac', issuer: 'CN=Issuing', sha256: 'x', thisUpdateMs: END_MS - 100 * DAY_MS };
  watch.setMaterial(
    material({ gateway: [until('gw.example.test', END_MS)] }, { cac: [until('Root', END_MS - 60 * DAY_MS)] }),
  );
  watch.setLists([{ ...list, nextUpdateMs: END_MS - 25 * DAY_MS } as unknown as CrlList]);
  assert.deepEqual(lines, [], 'nothing is told before the gateway has started');
  watch.start();
  watch.stop();
  assert.deepEqual(lines, [
    'Critical: Certificate authority cac (CN=Root) has expired, 30 days ago: 2026-11-02T00:00:00.000Z',
    'Warning: Revocation list of source cac (CN=Issuing) expires in 4 days: 2026-12-07T00:00:00.000Z',
    'Warning: Certificate gateway (CN=gw.example.test) expires in 29 days: 2027-01-01T00:00:00.000Z',
  ]);
});

test('each step is told once, a restart in between or not', () => {
  const folder = folderOf('restart');
  const config = material({ gateway: [until('gw', END_MS)] });
  const told = (days: number): number => {
    const { watch, lines } = watchAt(END_MS - days * DAY_MS, folder);
    watch.setMaterial(config);
    watch.start();
    watch.setMaterial(config);
    watch.setLists([]);
    watch.stop();
    return lines.length;
  };
  assert.deepEqual(
    [100, 90, 89, 61, 59.5, 59, 29, 0.5, 0.2, -0.5, -0.9, -1.5, -2.5].map(told),
    [0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1],
  );
});

test('a renewed certificate is silent, its predecessor in the same file too', () => {
  const { watch, lines } = watchAt(END_MS - 10 * DAY_MS, folderOf('renewed'));
  const keys = ecKeys();
  watch.start();
  watch.setMaterial(material({}, { cac: [until('Root', END_MS, { keys })] }));
  assert.equal(lines.length, 1);
  const renewed = until('Root', END_MS + 3650 * DAY_MS, { keys, serial: [2] });
  watch.setMaterial(material({}, { cac: [until('Root', END_MS, { keys }), renewed] }));
  watch.stop();
  assert.equal(lines.length, 1);
});

test('a list that lives for a week is told of at 5, 4, 3, 2 and 1 days and on each day after, not on arrival', () => {
  const { watch, clock, events } = watchAt(END_MS - 7 * DAY_MS, folderOf('week'));
  const weekly = {
    source: 'cac',
    issuer: 'CN=I',
    sha256: 'x',
    thisUpdateMs: END_MS - 7 * DAY_MS,
    nextUpdateMs: END_MS,
  };
  watch.start();
  const days: number[] = [];
  for (const left of [7, 6.5, 5, 4, 3, 2.5, 2, 1, 0.5, -0.5, -1.5]) {
    clock.ms = END_MS - left * DAY_MS;
    const before = events.length;
    watch.setLists([weekly as unknown as CrlList]);
    if (events.length > before) days.push(left);
  }
  watch.stop();
  // The first day after its end is told by `crl-alert`, in the moment of the end.
  assert.deepEqual(days, [5, 4, 3, 2, 1, -1.5]);
});

test('many at once fill no log: fifty are named, the others counted', () => {
  const { watch, lines } = watchAt(END_MS - 10 * DAY_MS, folderOf('many'));
  watch.start();
  watch.setMaterial(material({}, { old: Array.from({ length: 60 }, (_, i) => until(`Old ${i}`, END_MS)) }));
  watch.stop();
  assert.equal(lines.length, 51);
  assert.match(lines[50] ?? '', /^Warning: 10 more certificates/);
});

test('metrics have the soonest end of each certificate and authority, and none of one that is gone', () => {
  const { watch } = watchAt(END_MS - 200 * DAY_MS, folderOf('metrics'));
  const chain = [until('gw', END_MS), until('Sub', END_MS - 50 * DAY_MS)];
  watch.setMaterial(material({ gateway: chain }, { cac: [authority(name('CN=Root'))] }));
  const text = renderPrometheus(watch.metrics());
  const soonest = (END_MS - 50 * DAY_MS) / 1000;
  assert.ok(
    text.includes(`sallyport_certificate_expiry_timestamp_seconds{of="certificate",name="gateway"} ${soonest}\n`),
    text,
  );
  assert.match(text, /sallyport_certificate_expiry_timestamp_seconds\{of="authority",name="cac"\} 2208988800\n/);
  watch.setMaterial(material({}));
  assert.doesNotMatch(renderPrometheus(watch.metrics()), /_timestamp_seconds\{/);
});

test('a damaged memory of what was told is no obstacle', () => {
  for (const content of ['', '{', '[]', '{"told":{"a":"b"}}', 'null']) {
    const folder = folderOf('damaged');
    writeFileSync(join(folder, 'expiry-notices.json'), content);
    const { watch, lines } = watchAt(END_MS - 10 * DAY_MS, folder);
    watch.setMaterial(material({ gateway: [until('gw', END_MS)] }));
    watch.start();
    watch.stop();
    assert.equal(lines.length, 1, content);
  }
});

test('where the data folder cannot be written the notices are given all the same', () => {
  const { watch, lines } = watchAt(END_MS - 10 * DAY_MS, join(dataDir, 'missing'));
  watch.setMaterial(material({ gateway: [until('gw', END_MS)] }));
  watch.start();
  watch.setLists([]);
  watch.stop();
  assert.equal(lines.filter((line) => line.startsWith('Warning: Certificate gateway')).length, 1);
  assert.match(lines.join('\n'), /cannot keep expiry-notices\.json/);
});
