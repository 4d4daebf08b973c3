import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { extension, makeCertificate, makeCrl, newAuthority, toPem, tlv } from '../../test/support/crl-maker.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { CrlPoints, MAX_POINTS } from './crl-points.io.ts';
import type { PointProfile } from './crl-points.ts';
import { CrlParser } from './crl-parse.io.ts';
import { openCrlStore } from './crl-store.io.ts';
import type { CrlSet } from './revocation.ts';

const HOUR_MS = 3_600_000;
const top = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-crl-points-'));
after(() => fs.rmSync(top, { recursive: true }));

const ca = newAuthority('Test CA');
const caPem = toPem('CERTIFICATE', makeCertificate({ subject: ca, issuer: ca, serial: 1, ca: true }));
const stranger = newAuthority('Intermediate that clients send');
const dates = { thisUpdateMs: Date.now() - HOUR_MS, nextUpdateMs: Date.now() + HOUR_MS };

/** Answers with what `body` says for a path; holds the answers back while `held`. */
async function serve(t: TestContext, body: (url: string) => Uint8Array | undefined) {
  const state = { open: 0, most: 0, requests: [] as string[], url: '', held: false, release: () => {} };
  const waiting: (() => void)[] = [];
  state.release = () => {
    state.held = false;
    for (const answer of waiting.splice(0)) answer();
  };
  const server = http.createServer((request, response) => {
    state.requests.push(request.url ?? '');
    state.open += 1;
    state.most = Math.max(state.most, state.open);
    const answer = (): void => {
      state.open -= 1;
      const bytes = body(request.url ?? '');
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
    };
    if (state.held) waiting.push(answer);
    else answer();
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

let opened = 0;

function open(t: TestContext, url: string, folder = path.join(top, `points-${++opened}`)) {
  const events: MailEvent[] = [];
  const watchers = new Set<() => void>();
  const profile: PointProfile = {
    allowHosts: [url.replace('http://', '')],
    refresh: HOUR_MS,
    maxSize: 1e6,
    timeout: 60_000,
  };
  const points = new CrlPoints({
    folder,
    profiles: [profile],
    parser: new CrlParser([caPem]),
    clock: { now: () => Date.now() },
    log: { emit: (event) => events.push(event) },
    onChange: () => {
      for (const look of [...watchers]) look();
    },
  });
  t.after(() => points.stop());
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  return { points, events, until, folder };
}

/** Waits until so many points have a folder; a test that waits in vain is ended by its time limit. */
async function folders(folder: string, count: number): Promise<void> {
  while (!fs.existsSync(folder) || fs.readdirSync(folder).length !== count) await wait(5);
}

test('a point is fetched when it is first wanted, and once', async (t) => {
  const server = await serve(t, () => makeCrl({ issuer: ca, ...dates }));
  const { points, until } = open(t, server.url);
  const request = [`${server.url}/a`];
  assert.equal(points.want([request]), true);
  assert.equal(points.states.get(request.join(' ')), 'fetching');
  await until(() => points.states.get(request.join(' ')) === 'ready');
  assert.equal(points.want([request]), false);
  assert.deepEqual(server.requests, ['/a']);
});

test('what no profile allows is not fetched, whoever asks', async (t) => {
  const server = await serve(t, () => undefined);
  const { points } = open(t, server.url);
  assert.equal(
    points.want([['http://127.0.0.1:1/a'], ['file:///etc/passwd'], [`${server.url}/a`, 'http://evil.test/']]),
    false,
  );
  assert.deepEqual(points.sources, []);
});

test('a point that gives nothing has failed', async (t) => {
  const server = await serve(t, () => undefined);
  const { points, until } = open(t, server.url);
  points.want([[`${server.url}/a`]]);
  await until(() => points.states.get(`${server.url}/a`) === 'failed');
});

test('a list of an issuer that is in no authorities file is kept for the client that brings its certificate', async (t) => {
  const server = await serve(t, () => makeCrl({ issuer: stranger, ...dates }));
  const { points, until, events } = open(t, server.url);
  points.want([[`${server.url}/a`]]);
  await until(() => points.states.get(`${server.url}/a`) === 'ready');
  assert.equal(points.sources[0]?.foreign.length, 1);
  assert.deepEqual(
    events.filter(({ event }) => event === 'crl-failed'),
    [],
  );
});

test('a list of such an issuer is there after a restart too, while its server is down', async (t) => {
  let body: Uint8Array | undefined = makeCrl({ issuer: stranger, ...dates });
  const server = await serve(t, () => body);
  const first = open(t, server.url);
  const key = `${server.url}/a`;
  first.points.want([[key]]);
  await first.until(() => first.points.states.get(key) === 'ready');
  await first.points.stop();
  body = undefined;
  const second = open(t, server.url, first.folder);
  await second.points.loadFromDisk();
  assert.equal(second.points.states.get(key), 'ready');
  assert.equal(second.points.sources[0]?.foreign[0]?.issuer, 'CN=Intermediate that clients send');
  assert.deepEqual(second.events, []);
});

test('the downloads at a time are bounded', async (t) => {
  const server = await serve(t, () => makeCrl({ issuer: ca, ...dates }));
  const { points, until } = open(t, server.url);
  server.held = true;
  points.want(Array.from({ length: 12 }, (_, i) => [`${server.url}/${i}`]));
  while (server.open < 4) await wait(5);
  server.release();
  await until(() => [...points.states.values()].every((state) => state === 'ready'));
  assert.equal(server.requests.length, 12);
  assert.ok(server.most <= 4, `${server.most} at a time`);
});

test('there are so many points and no more: who was not used for longest goes, on disk too', async (t) => {
  const server = await serve(t, () => makeCrl({ issuer: ca, ...dates }));
  const { points, until, folder } = open(t, server.url);
  const request = (i: number): string[] => [`${server.url}/${i}`];
  points.want([request(0), request(1)]);
  await until(() => points.sources.every(({ state }) => state === 'ready'));
  await folders(folder, 2);
  points.want([request(0)]);
  server.held = true;
  for (let from = 2; from < MAX_POINTS + 1; from += 50)
    points.want(Array.from({ length: Math.min(50, MAX_POINTS + 1 - from) }, (_, i) => request(from + i)));
  assert.equal(points.sources.length, MAX_POINTS);
  assert.equal(points.states.has(request(1).join()), false);
  assert.equal(points.states.has(request(0).join()), true);
  await folders(folder, 1);
});

test('copies of an earlier run are read again, those that no profile allows any more are removed', async (t) => {
  const server = await serve(t, () => makeCrl({ issuer: ca, ...dates }));
  const first = open(t, server.url);
  first.points.want([[`${server.url}/a`]]);
  await first.until(() => first.points.states.get(`${server.url}/a`) === 'ready');
  await first.points.stop();
  const again = open(t, server.url, first.folder);
  await again.points.loadFromDisk();
  assert.deepEqual([...again.points.states.values()], ['ready']);
  const others = open(t, 'http://elsewhere.test', first.folder);
  await others.points.loadFromDisk();
  assert.deepEqual(others.points.sources, []);
  assert.deepEqual(fs.readdirSync(first.folder), []);
});

test('the delta that a complete list names is fetched with it', async (t) => {
  const server = await serve(t, (url) => {
    const uri = tlv(0x86, Buffer.from(`${server.url}/delta`));
    const freshest = extension(46, tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, uri)))));
    return url === '/delta'
      ? makeCrl({ issuer: ca, ...dates, number: 2, base: 1, entries: [{ serial: '07' }] })
      : makeCrl({ issuer: ca, ...dates, number: 1, extensions: [freshest] });
  });
  const allowHosts = [server.url.replace('http://', '')];
  let published: CrlSet | undefined;
  let look = (): void => {};
  const store = openCrlStore({
    points: [{ allowHosts, refresh: HOUR_MS, maxSize: 1e6, timeout: 60_000 }],
    settings: {
      checkInbound: true,
      checkOutbound: false,
      checkWebInterface: false,
      whenNoSource: 'refuse',
      sources: {},
    },
    authorities: [caPem],
    baseDir: top,
    dataDir: path.join(top, `store-${++opened}`),
    clock: { now: () => Date.now() },
    log: { emit: () => undefined },
    publish: (set) => {
      published = structuredClone(set);
      look();
    },
  });
  t.after(() => store.stop());
  await store.start();
  const both = new Promise<void>((resolve) => {
    look = () => (published?.lists.length === 2 ? resolve() : undefined);
  });
  store.want([[`${server.url}/complete`]]);
  await both;
  assert.deepEqual(
    published?.lists.map(({ baseCrlNumber }) => baseCrlNumber),
    [undefined, 1n],
  );
  assert.deepEqual([...(published?.points?.values() ?? [])], ['ready', 'ready']);
});
