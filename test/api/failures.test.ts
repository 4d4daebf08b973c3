/**
 * What the API answers when the gateway itself fails: 500 where nobody foresaw it, 503 where something cannot be had now,
 * for every route, as the document says, and without a word of the inside. The failures are real: the accounts' database
 * is changed under the running gateway, a revision cannot be built.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { type ApiKey, ROUTE_KEYS, ROUTES } from '../../src/admin/routes.ts';
import { ApiSite, type Asking, type Got, PASSWORD, type Person } from '../support/api-site.ts';
import { freePort } from '../support/free-port.ts';

let api: ApiSite;
let person: Person;
before(async () => {
  api = await ApiSite.open({}, (config) => config, { store: true });
  person = await api.person('administrator');
});

/** Changes the database of the accounts as somebody with a file browser could. */
function onDatabase(...statements: readonly string[]): void {
  const db = new DatabaseSync(join(api.gateway.data, 'admin', 'accounts.db'));
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    for (const statement of statements) db.exec(statement);
  } finally {
    db.close();
  }
}

async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
  onDatabase(`ALTER TABLE ${table} RENAME TO ${table}_away`);
  try {
    return await work();
  } finally {
    onDatabase(`ALTER TABLE ${table}_away RENAME TO ${table}`);
  }
}

function isProblem(got: Got, status: number, kind: string): void {
  assert.deepEqual([got.status, got.kind], [status, kind], got.text);
  assert.doesNotMatch(got.text, /\bat .*\.ts|node:|file:|src\//, 'the answer shows the inside');
}

const pathsOf = (key: ApiKey): Asking => {
  const route = ROUTES[key];
  const names = 'path' in route ? Object.keys(route.path.shape) : [];
  return { path: Object.fromEntries(names.map((name) => [name, '1'])) };
};

describe('every route', () => {
  test('answers 500 to what nobody foresaw, and the log alone says what it was', async () => {
    const cookie = await api.login(person.name);
    const secret = createHash('sha256').update(cookie.replace(/^.*=/, '')).digest('hex');
    onDatabase(`UPDATE session SET chain = '{' WHERE secret = x'${secret}'`);
    for (const key of ROUTE_KEYS) isProblem(await api.tls(key, { ...pathsOf(key), cookie }), 500, 'internal');
    const told = await api.gateway.event((event) => String(event['text']).startsWith('the API failed: '));
    assert.deepEqual([told['event'], told['level']], ['system', 'critical']);
    assert.match(String(told['text']), /SyntaxError: .*\n? +at /s);
    assert.equal((await api.tls('GET /api/session', { token: person.token })).status, 200);
  });

  test('that needs to know who asks answers 503 while the accounts cannot be read, and goes on when they can', async () => {
    const cookie = await api.login(person.name);
    await without('session', async () => {
      for (const key of ROUTE_KEYS) isProblem(await api.tls(key, { ...pathsOf(key), cookie }), 503, 'unavailable');
    });
    await without('token', async () => {
      for (const key of ROUTE_KEYS)
        isProblem(await api.tls(key, { ...pathsOf(key), token: person.token }), 503, 'unavailable');
    });
    const told = await api.gateway.event((event) => /accounts' database cannot be used/.test(String(event['text'])));
    assert.equal(told['level'], 'critical');
    assert.equal((await api.tls('GET /api/session', { cookie })).status, 200);
  });
});

describe('what cannot be recorded does not happen', () => {
  const account = { name: 'unrecorded', role: 'operator', password: PASSWORD };

  test('neither a change nor a login', async () => {
    const { token } = person;
    const cookie = await api.login(person.name);
    await without('audit', async () => {
      isProblem(await api.tls('POST /api/accounts', { cookie, body: account }), 503, 'unavailable');
      const login = await api.tls('POST /api/login', { body: { account: person.name, password: PASSWORD } });
      isProblem(login, 503, 'unavailable');
      assert.equal(login.cookie, undefined);
      const commit = await api.tls('POST /api/config/commit', { token, body: { comment: 'x' } });
      isProblem(commit, 503, 'unavailable');
    });
    const path = { account: account.name };
    assert.equal((await api.tls('GET /api/accounts/{account}', { token, path })).status, 404);
  });

  test('a change during which the gateway fails stays in the record without an outcome', async () => {
    const cookie = await api.login(person.name);
    await without('audit_outcome', async () => {
      isProblem(await api.tls('POST /api/accounts', { cookie, body: account }), 503, 'unavailable');
    });
    const { body } = await api.good('GET /api/audit', { query: 'action=createAccount&limit=1' });
    const [entry] = body['entries'] as Record<string, unknown>[];
    assert.deepEqual([entry?.['actor'], entry?.['outcome']], [person.name, undefined]);
  });
});

describe('a disk that takes nothing more', () => {
  /** As the kernel says it: no file may grow. */
  function limit(size: string): void {
    execFileSync('prlimit', ['--pid', String(api.gateway.pid), `--fsize=${size}:unlimited`]);
  }

  test('stops every change and no question: what is there can be seen, and all goes on when there is room', async () => {
    const cookie = await api.login(person.name);
    const fresh = await api.person('administrator');
    limit('0');
    try {
      for (const asking of [{ cookie }, { token: person.token }, { token: fresh.token }])
        for (const key of ['GET /api/status', 'GET /api/config', 'GET /api/audit', 'GET /api/accounts'])
          assert.equal((await api.tls(key, asking)).status, 200, key);
      const made = await api.tls('POST /api/accounts', { cookie, body: { name: 'fulldisk', role: 'operator' } });
      isProblem(made, 503, 'unavailable');
      assert.match(String(made.body['detail']), /the accounts' database cannot be used: /);
      const login = await api.tls('POST /api/login', { body: { account: person.name, password: PASSWORD } });
      isProblem(login, 503, 'unavailable');
      assert.equal(login.cookie, undefined);
      const edits = [{ op: 'set', path: ['smtpRoutes', 'full.example.test'], value: ['192.0.2.1'] }];
      isProblem(await api.tls('PATCH /api/config/candidate', { cookie, body: { edits } }), 503, 'unavailable');
    } finally {
      limit('unlimited');
    }
    const got = await api.tls('POST /api/accounts', { cookie, body: { name: 'fulldisk', role: 'operator' } });
    assert.equal(got.status, 201, got.text);
  });
});

describe('a revision that cannot be built', () => {
  test('is refused with the reason, the one before stays in force, and the candidate is still there', async () => {
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const asking = { token: person.token };
    const status = async () => (await api.tls('GET /api/status', asking)).body['revision'];
    const before = await status();
    const path = ['listeners', 'submission', 'address'];
    const old = (await api.tls('GET /api/config', { ...asking, query: `path=${path.join('.')}` })).body['value'];
    const edits = [{ op: 'set', path, value: [...(old as string[]), `127.0.0.1:${port}`] }];
    assert.equal((await api.tls('PATCH /api/config/candidate', { ...asking, body: { edits } })).status, 200);
    const refused = await api.tls('POST /api/config/commit', { ...asking, body: { comment: 'one more' } });
    isProblem(refused, 503, 'unavailable');
    assert.equal(refused.body['refusal'], 'failed');
    assert.match(String(refused.body['detail']), new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`));
    assert.equal(await status(), before);
    await new Promise((resolve) => taken.close(resolve));
    const good = await api.tls('POST /api/config/commit', { ...asking, body: { comment: 'one more' } });
    assert.equal(good.status, 200, good.text);
    assert.equal(await status(), Number(before) + 1);
  });
});
