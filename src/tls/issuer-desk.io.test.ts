import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { authority, name } from '../../test/pkits/certificate-writer.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { IssuerDesk } from './issuer-desk.io.ts';

const ca = authority(name('CN=Missing CA'));
const FOUND = ca.der.toString('base64');
/** By path: the answer of the server. Absent: 404. */
const files = new Map<string, (response: http.ServerResponse) => void>();
const asked: string[] = [];
const server = http.createServer(({ url = '/' }, response) => {
  asked.push(url);
  const file = files.get(url);
  if (file === undefined) response.writeHead(404).end();
  else file(response);
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const { port } = server.address() as AddressInfo;
after(() => {
  server.close();
  server.closeAllConnections();
});

const allowHosts = [`127.0.0.1:${port}`];
const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
const serve = (response: http.ServerResponse): void => void response.end(ca.der);
const fail = (response: http.ServerResponse): void => void response.writeHead(503).end();

let nowMs = 0;
let events: MailEvent[] = [];
let desk: IssuerDesk;
beforeEach(() => {
  nowMs = 1_800_000_000_000;
  events = [];
  asked.splice(0);
  files.clear();
  desk = new IssuerDesk({
    clock: { now: () => nowMs },
    log: { emit: (event) => void events.push(event) },
    authorities: () => [],
  });
});

const ask = async (urls: readonly string[], hosts = allowHosts): Promise<string> => {
  const { certificates, unanswered } = await desk.ask({ kind: 'issuers', urls, allowHosts: hosts, timeoutMs: 60_000 });
  const what = certificates.map((der) => (Buffer.from(der).toString('base64') === FOUND ? 'found' : 'another'));
  return [...what, ...(unanswered ? ['unanswered'] : [])].join(' ');
};
const told = (): string[] => events.map(({ event }) => event);

test('a file is fetched once, shared by those who ask at the same time, and again after an hour', async () => {
  files.set('/ca.der', serve);
  const both = await Promise.all([ask([url('/ca.der')]), ask([url('/ca.der')])]);
  assert.deepEqual(both, ['found', 'found']);
  assert.equal(await ask([url('/ca.der')]), 'found');
  assert.equal(asked.length, 1);
  nowMs += 3_600_001;
  assert.equal(await ask([url('/ca.der')]), 'found');
  assert.equal(asked.length, 2);
  assert.deepEqual(told(), ['issuer-fetched', 'issuer-fetched']);
});

test('what may be had a moment later is told from what may not, and asked for again sooner', async () => {
  files.set('/busy.der', fail);
  files.set('/page.html', (response) => void response.end('<html>'));
  files.set('/cut.der', (response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(ca.der.subarray(0, 20), () => response.destroy());
  });
  assert.equal(await ask([url('/busy.der')]), 'unanswered');
  assert.equal(await ask([url('/cut.der')]), 'unanswered');
  assert.equal(await ask([url('/none.der')]), '');
  assert.equal(await ask([url('/page.html')]), '');
  const before = asked.length;
  assert.equal(await ask([url('/busy.der')]), 'unanswered');
  assert.equal(await ask([url('/none.der')]), '');
  assert.equal(asked.length, before);
  files.set('/busy.der', serve);
  files.set('/none.der', serve);
  nowMs += 5001;
  assert.equal(await ask([url('/busy.der'), url('/none.der')]), 'found');
  nowMs += 25_000;
  assert.equal(await ask([url('/busy.der'), url('/none.der')]), 'found found');
});

test('an issuer that was found once still serves while its server is down', async () => {
  files.set('/ca.der', serve);
  assert.equal(await ask([url('/ca.der')]), 'found');
  files.set('/ca.der', fail);
  nowMs += 3_600_001;
  assert.equal(await ask([url('/ca.der')]), 'found unanswered');
  assert.deepEqual(told(), ['issuer-fetched', 'issuer-failed']);
});

test('what one profile has fetched is not for another that does not allow the host', async () => {
  files.set('/ca.der', serve);
  assert.equal(await ask([url('/ca.der')]), 'found');
  assert.equal(await ask([url('/ca.der')], ['aia.example.test']), '');
});

test('a crowd of new addresses is not asked for, and does not drive out what has served', async () => {
  files.set('/ca.der', serve);
  assert.equal(await ask([url('/ca.der')]), 'found');
  for (let i = 0; i < 200; i++) await ask([url(`/${i}`)]);
  assert.equal(asked.length, 120);
  assert.equal(await ask([url('/200')]), 'unanswered');
  assert.equal(await ask([url('/ca.der')]), 'found');
  assert.equal(asked.length, 120);
  nowMs += 60_001;
  assert.equal(await ask([url('/201')]), '');
  assert.equal(asked.length, 121);
});

test('once stopped it asks nobody and says nothing', async () => {
  files.set('/slow.der', () => undefined);
  const slow = ask([url('/slow.der')]);
  desk.stop();
  assert.equal(await slow, 'unanswered');
  assert.deepEqual(told(), []);
});
