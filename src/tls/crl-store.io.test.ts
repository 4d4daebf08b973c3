import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { CertificateAuthority } from '../../test/support/certificate-authority.ts';
import type { CrlConfig, CrlSourceConfig } from '../config/schema.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { parseCertificate } from './certificate.ts';
import { type CrlStore, type CrlStoreSettings, openCrlStore } from './crl-store.io.ts';
import { decodePem } from './pem.ts';
import { checkRevocation, type CrlSet } from './revocation.ts';
import { CERTIFICATE_LABEL } from './trust-store.ts';

const HOUR_MS = 3_600_000;
const top = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-crl-store-'));
const root = CertificateAuthority.root(path.join(top, 'root'), '/O=Test/CN=Root CA');
const issuing = root.intermediate(path.join(top, 'issuing'), { subject: '/O=Test/CN=Issuing CA', serial: '02' });
const other = CertificateAuthority.root(path.join(top, 'other'), '/O=Test/CN=Other CA');
/** Same name, another key. */
const forger = CertificateAuthority.root(path.join(top, 'forger'), '/O=Test/CN=Issuing CA');
const certificateOf = (pem: string) => parseCertificate(decodePem(pem, CERTIFICATE_LABEL)[0] as Uint8Array);
const leaf = certificateOf(issuing.issue({ subject: '/O=Test/CN=alice', serial: '1001' }).cert);
const chain = [leaf, certificateOf(issuing.own.cert), certificateOf(root.own.cert)];
const authorities = [root.own.cert + issuing.own.cert];

const rootList = root.crl();
const clear = issuing.crl({ number: 1 });
const revoking = issuing.crl({ number: 2, revoked: ['1001'] });
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');

after(() => fs.rmSync(top, { recursive: true }));

