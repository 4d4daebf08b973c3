/** What somebody who means harm sends to the API's port: octets that are no HTTP, half requests, and requests in disguise. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { renderText } from '../../src/log/mail-log.ts';
import { ApiSite, type Got, PASSWORD } from '../support/api-site.ts';
import { eventually } from '../support/eventually.ts';

let api: ApiSite;
before(async () => {
  api = await ApiSite.open({ clientCertificate: { trust: ['cac'] } }, (config) => config, { store: true });
});

let addresses = 0;
const ownAddress = (): string => `127.6.0.${++addresses}`;

type Wire = {
  readonly socket: TLSSocket;
  /** What the gateway sent, up to the moment at which it closed the connection. */
  readonly all: () => Promise<string>;
};

async function wire(from = ownAddress()): Promise<Wire> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: api.port, ca: api.site.pki.serverCa, servername: 'localhost', localAddress: from },
  });
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = once(socket, 'close');
  await once(socket, 'secureConnect');
  return { socket, all: async () => (await closed, text) };
}

/** Everything that comes back for these octets; the connection must close by itself. */
async function sent(octets: string): Promise<string> {
  const { socket, all } = await wire();
  socket.write(octets, 'latin1');
  return all();
}

const answers = (text: string): number => text.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
const HOST = 'Host: localhost\r\n';
const alive = async (): Promise<void> => assert.equal((await api.tls('GET /api/openapi.json')).status, 200);

const criticals = () =>
  api.gateway.events.filter((event) => event['level'] === 'critical').map((event) => event['text']);

describe('a request that two readers could take for different ones', () => {
  const hidden = `GET /api/status HTTP/1.1\r\n${HOST}\r\n`;
  const post = `POST /api/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
  const cases: Record<string, string> = {
    'has a length and is chunked': `${post}Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    'has two lengths': `${post}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    'has a length with a sign': `${post}Content-Length: +5\r\n\r\n${hidden}`,
    'has a length that is no number': `${post}Content-Length: 0x10\r\n\r\n${hidden}`,
    'is chunked and something else': `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
    'has a blank before the colon': `${post}Content-Length : 0\r\n\r\n${hidden}`,
    'folds a header': `${post}X: a\r\n b\r\nContent-Length: 0\r\n\r\n${hidden}`,
    'has a chunk of no size': `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${hidden}`,
    'has an octet zero in a header': `${post}X: a\0b\r\nContent-Length: 0\r\n\r\n${hidden}`,
    'names no host': `GET /api/openapi.json HTTP/1.1\r\n\r\n${hidden}`,
    'ends a header with a bare CR': `${post}X: a\rContent-Length: 0\r\n\r\n${hidden}`,
  };
  for (const [name, octets] of Object.entries(cases)) {
    test(`${name}: it gets at most one answer, and the connection is closed`, async () => {
      const text = await sent(octets);
      assert.ok(answers(text) <= 1, text);
      assert.doesNotMatch(text, /HTTP\/1\.1 2/);
      await alive();
    });
  }

  test('is another one behind a body that nobody reads: that body is not taken for a request', async () => {
    const text = await sent(`GET /api/status HTTP/1.1\r\n${HOST}Content-Length: ${hidden.length}\r\n\r\n${hidden}`);
    assert.equal(answers(text), 1, text);
    assert.match(text, /^HTTP\/1\.1 401 /);
    assert.match(text, /connection: close/i);
  });
});

