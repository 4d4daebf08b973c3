/** The configuration over the API: two administrators, entity tags, faults with their places, secrets, and file mode. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ApiSite, type Got, type Person } from '../support/api-site.ts';

const SECRET = 'bind-secret-of-the-gateway';
const LIMIT = ['mailFlowPolicies', 'submission', 'maxMessagesPerConnection'];
const set = (path: readonly (string | number)[], value: unknown) => ({ edits: [{ op: 'set', path, value }] });

function withSecret(config: Record<string, unknown>): Record<string, unknown> {
  const { ldap } = config as { ldap: { servers: object } };
  const other = { hosts: ['ldap://127.0.0.1:9'], baseDn: 'dc=example', bind: { dn: 'cn=x', password: SECRET } };
  return { ...config, ldap: { ...ldap, servers: { ...ldap.servers, other } } };
}

let api: ApiSite;
let alice: Person;
let bob: Person;
before(async () => {
  api = await ApiSite.open({}, withSecret, { store: true });
  [alice, bob] = [await api.person('operator'), await api.person('operator')];
});

const as = (who: Person, key: string, more: object = {}): Promise<Got> => api.tls(key, { token: who.token, ...more });

describe('on the store', () => {
  test('a change is tried, committed, in force, and in the history with who, why and what', async () => {
    const edited = await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 7) });
    assert.equal(edited.status, 200, edited.text);
    const running = await as(alice, 'GET /api/config', { query: `path=${LIMIT.join('.')}` });
    assert.notEqual(running.body['value'], 7);
    const mine = await as(alice, 'GET /api/config', { query: `which=candidate&path=${LIMIT.join('.')}` });
    assert.deepEqual([mine.body['value'], mine.etag], [7, edited.etag]);
    assert.equal((await as(bob, 'GET /api/config/candidate')).status, 404);
    const committed = await as(alice, 'POST /api/config/commit', { body: { comment: 'fewer messages' } });
    assert.equal(committed.status, 200, committed.text);
    const { number } = committed.body['revision'] as { number: number };
    assert.equal((await api.good('GET /api/status')).body['revision'], number);
    await api.gateway.event((event) => String(event['text']).includes(`configuration revision ${number} in force`));
    const shown = await as(bob, 'GET /api/config/history/{revision}', { path: { revision: String(number) } });
    const { author, comment } = shown.body['revision'] as { author: string; comment: string };
    assert.deepEqual([author, comment], [alice.name, 'fewer messages']);
    assert.deepEqual(
      (shown.body['changes'] as { path: string[] }[]).map(({ path }) => path),
      [LIMIT],
    );
  });

  test('the second who changes the same key is told, by whom and what; nothing is silently overwritten', async () => {
    await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 11) });
    await as(bob, 'PATCH /api/config/candidate', { body: set(LIMIT, 12) });
    assert.equal((await as(alice, 'POST /api/config/commit', { body: { comment: 'mine' } })).status, 200);
    const refused = await as(bob, 'POST /api/config/commit', { body: {} });
    assert.deepEqual([refused.status, refused.kind, refused.body['refusal']], [409, 'conflict', 'conflict']);
    const [conflict] = refused.body['conflicts'] as { mine: number; theirs: number; revision: { author: string } }[];
    assert.deepEqual([conflict?.mine, conflict?.theirs, conflict?.revision.author], [12, 11, alice.name]);
    await as(bob, 'POST /api/config/candidate/rebase', { body: { choices: [{ path: LIMIT, keep: 'mine' }] } });
    assert.equal((await as(bob, 'POST /api/config/commit', { body: {} })).status, 200);
  });

  test('twelve administrators who commit at once: all of different keys, and one of the same key', async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => api.person('operator')));
    const commitAll = async (pathOf: (i: number) => readonly string[]): Promise<Got[]> => {
      const edit = (who: Person, i: number) =>
        as(who, 'PATCH /api/config/candidate', { body: set(pathOf(i), [`192.0.2.${i + 1}`]) });
      await Promise.all(people.map(edit));
      return Promise.all(people.map((who) => as(who, 'POST /api/config/commit', { body: { comment: who.name } })));
    };
    const before = Number((await api.good('GET /api/status')).body['revision']);
    const all = await commitAll((i) => ['smtpRoutes', `dept${i}.example.test`]);
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
    const numbers = all.map(({ body }) => (body['revision'] as { number: number }).number);
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      people.map((_, i) => before + 1 + i),
    );
    const { body } = await api.good('GET /api/config', { query: 'path=smtpRoutes' });
    const routes = body['value'] as Record<string, string[]>;
    for (const [i] of people.entries()) assert.deepEqual(routes[`dept${i}.example.test`], [`192.0.2.${i + 1}`]);
    const same = await commitAll(() => ['smtpRoutes', 'same.example.test']);
    assert.deepEqual(
      same.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, ...Array.from({ length: 11 }, () => 409)],
    );
  });

  test('If-Match on the candidate and on the revision: 412 once it is another one, with the one that is there', async () => {
    const first = await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 21) });
    const second = await as(alice, 'PATCH /api/config/candidate', {
      body: set(LIMIT, 22),
      ifMatch: first.headers['etag'],
    });
    assert.equal(second.status, 200, second.text);
    const late = await as(alice, 'PATCH /api/config/candidate', {
      body: set(LIMIT, 23),
      ifMatch: first.headers['etag'],
    });
    assert.deepEqual([late.status, late.kind], [412, 'precondition-failed']);
    assert.equal(`"${String(late.body['actual'])}"`, second.headers['etag']);
    const running = await as(alice, 'GET /api/config');
    const other = await as(bob, 'PATCH /api/config/candidate', { body: set(['delivery', 'maxConnections'], 77) });
    assert.equal(other.status, 200);
    assert.equal(
      (await as(bob, 'POST /api/config/commit', { body: {}, ifMatch: running.headers['etag'] })).status,
      200,
    );
    const stale = await as(alice, 'POST /api/config/commit', { body: {}, ifMatch: running.headers['etag'] });
    assert.equal(stale.status, 412);
    assert.equal((await as(alice, 'POST /api/config/commit', { body: {}, ifMatch: '*' })).status, 200);
  });
});

describe('on the store, a whole document', () => {
  const commit = (who: Person) => as(who, 'POST /api/config/commit', { body: {} });
  const whole = async (who: Person, which: string) => {
    const { body, etag } = await as(who, 'GET /api/config', { query: `which=${which}` });
    return { document: body['value'] as Record<string, unknown>, revision: Number(body['revision']), etag: etag ?? '' };
  };
  const paths = (got: Got, name: string) => (got.body[name] as { path: string[] }[]).map(({ path }) => path.join('.'));

  test('that is put back after another commit tells of the same key; what was committed elsewhere stays', async () => {
    await as(bob, 'PATCH /api/config/candidate', { body: set(LIMIT, 31) });
    const mine = await whole(bob, 'candidate');
    await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 32) });
    await as(alice, 'PATCH /api/config/candidate', { body: set(['delivery', 'maxConnections'], 78) });
    assert.equal((await commit(alice)).status, 200);
    const put = await as(bob, 'PUT /api/config/candidate', {
      body: { document: { ...mine.document, hostname: 'other.example.test' } },
      ifMatch: mine.etag,
    });
    assert.equal(put.status, 200, put.text);
    assert.deepEqual([paths(put, 'conflicts'), paths(put, 'stays')], [[LIMIT.join('.')], ['delivery.maxConnections']]);
    const refused = await commit(bob);
    assert.deepEqual([refused.status, refused.kind], [409, 'conflict']);
    await as(bob, 'POST /api/config/candidate/rebase', { body: { choices: [{ path: LIMIT, keep: 'theirs' }] } });
    const done = await commit(bob);
    assert.deepEqual([done.status, paths(done, 'changes')], [200, ['hostname']]);
  });

  test('with the revision it was made from is merged; without it, it replaces what is there and lists it', async () => {
    const seen = await whole(bob, 'running');
    await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 41) });
    assert.equal((await commit(alice)).status, 200);
    const document = { ...seen.document, hostname: 'third.example.test' };
    const merged = await as(bob, 'PUT /api/config/candidate', { body: { document, base: seen.revision } });
    assert.deepEqual([paths(merged, 'changes'), paths(merged, 'stays')], [['hostname'], [LIMIT.join('.')]]);
    await as(bob, 'DELETE /api/config/candidate');
    const replaced = await as(bob, 'PUT /api/config/candidate', { body: { document } });
    assert.deepEqual(paths(replaced, 'changes').toSorted(), ['hostname', LIMIT.join('.')].toSorted());
    await as(bob, 'DELETE /api/config/candidate');
  });

  test('has an entity tag before its candidate exists, and a base that is no revision is not found', async () => {
    const { document, etag } = await whole(bob, 'candidate');
    assert.equal(etag, '"0"');
    const first = await as(bob, 'PUT /api/config/candidate', {
      body: { document: { ...document, hostname: 'a.example.test' } },
      ifMatch: etag,
    });
    assert.equal(first.status, 200, first.text);
    const late = await as(bob, 'PUT /api/config/candidate', { body: { document }, ifMatch: etag });
    assert.deepEqual([late.status, late.kind], [412, 'precondition-failed']);
    const other = await as(bob, 'PATCH /api/config/candidate', { body: { ...set(LIMIT, 1), base: 1 } });
    assert.deepEqual([other.status, other.kind], [412, 'precondition-failed']);
    await as(bob, 'DELETE /api/config/candidate');
    const nowhere = await as(bob, 'PATCH /api/config/candidate', { body: { ...set(LIMIT, 1), base: 999_999 } });
    assert.deepEqual([nowhere.status, nowhere.kind], [404, 'not-found']);
  });
});

describe('on the store, what is wrong or secret', () => {
  test('a wrong value is named with the path of its key, and the configuration in force stays', async () => {
    const before = (await as(alice, 'GET /api/config')).etag;
    await as(alice, 'PATCH /api/config/candidate', {
      body: set(['listeners', 'submission', 'hat', 0, 'policy'], 'NOWHERE'),
    });
    for (const key of ['POST /api/config/candidate/validate', 'POST /api/config/commit']) {
      const got = await as(alice, key, key.endsWith('commit') ? { body: {} } : {});
      assert.deepEqual([got.status, got.kind], [422, 'invalid']);
      const errors = (got.body['errors'] as { path: string; severity: string; detail: string }[]).filter(
        ({ severity }) => severity === 'error',
      );
      assert.equal(errors[0]?.path, 'listeners.submission.hat[0].policy');
      assert.match(errors[0]?.detail ?? '', /there is no "NOWHERE" in mailFlowPolicies/);
    }
    assert.equal((await as(alice, 'GET /api/config')).etag, before);
    await as(alice, 'DELETE /api/config/candidate');
  });

  test('a text that is loaded has its faults named with line and column', async () => {
    const got = await as(alice, 'PUT /api/config/candidate', {
      body: { text: 'hostname: gw.example.test\nlistener: {}\n' },
    });
    assert.equal(got.status, 422, got.text);
    const errors = got.body['errors'] as { path: string; line: number; column: number }[];
    assert.ok(
      errors.some(({ path, line, column }) => path === 'listener' && line === 2 && column === 1),
      got.text,
    );
  });

  test('a secret is shown to nobody, is kept when its mask is written back, and leaves in an export for administrators', async () => {
    const root = await api.person('administrator');
    const place = ['ldap', 'servers', 'other', 'bind'];
    const shown = await as(root, 'GET /api/config', { query: `path=${place.join('.')}` });
    assert.deepEqual(shown.body['value'], { dn: 'cn=x', password: '(masked)' });
    await as(root, 'PATCH /api/config/candidate', { body: set(place, { dn: 'cn=y', password: '(masked)' }) });
    await as(root, 'POST /api/config/commit', { body: { comment: 'another name' } });
    const texts = [
      (await as(root, 'GET /api/config')).text,
      (await as(root, 'GET /api/config/diff', { query: 'from=1&to=running' })).text,
      (await as(root, 'POST /api/config/export', { body: {} })).text,
      (await as(root, 'POST /api/config/export', { body: { secrets: 'sealed', passphrase: 'a passphrase' } })).text,
      (await api.good('GET /api/audit', { query: 'limit=1000' })).text,
    ];
    for (const text of texts) assert.ok(!text.includes(SECRET));
    assert.ok((await as(root, 'POST /api/config/export', { body: { secrets: 'clear' } })).text.includes(SECRET));
    const denied = await as(alice, 'POST /api/config/export', { body: { secrets: 'clear' } });
    assert.equal(denied.kind, 'forbidden');
  });

  test('a commit that nobody confirms can be confirmed, or goes back', async () => {
    const before = (await as(alice, 'GET /api/config', { query: `path=${LIMIT.join('.')}` })).body['value'];
    await as(alice, 'PATCH /api/config/candidate', { body: set(LIMIT, 99) });
    const got = await as(alice, 'POST /api/config/commit', { body: { confirmMs: 1000, comment: 'try' } });
    assert.ok(got.body['unconfirmed'] !== undefined);
    await api.gateway.event((event) => /not confirmed/.test(JSON.stringify(event)));
    const after = await as(alice, 'GET /api/config', { query: `path=${LIMIT.join('.')}` });
    assert.equal(after.body['value'], before);
  });

  test('read-only may try a change and not commit it', async () => {
    const reader = await api.person('read-only');
    await as(reader, 'PATCH /api/config/candidate', { body: set(LIMIT, 55) });
    assert.equal((await as(reader, 'POST /api/config/candidate/validate')).status, 200);
    assert.equal((await as(reader, 'POST /api/config/commit', { body: {} })).kind, 'forbidden');
    const helper = await api.person('help-desk');
    assert.equal((await as(helper, 'GET /api/config')).kind, 'forbidden');
  });

  test('a candidate of several megabytes is taken, one that is larger than the limit is not, and nesting is bounded', async () => {
    const text = `# ${'x'.repeat(7_000_000)}\nhostname: gw.example.test\n`;
    assert.equal((await as(alice, 'PUT /api/config/candidate', { body: { text } })).status, 422);
    const raw = `{"text":"${'x'.repeat(10_000_000)}"}`;
    assert.equal((await as(alice, 'PUT /api/config/candidate', { raw })).kind, 'too-large');
    const nested = `{"document":${'['.repeat(100)}${']'.repeat(100)}}`;
    assert.equal((await as(alice, 'PUT /api/config/candidate', { raw: nested })).kind, 'malformed');
  });
});

test('on a file every edit is refused with the explanation and the name of the file; all can be read', async () => {
  const file = await ApiSite.open();
  const { token } = await file.person('administrator');
  const got = await file.tls('PATCH /api/config/candidate', { token, body: set(LIMIT, 1) });
  assert.deepEqual([got.status, got.kind, got.body['file']], [403, 'file-mode', file.gateway.configFile]);
  assert.match(String(got.body['detail']), /that file is the only truth/);
  assert.equal((await file.tls('POST /api/config/commit', { token, body: {} })).kind, 'file-mode');
  const status = await file.tls('GET /api/config/status', { token });
  assert.deepEqual([status.body['mode'], status.body['file']], ['file', file.gateway.configFile]);
  const value = await file.tls('GET /api/config', { token, query: 'path=hostname' });
  assert.equal(value.body['value'], 'gw.example.test');
});
