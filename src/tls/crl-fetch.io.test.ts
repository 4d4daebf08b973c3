import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type FetchRequest, type Fetched, fetchCrl, filePathOf } from './crl-fetch.io.ts';
import { redactedUrl } from './http-fetch.io.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-crl-fetch-'));
fs.writeFileSync(path.join(folder, 'a list.crl'), 'abcdef');
fs.writeFileSync(path.join(folder, 'empty.crl'), '');
execFileSync('mkfifo', [path.join(folder, 'fifo')]);

const server = http.createServer((request, response) => {
  const { url = '/' } = request;
  if (url === '/ok') response.end('abcdef');
  else if (url === '/auth') response.writeHead(request.headers.authorization === undefined ? 401 : 200).end('secret');
  else if (url === '/hang') response.write('a');
  else if (url === '/cut') response.writeHead(200, { 'content-length': '10' }).write('abc', () => response.destroy());
  else if (url === '/endless') response.writeHead(200).write('x'.repeat(5000));
  else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end();
  else if (url === '/to-ok') response.writeHead(302, { location: '/ok' }).end();
  else if (url === '/to-file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  else if (url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end('abc');
  else response.writeHead(404).end('not here');
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

after(() => {
  server.close();
  server.closeAllConnections();
  fs.rmSync(folder, { recursive: true });
});

const fetchOf = (url: string, changes: Partial<FetchRequest> = {}): Promise<Fetched> =>
  fetchCrl({
    url,
    baseDir: folder,
    maxBytes: 1000,
    timeoutMs: 60_000,
    authorities: [],
    signal: new AbortController().signal,
    ...changes,
  });

const GOOD: readonly (readonly [title: string, url: string])[] = [
  ['over http', `${base}/ok`],
  ['through a redirect', `${base}/to-ok`],
  ['from a file beside the configuration file', 'file://a%20list.crl'],
  ['from a file by its whole path', `file://${folder}/a%20list.crl`],
  ['from a file on localhost', `file://localhost${folder}/a%20list.crl`],
];

for (const [title, url] of GOOD) {
  test(`a list is fetched ${title}`, async () => {
    const fetched = await fetchOf(url);
    assert.equal(fetched.ok && Buffer.from(fetched.bytes).toString(), 'abcdef');
  });
}

const BAD: readonly (readonly [title: string, url: string, why: RegExp, changes?: Partial<FetchRequest>])[] = [
  ['a server error', `${base}/none`, /^the server answers 404$/],
  ['a server that never finishes', `${base}/hang`, /^not finished after 0.05 s$/, { timeoutMs: 50 }],
  ['a download that is cut off', `${base}/cut`, /aborted|cut off|reset/],
  ['a download that grows too long', `${base}/endless`, /longer than 1000 octets/],
  ['an announced length that is too long', `${base}/ok`, /longer than 3 octets/, { maxBytes: 3 }],
  ['a file that is too long', 'file://a%20list.crl', /longer than 3 octets/, { maxBytes: 3 }],
  ['redirects without end', `${base}/loop`, /more than 3 redirects/],
  ['a redirect to a file', `${base}/to-file`, /redirect from http: to file: refused/],
  ['compressed octets', `${base}/gzip`, /compresses/],
  ['a closed port', 'http://127.0.0.1:9/', /connection refused/],
  ['a missing file', 'file://none.crl', /no such file/],
  ['an empty file', 'file://empty.crl', /the file is empty/],
  ['a FIFO', 'file://fifo', /not a regular file/],
  ['a folder', 'file://.', /not a regular file/],
];

for (const [title, url, why, changes] of BAD) {
  test(`${title} gives no list, and says why`, async () => {
    const fetched = await fetchOf(url, changes);
    assert.match(fetched.ok ? 'ok' : fetched.why, why);
  });
}

test('a user name and a password in the address are used and never shown', async () => {
  const url = base.replace('://', '://user:pass@');
  assert.equal((await fetchOf(`${url}/auth`)).ok, true);
  assert.equal(redactedUrl(`${url}/auth`), `${base}/auth`);
  const refused = await fetchOf('http://user:pass@127.0.0.1:9/');
  assert.doesNotMatch(refused.ok ? 'ok' : refused.why, /pass/);
});

test('stopping ends a download', async () => {
  const stop = new AbortController();
  const running = fetchOf(`${base}/hang`, { signal: stop.signal });
  stop.abort();
  assert.deepEqual(await running, { ok: false, why: 'stopped', lasting: false });
});

test('a relative file address starts at the folder of the configuration file', () => {
  assert.equal(filePathOf('file://crl/cac.crl', '/etc/gateway'), '/etc/gateway/crl/cac.crl');
  assert.equal(filePathOf('file:///var/cac.crl', '/etc/gateway'), '/var/cac.crl');
});