describe('a request that is too large or is none', () => {
  test('a header section of more than 16 KiB closes the connection, with cookies or many small headers alike', async () => {
    const start = `GET /api/openapi.json HTTP/1.1\r\n${HOST}`;
    for (const headers of [`Cookie: ${'x'.repeat(20_000)}\r\n`, 'A: b\r\n'.repeat(4000)]) {
      const text = await sent(`${start}${headers}\r\n`);
      assert.doesNotMatch(text, /HTTP\/1\.1 2/);
    }
    const long = await sent(`GET /${'x'.repeat(5000)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    assert.match(long, /^HTTP\/1\.1 400 /);
    await alive();
  });

  test('other protocols, other forms of a target and methods that lead elsewhere get nothing', async () => {
    const close = `${HOST}Connection: close\r\n\r\n`;
    const cases: [string, RegExp][] = [
      ['EHLO client.example\r\n\r\n', /^(HTTP\/1\.1 400 .*)?$/s],
      [`GET https://evil.example/api/openapi.json HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 400 /],
      [`CONNECT 127.0.0.1:25 HTTP/1.1\r\n${close}`, /^$/],
      [`OPTIONS * HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 400 /],
      [`TRACE /api/status HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 405 /],
      [`GET //api/openapi.json HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 404 /],
      [`GET /api/../api/openapi.json HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 404 /],
      [`GET /api/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 404 /],
      [`GET /api/accounts/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 401 /],
      [`GET /api/openapi.json%00 HTTP/1.1\r\n${close}`, /^HTTP\/1\.1 404 /],
    ];
    for (const [octets, expected] of cases) assert.match(await sent(octets), expected, octets);
    await alive();
  });

  test('the parameters of a path are names and ids, never places', async () => {
    const { token } = await api.person('administrator');
    for (const account of ['../../etc/passwd', '__proto__', 'constructor', 'a/../b', 'a\0', 'a\n', ''])
      assert.ok(
        [400, 404].includes((await api.tls('GET /api/accounts/{account}', { token, path: { account } })).status),
      );
  });
});

