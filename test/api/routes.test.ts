/**
 * Every route of the API, walked from its own OpenAPI document: the request that succeeds, and every problem that the
 * document names for it. A route without a case, or a documented problem that no request brings about, fails.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { ProblemKind } from '../../src/admin/problem.ts';
import { MAX_BODY_BYTES } from '../../src/admin/request-body.ts';
import { ROLES, type Role } from '../../src/admin/roles.ts';
import { ALWAYS_POSSIBLE, isChange, methodOf, type Route } from '../../src/admin/route.ts';
import { type ApiKey, ROUTE_KEYS, ROUTES } from '../../src/admin/routes.ts';
import { ApiSite, type Asking, type Got, type Person } from '../support/api-site.ts';
import type { Case, Via, World } from './case.ts';
import { CASES } from './cases.ts';

let api: ApiSite;
/** The same gateway on a file. */
let onFile: ApiSite;
before(async () => {
  const admin = { clientCertificate: { trust: ['cac'] } };
  const told = { alerts: { recipients: { 'ops@example.test': { all: 'all' } } } };
  api = await ApiSite.open(admin, (config) => ({ ...config, ...told }), { store: true });
  onFile = await ApiSite.open(admin, (config) => ({ ...config, admin: addressFirst(config['admin']) }));
});

/** Its first origin is an address: passkeys have no name to belong to there. */
function addressFirst(section: unknown): Record<string, unknown> {
  const admin = section as Record<string, unknown>;
  return { ...admin, origins: ['https://127.0.0.1', ...(admin['origins'] as string[])] };
}

/** The next role below: the greatest that may not. */
const lesser = (least: Role): Role => ROLES[ROLES.indexOf(least) - 1] ?? 'help-desk';

const people = new Map<Role, Promise<Person>>();
function personWithToken(role: Role): Promise<Person> {
  const known = people.get(role) ?? api.person(role);
  people.set(role, known);
  return known;
}

type With = Via | { readonly token: string };

/** `at`: another gateway than the one on the store. */
type More = Asking & { readonly at?: ApiSite };

async function ask(key: ApiKey, via: With, make: Case['good'], { at = api, ...more }: More = {}): Promise<Got> {
  const route: Route = ROUTES[key];
  const role = route.least === 'nobody' ? 'help-desk' : route.least;
  // A session's requests may end it or change its account; a token stays as it is.
  const person = via === 'token' ? await personWithToken(role) : await api.person(role);
  const who: Asking =
    via === 'cookie'
      ? { cookie: await api.login(person.name) }
      : via === 'token'
        ? { token: person.token }
        : typeof via === 'object'
          ? via
          : {};
  // Who is nobody, or may not, has others prepare what is asked about.
  const prepare = async (other: ApiKey, asking: Asking = {}): Promise<Got> => {
    if (via !== 'token' && via !== 'cookie') return api.local(other, asking);
    const got = await api.tls(other, { ...who, ...asking });
    assert.ok(got.status < 300, `${other}: ${got.text}`);
    return got;
  };
  const asking = await make({ api, onFile, person, me: prepare });
  return via === 'local' ? at.local(key, { ...asking, ...more }) : at.tls(key, { ...who, ...asking, ...more });
}

const viaOf = (key: ApiKey): Via => CASES[key].via ?? (ROUTES[key].least === 'nobody' ? 'nobody' : 'token');

/** Problems that follow from the shape of the route. Undefined: it needs a case of its own. */
function derived(key: ApiKey, kind: ProblemKind): (() => Promise<Got>) | undefined {
  const route: Route = ROUTES[key];
  const { good } = CASES[key];
  const { least } = route;
  const body = (more: Asking) => () => ask(key, viaOf(key), good, more);
  switch (kind) {
    case 'unauthenticated':
      return () => ask(key, 'nobody', good);
    case 'forbidden':
      if (least === 'nobody' || least === 'help-desk') return undefined;
      return async () => ask(key, { token: (await personWithToken(lesser(least))).token }, good);
    case 'foreign-origin':
      return () => ask(key, least === 'nobody' ? 'nobody' : 'cookie', good, { origin: 'https://evil.example' });
    case 'malformed':
      if (route.body !== undefined) return body({ raw: '{"account": ' });
      if (route.query !== undefined) return body({ query: 'nonsense=1' });
      return body({
        path: Object.fromEntries(Object.keys(route.path?.shape ?? {}).map((name) => [name, 'Not A Name!'])),
      });
    case 'unsupported-media-type':
      return body({ headers: { 'content-type': 'text/plain' } });
    case 'too-large':
      return body({ raw: `"${'x'.repeat(route.maxBodyBytes ?? MAX_BODY_BYTES)}"` });
    case 'file-mode':
      return async () => ask(key, { token: (await onFile.person(least as Role)).token }, good, { at: onFile });
    case 'invalid':
      return body({ raw: '{"nonsense": 1}' });
    case 'precondition-failed':
      return body({ ifMatch: '"999999"' });
    case 'precondition-required':
      return () => ask(key, viaOf(key), async (world) => ({ ...(await good(world)), ifMatch: undefined as never }));
    default:
      return undefined;
  }
}