/** Serves what it is told to; undefined = 404. */
async function serve(t: TestContext, body: string | Uint8Array | undefined) {
  const state = { body, requests: 0, url: '' };
  const server = http.createServer((_request, response) => {
    state.requests++;
    response.writeHead(state.body === undefined ? 404 : 200).end(state.body);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cac.crl`;
  return state;
}

const sourceOf = (primaryUrl: string, changes: Partial<CrlSourceConfig> = {}): CrlSourceConfig => ({
  type: 'pem',
  primaryUrl,
  schedule: 'manual',
  enabled: true,
  whenUnavailable: 'refuse',
  whenExpired: 'refuse',
  grace: 0,
  maxSize: 10_000_000,
  timeout: 60_000,
  ...changes,
});

const configOf = (sources: CrlConfig['sources']): CrlConfig => ({
  checkInbound: true,
  checkOutbound: false,
  checkWebInterface: false,
  whenNoSource: 'refuse',
  sources,
});

type Opened = {
  readonly store: CrlStore;
  readonly events: MailEvent[];
  readonly dataDir: string;
  readonly input: (sources: CrlConfig['sources']) => CrlStoreSettings;
  /** What a session of alice would be told now. */
  readonly told: () => string;
  readonly set: () => CrlSet;
  readonly failures: () => string[];
};

let folders = 0;

function open(t: TestContext, sources: CrlConfig['sources'], dataDir = path.join(top, `data-${++folders}`)): Opened {
  const events: MailEvent[] = [];
  let published: CrlSet = { generation: 0, lists: [], sources: [] };
  const input = (next: CrlConfig['sources']): CrlStoreSettings => ({
    points: [],
    settings: configOf(next),
    authorities,
    baseDir: top,
  });
  const store = openCrlStore({
    ...input(sources),
    dataDir,
    clock: { now: () => Date.now() },
    log: { emit: (event) => events.push(event) },
    publish: (set) => {
      published = structuredClone(set);
    },
  });
  t.after(() => store.stop());
  const told = (): string => {
    const verdict = checkRevocation({ path: chain, crls: published, settings: configOf(sources), nowMs: Date.now() });
    return verdict.status === 'refused' ? verdict.rule : verdict.status;
  };
  const failures = (): string[] => events.flatMap((event) => (event.event === 'crl-failed' ? [event.why] : []));
  return { store, events, dataDir, input, told, set: () => published, failures };
}

test('a PEM source with several lists serves every authority on the path', async (t) => {
  const server = await serve(t, rootList + clear);
  const { store, told, events } = open(t, { cac: sourceOf(server.url) });
  assert.equal(told(), 'crl.sources.cac.whenUnavailable');
  await store.start();
  assert.equal(told(), 'good');
  const updated = events.flatMap((event) => (event.event === 'crl-updated' ? [event.issuer] : []));
  assert.deepEqual(updated.toSorted(), ['CN=Issuing CA,O=Test', 'CN=Root CA,O=Test']);
  const [listed] = store.list().sources;
  assert.equal(listed?.url, server.url);
  assert.deepEqual(
    listed?.lists.map(({ entries, crlNumber, age }) => [entries, crlNumber, age]),
    [
      [0, '1', 'fresh'],
      [0, '1', 'fresh'],
    ],
  );
});

test('an ASN.1 source and a file are read too', async (t) => {
  const server = await serve(t, derOf(revoking));
  fs.writeFileSync(path.join(top, 'root.crl'), rootList);
  const { store, told } = open(t, { a: sourceOf(server.url, { type: 'asn1' }), b: sourceOf('file://root.crl') });
  await store.start();
  assert.equal(told(), 'revoked');
});

test('a newer list takes the place of an older one, an older one never does', async (t) => {
  const server = await serve(t, rootList + clear);
  const { store, told, failures } = open(t, { cac: sourceOf(server.url) });
  await store.start();
  server.body = rootList + revoking;
  await store.updateNow('cac');
  assert.equal(told(), 'revoked');
  server.body = rootList + clear;
  const { sources } = await store.updateNow();
  assert.equal(told(), 'revoked');
  assert.match(failures().join(), /older than the copy that is here \(CRL number 1, here 2\)/);
  assert.match(sources[0]?.lastError ?? '', /older/);
});

const NOT_GOOD: readonly (readonly [title: string, body: () => string | Uint8Array | undefined])[] = [
  ['an error page', () => '<html><body>Please log in</body></html>'],
  ['nothing', () => ''],
  ['an error', () => undefined],
  ['a list that is cut off', () => issuing.crl({ number: 9 }).slice(0, 200)],
  ['a list with somebody else’s signature', () => forger.crl({ number: 9 })],
  ['a list of an authority that is not ours', () => other.crl({ number: 9 })],
  ['a list from the future', () => issuing.crl({ number: 9, thisUpdateMs: Date.now() + 24 * HOUR_MS })],
  ['ASN.1 where PEM is configured', () => derOf(issuing.crl({ number: 9 }))],
  ['more than the size bound', () => `${rootList}${'x'.repeat(20_000)}`],
];

test('a download that is not good changes nothing, and the secondary is asked', async (t) => {
  const primary = await serve(t, undefined);
  const secondary = await serve(t, rootList + revoking);
  const { store, told, failures } = open(t, {
    cac: sourceOf(primary.url, { secondaryUrl: secondary.url, maxSize: 10_000 }),
  });
  await store.start();
  assert.equal(told(), 'revoked');
  for (const [title, body] of NOT_GOOD) {
    primary.body = body();
    const [before, failed] = [secondary.requests, failures().length];
    await store.updateNow();
    assert.equal(told(), 'revoked', title);
    assert.equal(secondary.requests, before + 1, title);
    assert.equal(failures().length, failed + 1, title);
  }
});

test('a bundle counts list by list, and what it lacks stays', async (t) => {
  const server = await serve(t, rootList + revoking);
  const { store, told, set } = open(t, { cac: sourceOf(server.url) });
  await store.start();
  server.body = forger.crl({ number: 9 }) + root.crl({ number: 5 });
  await store.updateNow();
  assert.equal(told(), 'revoked');
  assert.deepEqual(
    set()
      .lists.map(({ crlNumber }) => Number(crlNumber))
      .toSorted((a, b) => a - b),
    [2, 5],
  );
});

test('a good primary is asked alone; one that is past its nextUpdate is not enough', async (t) => {
  const late = issuing.crl({ number: 3, thisUpdateMs: Date.now() - 3 * HOUR_MS, nextUpdateMs: Date.now() - HOUR_MS });
  const primary = await serve(t, rootList + clear);
  const secondary = await serve(t, issuing.crl({ number: 4 }));
  const { store, told } = open(t, { cac: sourceOf(primary.url, { secondaryUrl: secondary.url }) });
  await store.start();
  assert.equal(secondary.requests, 0);
  primary.body = rootList + late;
  await store.updateNow();
  assert.equal(secondary.requests, 1);
  assert.equal(told(), 'good');
});

test('after a restart the copy on disk counts although the server is gone', async (t) => {
  const server = await serve(t, rootList + revoking);
  const first = open(t, { cac: sourceOf(server.url) });
  await first.store.start();
  first.store.stop();
  server.body = undefined;
  const again = open(t, { cac: sourceOf(server.url, { schedule: { every: HOUR_MS } }) }, first.dataDir);
  await again.store.start();
  assert.equal(again.told(), 'revoked');
  await again.store.updateNow();
  assert.equal(again.told(), 'revoked');
  assert.match(again.failures().join(), /the server answers 404/);
  assert.equal(again.set().sources[0]?.everGood, true);
});

test('a list that counts when the gateway is stopped is on disk when it has stopped', async (t) => {
  const server = await serve(t, rootList + revoking);
  const { store, told, dataDir } = open(t, { cac: sourceOf(server.url) });
  const starting = store.start();
  // The moment in which sessions get the lists is before the moment in which they are written.
  while (told() !== 'revoked') await new Promise((go) => setImmediate(go));
  store.stop();
  await store.settled();
  const files = fs.readdirSync(path.join(dataDir, 'crl', 'cac')).map((name) => path.extname(name));
  assert.deepEqual(files.toSorted(), ['.crl', '.crl', '.json']);
  await starting;
});

test('a copy on disk that was tampered with is not used', async (t) => {
  const server = await serve(t, rootList + clear);
  const first = open(t, { cac: sourceOf(server.url) });
  await first.store.start();
  first.store.stop();
  const folder = path.join(first.dataDir, 'crl', 'cac');
  for (const name of fs.readdirSync(folder).filter((each) => each.endsWith('.crl'))) {
    const bytes = fs.readFileSync(path.join(folder, name));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    fs.writeFileSync(path.join(folder, name), bytes);
  }
  server.body = undefined;
  const again = open(t, { cac: sourceOf(server.url) }, first.dataDir);
  await again.store.start();
  assert.equal(again.set().lists.length, 0);
  assert.equal(again.told(), 'crl.whenNoSource');
});

test('SIGHUP fetches every source again and drops those that are gone', async (t) => {
  const server = await serve(t, rootList + clear);
  const extra = await serve(t, revoking);
  const { store, told, set, input } = open(t, { cac: sourceOf(server.url), extra: sourceOf(extra.url) });
  await store.start();
  assert.equal(told(), 'revoked');
  await store.reconfigure(input({ cac: sourceOf(server.url) }));
  assert.equal(server.requests, 2);
  assert.equal(extra.requests, 1);
  assert.equal(told(), 'good');
  await store.reconfigure({ ...input({ cac: sourceOf(server.url) }), authorities: [other.own.cert] });
  assert.equal(set().lists.length, 0);
});

test('an update that is under way is joined', async (t) => {
  const server = await serve(t, rootList + clear);
  const { store } = open(t, { cac: sourceOf(server.url) });
  await store.start();
  await Promise.all([store.updateNow(), store.updateNow('cac'), store.updateNow()]);
  assert.equal(server.requests, 2);
  await assert.rejects(store.updateNow('none'), /no enabled CRL source none/);
});

test('a big list is parsed in a thread of its own', async (t) => {
  const serials = Array.from({ length: 40_000 }, (_, i) => (0x10000000 + i).toString(16));
  const big = issuing.crl({ number: 6, revoked: [...serials, '1001'] });
  assert.ok(big.length > 1024 * 1024);
  const server = await serve(t, rootList + big);
  const first = open(t, { cac: sourceOf(server.url) });
  await first.store.start();
  assert.equal(first.told(), 'revoked');
  assert.equal(first.store.list().sources[0]?.lists.find(({ crlNumber }) => crlNumber === '6')?.entries, 40_001);
  first.store.stop();
  server.body = undefined;
  const again = open(t, { cac: sourceOf(server.url) }, first.dataDir);
  await again.store.start();
  assert.equal(again.told(), 'revoked');
});

test('a list that is about to expire, and one that has expired, are each told once', async (t) => {
  const now = Date.now();
  const expiring = root.crl({ number: 3, thisUpdateMs: now - 100 * HOUR_MS, nextUpdateMs: now + HOUR_MS });
  const late = issuing.crl({ number: 3, thisUpdateMs: now - 3 * HOUR_MS, nextUpdateMs: now - HOUR_MS });
  const server = await serve(t, expiring + late);
  const { store, told, events, input } = open(t, { cac: sourceOf(server.url) });
  await store.start();
  assert.equal(told(), 'crl.sources.cac.whenExpired');
  await store.updateNow();
  await store.reconfigure(input({ cac: sourceOf(server.url) }));
  const alerts = events.flatMap((event) => (event.event === 'crl-alert' ? [`${event.issuer} ${event.age}`] : []));
  assert.equal(alerts.filter((text) => /Root CA.* expiring/.test(text)).length, 1);
  assert.equal(alerts.filter((text) => /Issuing CA.* expired/.test(text)).length, 1);
  assert.equal(alerts.length, 2);
});

test('a server that hangs holds the start no longer than the source allows', async (t) => {
  const server = http.createServer(() => undefined);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { store, told, failures } = open(t, { cac: sourceOf(url, { timeout: 100 }) });
  await store.start();
  assert.match(failures().join(), /not finished after 0.1 s/);
  assert.equal(told(), 'crl.sources.cac.whenUnavailable');
});

test('a source runs by its schedule', async (t) => {
  const server = await serve(t, rootList + clear);
  const { store, events, told } = open(t, { cac: sourceOf(server.url, { schedule: { every: 1000 } }) });
  await store.start();
  const updated = new Promise<void>((resolve) => {
    const push = events.push.bind(events);
    events.push = (...added: MailEvent[]) => {
      if (added.some((event) => event.event === 'crl-updated')) resolve();
      return push(...added);
    };
  });
  server.body = rootList + revoking;
  await updated;
  assert.equal(told(), 'revoked');
});

test('half-written files of a crash are not read', async (t) => {
  const server = await serve(t, undefined);
  const opened = open(t, { cac: sourceOf(server.url) });
  const folder = path.join(opened.dataDir, 'crl', 'cac');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, '.0123.crl.new'), derOf(clear).subarray(0, 50));
  await opened.store.start();
  assert.equal(opened.set().lists.length, 0);
  assert.deepEqual(
    opened.events.filter(({ event }) => event === 'system'),
    [],
  );
});