describe('somebody who takes his time', { concurrency: 2 }, () => {
  test('who is slow in any way loses the connection, and nobody else waits for him', async () => {
    const from = ownAddress();
    const began = Date.now();
    const ended = async (octets: string, keepSending = ''): Promise<number> => {
      const { socket, all } = await wire(from);
      socket.write(octets);
      const timer = setInterval(() => socket.write(keepSending), 1000);
      await all();
      clearInterval(timer);
      return Date.now() - began;
    };
    const start = `GET /api/openapi.json HTTP/1.1\r\n${HOST}`;
    const body = `POST /api/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
    /** Never begins the handshake. */
    const silent = async (): Promise<number> => {
      const socket = net.connect({ host: '127.0.0.1', port: api.port, localAddress: from });
      socket.on('error', () => undefined).resume();
      await once(socket, 'close');
      return Date.now() - began;
    };
    const slow = [
      silent(),
      ended(''),
      ended(start),
      ended(start, 'X: y\r\n'),
      ended(body),
      ended(body, ' '),
      ...Array.from({ length: 20 }, () => ended('G')),
    ];
    const served = await api.tls('GET /api/openapi.json', { from: ownAddress() });
    assert.equal(served.status, 200);
    const times = await Promise.all(slow);
    // 10 s for headers, 20 s for a body, and the rounds in which they are looked for.
    assert.ok(Math.max(...times) < 45_000, String(times));
    assert.deepEqual(criticals(), []);
  });

  test('who asks and does not read the answers does not keep his connections', async () => {
    const from = ownAddress();
    const greedy = `GET /api/openapi.json HTTP/1.1\r\n${HOST}\r\n`.repeat(400);
    // As many as one address may have.
    const wires = await Promise.all(Array.from({ length: 32 }, () => wire(from)));
    for (const { socket } of wires) {
      socket.pause();
      socket.write(greedy);
    }
    const asked = () =>
      api.tls('GET /api/openapi.json', { from }).then(
        ({ status }) => status,
        () => 'refused',
      );
    assert.equal(await asked(), 'refused');
    await eventually(async () => assert.equal(await asked(), 200));
    for (const { socket } of wires) socket.destroy();
  });
});

test('a client that goes away in the middle is no failure of the gateway: nothing critical is logged', async () => {
  const { name } = await api.person('operator');
  const login = JSON.stringify({ account: name, password: PASSWORD });
  const post = `POST /api/login HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${login.length}\r\n\r\n`;
  for (const octets of [`${post}{"acc`, `${post}${login}`]) {
    const { socket } = await wire();
    await new Promise<void>((resolve) => socket.write(octets, () => resolve()));
    socket.destroy();
  }
  const got = await api.tls('POST /api/login', { body: { account: name, password: PASSWORD } });
  assert.equal(got.status, 200);
  await api.gateway.event((event) => event.event === 'audit' && event['actor'] === name && event['outcome'] === 'done');
  assert.deepEqual(criticals(), []);
});

describe('a session', () => {
  test('has another secret after each login, and the one that the browser had before ends', async () => {
    const { name } = await api.person('operator');
    const planted = `__Host-sallyport=${'A'.repeat(43)}`;
    const body = { account: name, password: PASSWORD };
    const first = await api.tls('POST /api/login', { cookie: planted, body });
    assert.ok(first.cookie !== undefined && first.cookie !== planted);
    assert.equal((await api.tls('GET /api/session', { cookie: planted })).status, 401);
    const second = await api.tls('POST /api/login', { cookie: first.cookie, body });
    assert.equal((await api.tls('GET /api/session', { cookie: first.cookie })).status, 401);
    assert.equal((await api.tls('GET /api/session', { cookie: second.cookie ?? '' })).status, 200);
  });

  test('that began with a client certificate ends when the certificate is taken from the account', async () => {
    const { name } = await api.person('operator');
    const certificate = api.site.pki.issue({ subject: '/O=Example/CN=TAKEN.AWAY.T.1', serial: '7001' });
    const path = { account: name };
    const made = await api.good('POST /api/accounts/{account}/certificates', { path, body: { pem: certificate.cert } });
    const { cookie = '' } = await api.tls('POST /api/login/certificate', { certificate });
    assert.equal((await api.tls('GET /api/session', { cookie })).status, 200);
    const id = String(made.body['id']);
    await api.good('DELETE /api/accounts/{account}/certificates/{id}', { path: { ...path, id } });
    const ended = await api.tls('GET /api/session', { cookie });
    assert.equal(ended.status, 401);
    assert.match(String(ended.body['detail']), /the client certificate is not one of the account any more/);
  });
});

test('certificate logins that fail are counted: nobody fills the audit record by connecting', async () => {
  const from = ownAddress();
  const login = (certificate?: { cert: string; key: string }) =>
    api.tls('POST /api/login/certificate', { from, ...(certificate === undefined ? {} : { certificate }) });
  for (let i = 0; i < 20; i++) assert.equal((await login()).status, 401);
  const newest = async () => {
    const { body } = await api.good('GET /api/audit', { query: 'limit=1' });
    return (body['entries'] as { id: number }[])[0]?.id;
  };
  assert.equal((await login()).status, 429);
  const last = await newest();
  for (let i = 0; i < 5; i++) assert.equal((await login()).status, 429);
  assert.equal(await newest(), last);
  // Passwords from there are another matter.
  const { name } = await api.person('operator');
  assert.equal((await api.tls('POST /api/login', { from, body: { account: name, password: PASSWORD } })).status, 200);
});

test('a token of an administrator neither gives a role nor enables an account', async () => {
  const { token, name } = await api.person('administrator');
  const insider = await api.person('help-desk');
  const change = (via: { token: string } | { cookie: string }, body: object): Promise<Got> =>
    api.tls('PATCH /api/accounts/{account}', { ...via, path: { account: insider.name }, body });
  assert.equal((await change({ token }, { role: 'administrator' })).kind, 'forbidden');
  assert.equal((await change({ token }, { enabled: false })).status, 200);
  assert.equal((await change({ token }, { enabled: true })).kind, 'forbidden');
  const cookie = await api.login(name);
  assert.equal((await change({ cookie }, { enabled: true, role: 'operator' })).status, 200);
  assert.equal((await change({ token }, { role: 'read-only' })).status, 200);
});

test('an operator cannot make himself an administrator through the configuration', async () => {
  const [operator, administrator] = [await api.person('operator'), await api.person('administrator')];
  const as = ({ token }: { token: string }, key: string, body: object) => api.tls(key, { token, body });
  const commit = async (who: { token: string }, path: readonly string[], value: unknown): Promise<Got> => {
    const edited = await as(who, 'PATCH /api/config/candidate', { edits: [{ op: 'set', path, value }] });
    assert.equal(edited.status, 200, edited.text);
    const got = await as(who, 'POST /api/config/commit', { comment: 'x' });
    await api.tls('DELETE /api/config/candidate', { token: who.token });
    return got;
  };
  const attempts: [readonly string[], unknown][] = [
    [
      ['admin', 'clientCertificate', 'trust'],
      ['cac', 'evil'],
    ],
    [['admin', 'origins'], ['https://evil.example']],
    [['certificateAuthorities', 'cac', 'file'], '/tmp/evil.pem'],
    [['crl', 'checkWebInterface'], false],
  ];
  for (const [path, value] of attempts) {
    const got = await commit(operator, path, value);
    assert.deepEqual([got.status, got.kind], [403, 'forbidden'], got.text);
    assert.match(String(got.body['detail']), /decides who may sign in: an administrator must commit this/);
  }
  assert.equal((await commit(operator, ['hostname'], 'op.example.test')).status, 200);
  const before = Number((await api.good('GET /api/status')).body['revision']);
  assert.equal((await commit(administrator, ['admin', 'maxFailedLogins'], 7)).status, 200);
  const back = await as(operator, 'POST /api/config/rollback', { to: before });
  assert.equal(back.kind, 'forbidden', back.text);
  assert.equal((await as(administrator, 'POST /api/config/rollback', { to: before })).status, 200);
  assert.equal((await as(operator, 'POST /api/config/rollback', { to: before - 1 })).status, 200);
});

test('names that reach into JavaScript objects change nothing: not in bodies, edits, queries or names of accounts', async () => {
  const { token } = await api.person('administrator');
  const cookie = await api.login((await api.person('administrator')).name);
  for (const raw of ['{"__proto__": {"role": "administrator"}}', '{"constructor": {"prototype": {"x": 1}}}'])
    assert.equal((await api.tls('POST /api/crl/update', { token, raw })).status, 422);
  for (const name of ['__proto__', 'constructor', 'hasownproperty', 'toString', 'valueOf', 'system'])
    assert.ok(
      [201, 422].includes((await api.tls('POST /api/accounts', { cookie, body: { name, role: 'operator' } })).status),
    );
  const edits = [
    { op: 'set', path: ['__proto__', 'polluted'], value: 'yes' },
    { op: 'set', path: ['constructor', 'prototype', 'polluted'], value: 'yes' },
    { op: 'set', path: ['listeners', '__proto__', 'polluted'], value: 'yes' },
    { op: 'set', path: ['ssl'], value: JSON.parse('{"__proto__": {"polluted": "yes"}}') as unknown },
  ];
  for (const edit of edits) {
    await api.tls('PATCH /api/config/candidate', { token, body: { edits: [edit] } });
    const commit = await api.tls('POST /api/config/commit', { token, body: {} });
    assert.ok(commit.status >= 400, `${JSON.stringify(edit)}: ${commit.text}`);
    await api.tls('DELETE /api/config/candidate', { token });
  }
  const document = '{"hostname": "x.example.test", "__proto__": {"polluted": "yes"}, "listeners": {}}';
  const loaded = await api.tls('PUT /api/config/candidate', { token, raw: `{"document": ${document}}` });
  assert.ok(loaded.status >= 400, loaded.text);
  assert.equal((await api.tls('GET /api/audit', { token, query: '__proto__=1' })).status, 400);
  // An object of the gateway that had become polluted would show it in its answers.
  for (const key of ['GET /api/status', 'GET /api/config', 'GET /api/config/status', 'GET /api/accounts'])
    assert.doesNotMatch((await api.tls(key, { token })).text, /polluted/);
});

test('nothing that a login sends makes a second line in the log or an entry of another in the record', async () => {
  const account = 'mallory\r\nNov 25 14:00:00 Info: Audit: root (local)\u2028\u202e\u0007';
  const got = await api.tls('POST /api/login', { from: ownAddress(), body: { account, password: 'wrong\nline' } });
  assert.equal(got.status, 401);
  const event = await api.gateway.event(
    (each) => each.event === 'audit' && String(each['actor']).startsWith('mallory'),
  );
  assert.equal(event['actor'], account);
  const lines = api.gateway.lines.filter((line) => line.includes('mallory'));
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0] ?? '', /[\p{Cc}\p{Zl}\p{Cf}]/u);
  const shared = { how: 'password', address: '192.0.2.1', action: 'login', target: '', outcome: 'login-failed' };
  const text = renderText({ event: 'audit', actor: account, ...shared, detail: account }, 0);
  assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Cf}]/u);
  assert.ok(!api.gateway.lines.some((line) => line.includes('wrong')));
  const { body } = await api.good('GET /api/audit', { query: 'limit=1' });
  const [entry] = body['entries'] as Record<string, unknown>[];
  assert.equal(entry?.['action'], 'login');
});
