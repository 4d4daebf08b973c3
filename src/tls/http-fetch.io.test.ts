import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { download, type Fetched, type HttpRequest, withinTime } from './http-fetch.io.ts';

const BIG = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
let port = 0;
const server = http.createServer((request, response) => {
  const { url = '/', method, headers } = request;
  const redirect = (code: number, location: string): void => void response.writeHead(code, { location }).end();
  if (url === '/away') redirect(302, `http://localhost:${port}/echo`);
  else if (url === '/see-other') redirect(303, '/echo');
  else if (url === '/again') redirect(307, '/echo');
  else if (url === '/big') response.end(BIG);
  else if (url === '/chunked') {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    for (let at = 0; at < BIG.length; at += 50_000) response.write(BIG.subarray(at, at + 50_000));
    response.end();
  } else {
    request.setEncoding('latin1');
    let body = '';
    request.on('data', (text: string) => (body += text));
    request.on('end', () => response.end(`${method} ${url} ${headers['content-type'] ?? '-'} ${body}`));
  }
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
port = (server.address() as AddressInfo).port;
after(() => {
  server.close();
  server.closeAllConnections();
});

const get = (path: string, changes: Partial<HttpRequest> = {}): Promise<Fetched> =>
  withinTime({ timeoutMs: 60_000, signal: new AbortController().signal }, (signal) =>
    download({
      url: `http://127.0.0.1:${port}${path}`,
      accept: '*/*',
      maxBytes: 1000,
      authorities: [],
      signal,
      ...changes,
    }),
  );
const text = (fetched: Fetched): string => (fetched.ok ? Buffer.from(fetched.bytes).toString() : fetched.why);
const posted = { type: 'application/ocsp-request', bytes: Buffer.from('question') };
const onlyLoopback = ({ hostname }: URL): boolean => hostname === '127.0.0.1';

test('a body is posted with its type', async () => {
  assert.equal(text(await get('/x', { body: posted })), 'POST /x application/ocsp-request question');
});

test('a redirect that keeps the method posts again, one that does not is no answer', async () => {
  assert.equal(text(await get('/again', { body: posted })), 'POST /echo application/ocsp-request question');
  assert.equal(text(await get('/see-other', { body: posted })), 'the server answers 303');
  assert.equal(text(await get('/see-other')), 'GET /echo - ');
});

test('a host that is not allowed is not asked, neither at first nor by a redirect', async () => {
  assert.equal(text(await get('/x', { mayAsk: () => false })), `the host 127.0.0.1:${port} is not allowed`);
  assert.equal(
    text(await get('/away', { mayAsk: onlyLoopback })),
    `redirect to the host localhost:${port} is not allowed`,
  );
  assert.equal(text(await get('/x', { mayAsk: onlyLoopback })), 'GET /x - ');
});

test('a big body arrives whole, whether its length was announced or not', async () => {
  for (const path of ['/big', '/chunked']) {
    const fetched = await get(path, { maxBytes: BIG.length });
    assert.ok(fetched.ok && BIG.equals(fetched.bytes), path);
    assert.match(text(await get(path, { maxBytes: BIG.length - 1 })), /longer than 299999 octets/);
  }
});