type Own = NonNullable<NonNullable<Case['problems']>[ProblemKind]>;
async function askOwn(key: ApiKey, own: Own): Promise<Got> {
  if (typeof own === 'function') return ask(key, viaOf(key), own);
  if (own.onFile !== true) return ask(key, own.via ?? viaOf(key), own.make);
  const { least } = ROUTES[key];
  const { name, token } = await onFile.person(least === 'nobody' ? 'help-desk' : least);
  const more =
    own.via === 'cookie' ? { at: onFile, cookie: await onFile.login(name), origin: onFile.origin } : { at: onFile };
  return ask(key, own.via === 'cookie' ? 'nobody' : { token }, own.make, more);
}

const localWorld = async (): Promise<World> => ({
  api,
  onFile,
  me: api.local.bind(api),
  person: await personWithToken('administrator'),
});

for (const key of ROUTE_KEYS) {
  describe(key, () => {
    test('succeeds for the least role that may', async () => {
      const got = await ask(key, viaOf(key), CASES[key].good);
      assert.equal(got.status, api.description.goodStatus(key), got.text);
    });

    test('every problem that the document names comes about', async () => {
      const { problems = {} } = CASES[key];
      const documented = api.description
        .problems(key)
        .filter(([kind]) => !ALWAYS_POSSIBLE.includes(kind as ProblemKind));
      assert.ok(documented.length > 0 || key === 'GET /api/openapi.json', 'no problem is documented');
      for (const [name, status] of documented) {
        const kind = name as ProblemKind;
        const own = problems[kind];
        const run = own === undefined ? derived(key, kind) : () => askOwn(key, own);
        assert.ok(run !== undefined, `there is no case for ${kind}`);
        const got = await run();
        if (typeof own === 'object') await own.after?.(await localWorld());
        assert.deepEqual([got.status, got.kind], [status, kind], got.text);
      }
      await CASES[key].after?.(await localWorld());
      for (const kind of Object.keys(problems))
        assert.ok(
          documented.some(([name]) => name === kind),
          `${kind} has a case and is not documented`,
        );
    });
  });
}

test('a change that a lesser role tries is refused and in the audit record', async () => {
  const { token, name } = await api.person('read-only');
  await api.tls('POST /api/crl/update', { token, body: {} });
  const { body } = await api.good('GET /api/audit', { query: `actor=${name}` });
  const [entry] = body['entries'] as Record<string, unknown>[];
  assert.deepEqual([entry?.['action'], entry?.['outcome']], ['updateCrls', 'forbidden']);
});

test('every change is in the audit record once it has succeeded: who, how, from where, what', async () => {
  const changes = ROUTE_KEYS.filter((key) => isChange(key, ROUTES[key]) && key !== 'DELETE /api/session');
  for (const key of changes) {
    const before = await newestAudit();
    const got = await ask(key, viaOf(key), CASES[key].good);
    assert.ok(got.status < 300, `${key}: ${got.text}`);
    const { body } = await api.good('GET /api/audit', { query: `action=${ROUTES[key].operation}&limit=1` });
    const [entry] = body['entries'] as Record<string, unknown>[];
    assert.ok(entry !== undefined && Number(entry['id']) > before, `${key} is not in the record`);
    assert.equal(entry['outcome'], 'done');
    assert.equal(entry['address'], '127.0.0.1');
    assert.match(String(entry['how']), viaOf(key) === 'cookie' ? /^password$/ : /^token$/);
  }
  assert.ok(changes.length >= 12);
});

async function newestAudit(): Promise<number> {
  const { body } = await api.good('GET /api/audit', { query: 'limit=1' });
  return Number((body['entries'] as { id: number }[])[0]?.id ?? 0);
}

test('reading is not recorded, and no route changes anything by GET', async () => {
  const before = await newestAudit();
  for (const key of ROUTE_KEYS.filter((each) => methodOf(each) === 'GET')) await ask(key, 'local', () => ({}));
  const { body } = await api.good('GET /api/audit', { query: 'limit=1000' });
  const since = (body['entries'] as { id: number; how: string; actor: string }[]).filter(({ id }) => id > before);
  // Making the person who asks is all that happened.
  assert.ok(since.every(({ how }) => how === 'local'));
});
