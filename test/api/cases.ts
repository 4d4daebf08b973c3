/**
 * For every route of the API a request that succeeds, and one for each problem that is its own. What follows from the
 * shape of a route (nobody signed in, a lesser role, another origin, a body that is no JSON …) needs no case here:
 * `routes.test.ts` derives it.
 */
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ProblemKind } from '../../src/admin/problem.ts';
import type { ApiKey } from '../../src/admin/routes.ts';
import { type ApiSite, type Asking, type Got, PASSWORD, type Person } from '../support/api-site.ts';

/** `token`, `cookie`: of somebody with the least role that may; `nobody`: without anything. */
export type Via = 'token' | 'cookie' | 'local' | 'nobody';
export type World = {
  readonly api: ApiSite;
  readonly onFile: ApiSite;
  /** Signed in by cookie in this request, where the case asks by cookie. */
  readonly person: Person;
  /** A request of the same caller, which must succeed. */
  readonly me: (key: ApiKey, asking?: Asking) => Promise<Got>;
};
type Make = (world: World) => Asking | Promise<Asking>;
type ProblemCase = {
  readonly via?: Via;
  /** Asked of the gateway that runs on a file. */
  readonly onFile?: true;
  readonly make: Make;
  readonly after?: (world: World) => Promise<void>;
};

export type Case = {
  /** Default: token; for routes that anybody may use, nobody. */
  readonly via?: Via;
  readonly good: Make;
  /** After all requests of this route. */
  readonly after?: (world: World) => Promise<void>;
  readonly problems?: Partial<Record<ProblemKind, Make | ProblemCase>>;
};

let made = 0;
async function newAccount({ api }: World): Promise<string> {
  const name = `account-${++made}`;
  await api.good('POST /api/accounts', { body: { name, role: 'operator', password: PASSWORD } });
  return name;
}

const nobodysName = { account: 'nobody' };
const noAccount: Make = () => ({ path: nobodysName });

/** From an address of its own, so that nobody else is locked out with it. */
async function lock({ api }: World, account: string): Promise<void> {
  const from = `127.0.${Math.floor(++made / 250)}.${2 + (made % 250)}`;
  for (let i = 0; i < 5; i++) await api.tls('POST /api/login', { from, body: { account, password: 'wrong' } });
}

async function locked(world: World): Promise<string> {
  const account = await newAccount(world);
  await lock(world, account);
  return account;
}

function uniqueCertificate({ api }: World): { readonly cert: string; readonly key: string } {
  const number = (0x5000 + ++made).toString(16);
  return api.site.pki.issue({ subject: `/O=Example/CN=Person ${number}`, serial: number });
}

async function withToken(world: World): Promise<{ account: string; id: string }> {
  const account = await newAccount(world);
  const got = await world.api.good('POST /api/accounts/{account}/tokens', { path: { account }, body: { name: 'x' } });
  return { account, id: (got.body['token'] as { id: string }).id };
}

async function withCertificate(world: World): Promise<{ account: string; id: string; pem: string }> {
  const account = await newAccount(world);
  const pem = uniqueCertificate(world).cert;
  const got = await world.api.good('POST /api/accounts/{account}/certificates', { path: { account }, body: { pem } });
  return { account, id: String(got.body['id']), pem };
}

async function withManyTokens(world: World, account: string): Promise<void> {
  for (let i = 0; i < 50; i++) {
    const got = await world.api.local('POST /api/accounts/{account}/tokens', {
      path: { account },
      body: { name: `${i}` },
    });
    if (got.status !== 201) return;
  }
}

/** What the local account asks about the only administrator that is enabled. */
function onlyAdministrator(make: (account: string) => Asking): ProblemCase {
  const disabled: string[] = [];
  const enable = (api: ApiSite, account: string, enabled: boolean) =>
    api.good('PATCH /api/accounts/{account}', { path: { account }, body: { enabled } });
  return {
    via: 'local',
    make: async ({ api }) => {
      const name = `last-${++made}`;
      await api.good('POST /api/accounts', { body: { name, role: 'administrator' } });
      const { body } = await api.good('GET /api/accounts');
      for (const account of body['accounts'] as { name: string; role: string; enabled: boolean }[]) {
        if (account.role !== 'administrator' || !account.enabled || account.name === name) continue;
        await enable(api, account.name, false);
        disabled.push(account.name);
      }
      return make(name);
    },
    after: async ({ api }) => {
      for (const name of disabled) await enable(api, name, true);
    },
  };
}

const NEW_PASSWORD = 'another correct battery';

export const SESSION_CASES = {
  'POST /api/login': {
    good: ({ person }) => ({ body: { account: person.name, password: PASSWORD } }),
    problems: {
      'login-failed': async (world) => ({ body: { account: await newAccount(world), password: 'wrong' } }),
      'too-many-attempts': async (world) => ({ body: { account: await locked(world), password: PASSWORD } }),
    },
  },
  'POST /api/login/certificate': {
    good: async (world) => {
      const certificate = uniqueCertificate(world);
      const account = await newAccount(world);
      await world.api.good('POST /api/accounts/{account}/certificates', {
        path: { account },
        body: { pem: certificate.cert },
      });
      return { certificate };
    },
    problems: { 'login-failed': () => ({}) },
  },
  'GET /api/session': { good: () => ({}) },
  'DELETE /api/session': { via: 'cookie', good: () => ({}) },
  'PUT /api/session/password': {
    via: 'cookie',
    good: () => ({ body: { current: PASSWORD, password: NEW_PASSWORD } }),
    problems: {
      forbidden: { via: 'token', make: () => ({ body: { current: PASSWORD, password: NEW_PASSWORD } }) },
      'login-failed': () => ({ body: { current: 'wrong', password: NEW_PASSWORD } }),
      'too-many-attempts': async (world) => {
        await lock(world, world.person.name);
        return { body: { current: PASSWORD, password: NEW_PASSWORD } };
      },
    },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;

export const ACCOUNT_CASES = {
  'GET /api/accounts': { good: () => ({}) },
  'POST /api/accounts': {
    via: 'cookie',
    good: () => ({ body: { name: `fresh-${++made}`, role: 'help-desk', password: PASSWORD } }),
    problems: {
      conflict: async (world) => ({ body: { name: await newAccount(world), role: 'operator' } }),
    },
  },
  'GET /api/accounts/{account}': {
    good: async (world) => ({ path: { account: await newAccount(world) } }),
    problems: { 'not-found': noAccount },
  },
  'PATCH /api/accounts/{account}': {
    good: async (world) => ({ path: { account: await newAccount(world) }, body: { role: 'help-desk' } }),
    problems: {
      'not-found': () => ({ path: nobodysName, body: {} }),
      conflict: onlyAdministrator((account) => ({ path: { account }, body: { enabled: false } })),
    },
  },
  'DELETE /api/accounts/{account}': {
    good: async (world) => ({ path: { account: await newAccount(world) } }),
    problems: {
      'not-found': noAccount,
      conflict: onlyAdministrator((account) => ({ path: { account } })),
    },
  },
  'PUT /api/accounts/{account}/password': {
    via: 'cookie',
    good: async (world) => ({ path: { account: await newAccount(world) }, body: { password: NEW_PASSWORD } }),
    problems: { 'not-found': () => ({ path: nobodysName, body: { password: NEW_PASSWORD } }) },
  },
  'POST /api/accounts/{account}/unlock': {
    good: async (world) => ({ path: { account: await locked(world) } }),
    problems: { 'not-found': noAccount },
  },
  'GET /api/accounts/{account}/certificates': {
    good: async (world) => ({ path: { account: (await withCertificate(world)).account } }),
    problems: { 'not-found': noAccount },
  },
  'POST /api/accounts/{account}/certificates': {
    via: 'cookie',
    good: async (world) => ({
      path: { account: await newAccount(world) },
      body: { pem: uniqueCertificate(world).cert },
    }),
    problems: {
      'not-found': (world) => ({ path: nobodysName, body: { pem: uniqueCertificate(world).cert } }),
      conflict: async (world) => {
        const { account, pem } = await withCertificate(world);
        return { path: { account }, body: { pem } };
      },
    },
  },
  'DELETE /api/accounts/{account}/certificates/{id}': {
    good: async (world) => {
      const { account, id } = await withCertificate(world);
      return { path: { account, id } };
    },
    problems: { 'not-found': async (world) => ({ path: { account: await newAccount(world), id: 'x' } }) },
  },
  'GET /api/accounts/{account}/tokens': {
    good: async (world) => ({ path: { account: (await withToken(world)).account } }),
    problems: { 'not-found': noAccount },
  },
  'POST /api/accounts/{account}/tokens': {
    via: 'cookie',
    good: async (world) => ({
      path: { account: await newAccount(world) },
      body: { name: 'backup', role: 'read-only' },
    }),
    problems: {
      'not-found': () => ({ path: nobodysName, body: { name: 'x' } }),
      conflict: async (world) => {
        const account = await newAccount(world);
        await withManyTokens(world, account);
        return { path: { account }, body: { name: 'one more' } };
      },
    },
  },
  'DELETE /api/accounts/{account}/tokens/{id}': {
    good: async (world) => ({ path: await withToken(world) }),
    problems: { 'not-found': async (world) => ({ path: { account: await newAccount(world), id: 'x' } }) },
  },
  'GET /api/session/tokens': {
    via: 'cookie',
    good: () => ({}),
    problems: { forbidden: { via: 'token', make: () => ({}) } },
  },
  'POST /api/session/tokens': {
    via: 'cookie',
    good: () => ({ body: { name: 'mine', expiresInDays: 1 } }),
    problems: {
      forbidden: { via: 'token', make: () => ({ body: { name: 'more' } }) },
      conflict: async (world) => {
        await withManyTokens(world, world.person.name);
        return { body: { name: 'one more' } };
      },
    },
  },
  'DELETE /api/session/tokens/{id}': {
    via: 'cookie',
    good: async ({ api, person }) => {
      const list = await api.good('GET /api/accounts/{account}/tokens', { path: { account: person.name } });
      return { path: { id: (list.body['tokens'] as { id: string }[])[0]?.id ?? '' } };
    },
    problems: {
      'not-found': () => ({ path: { id: 'x' } }),
      forbidden: { via: 'token', make: () => ({ path: { id: 'x' } }) },
    },
  },
  'GET /api/audit': { good: () => ({ query: 'limit=5' }) },
} as const satisfies Partial<Record<ApiKey, Case>>;

export const GATEWAY_CASES = {
  'GET /api/openapi.json': { good: () => ({}) },
  'GET /api/status': { good: () => ({}) },
  'GET /api/metrics': { good: () => ({}) },
  'GET /api/crl': { good: () => ({}) },
  'POST /api/crl/update': {
    good: () => ({ body: { source: 'cac' } }),
    problems: { 'not-found': () => ({ body: { source: 'nowhere' } }) },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;

const BANNER = ['mailFlowPolicies', 'submission', 'maxMessagesPerConnection'];
const set = (path: readonly (string | number)[], value: unknown) => ({ body: { edits: [{ op: 'set', path, value }] } });
const NOTHING_THERE = ['listeners', 'nowhere', 'hat', 3];

/** The caller has a candidate with one change of its own, and no other. */
async function changed(world: World, path: readonly (string | number)[] = BANNER): Promise<Asking> {
  await unchanged(world);
  await world.me('PATCH /api/config/candidate', set(path, 100 + ++made));
  return {};
}

/** The caller has nothing to commit. */
async function unchanged({ me }: World): Promise<Asking> {
  await me('PATCH /api/config/candidate', set(BANNER, 100 + ++made));
  await me('DELETE /api/config/candidate');
  return {};
}

/** The caller has a change at a key that somebody else has committed meanwhile. */
async function contradicted(world: World): Promise<Asking> {
  await changed(world);
  const { api } = world;
  await api.good('PATCH /api/config/candidate', set(BANNER, 100 + ++made));
  await api.good('POST /api/config/commit', { body: { comment: 'theirs' } });
  return {};
}

async function revisions({ api }: World): Promise<number> {
  await api.good('PATCH /api/config/candidate', set(BANNER, 100 + ++made));
  const { body } = await api.good('POST /api/config/commit', { body: { comment: `revision for ${made}` } });
  return (body['revision'] as { number: number }).number;
}

const withBody =
  (make: Make, body: object): Make =>
  async (world) => ({ ...(await make(world)), body });

const keptFile = ({ onFile }: World): string => `${onFile.gateway.configFile}.kept`;
const breakFile: Make = (world) => {
  const { configFile } = world.onFile.gateway;
  copyFileSync(configFile, keptFile(world));
  writeFileSync(configFile, 'listeners: {}\n');
  return {};
};
const mendFile = async (world: World): Promise<void> => renameSync(keptFile(world), world.onFile.gateway.configFile);

export const CONFIGURATION_CASES = {
  'GET /api/config/status': { good: () => ({}) },
  'GET /api/config': {
    good: () => ({ query: 'which=running&path=mailFlowPolicies.submission' }),
    problems: { 'not-found': () => ({ query: 'which=999999' }) },
  },
  'GET /api/config/candidate': { good: changed, problems: { 'not-found': unchanged } },
  'PATCH /api/config/candidate': {
    good: () => set(BANNER, 100 + ++made),
    problems: {
      'not-possible': () => ({ body: { edits: [{ op: 'delete', path: NOTHING_THERE }] } }),
    },
  },
  'PUT /api/config/candidate': {
    good: () => ({ body: { document: 100 + ++made, at: BANNER } }),
    problems: {
      'not-possible': () => ({ body: { document: {}, at: NOTHING_THERE } }),
    },
  },
  'DELETE /api/config/candidate': { good: changed, problems: { 'not-found': unchanged } },
  'POST /api/config/candidate/validate': {
    good: changed,
    problems: {
      'not-found': unchanged,
      conflict: contradicted,
      invalid: async (world) => {
        await unchanged(world);
        await world.me('PATCH /api/config/candidate', set(['listeners', 'submission', 'nonsense'], 1));
        return {};
      },
    },
  },
  'POST /api/config/candidate/rebase': {
    good: async (world) => {
      await contradicted(world);
      return { body: { choices: [{ path: BANNER, keep: 'mine' }] } };
    },
    problems: {
      'not-found': withBody(unchanged, { choices: [] }),
      conflict: withBody(contradicted, { choices: [] }),
    },
  },
  'POST /api/config/commit': {
    good: withBody(changed, { comment: 'a case' }),
    problems: {
      'not-found': withBody(unchanged, {}),
      conflict: withBody(contradicted, {}),
    },
  },
  'POST /api/config/confirm': {
    good: async (world) => {
      const { body } = await world.api.good('GET /api/config/status');
      if (body['unconfirmed'] !== undefined) return {};
      await world.api.good('PATCH /api/config/candidate', set(BANNER, 100 + ++made));
      await world.api.good('POST /api/config/commit', { body: { confirmMs: 600_000 } });
      return {};
    },
    after: async ({ api }) => void (await api.local('POST /api/config/confirm')),
    problems: {
      'not-found': async ({ api }) => {
        await api.local('POST /api/config/confirm');
        return {};
      },
    },
  },
  'POST /api/config/rollback': {
    good: async (world) => ({ body: { to: (await revisions(world)) - 1, comment: 'back' } }),
    problems: {
      'not-found': () => ({ body: { to: 999_999 } }),
    },
  },
  'POST /api/config/reload': {
    good: () => ({}),
    problems: { invalid: { onFile: true, make: breakFile, after: mendFile } },
  },
  'GET /api/config/history': { good: () => ({ query: 'limit=3' }) },
  'GET /api/config/history/{revision}': {
    good: async (world) => ({ path: { revision: String(await revisions(world)) } }),
    problems: { 'not-found': () => ({ path: { revision: '999999' } }) },
  },
  'GET /api/config/diff': {
    good: async (world) => ({ query: `from=${(await revisions(world)) - 1}&to=running` }),
    problems: { 'not-found': () => ({ query: 'from=999999&to=running' }) },
  },
  'POST /api/config/export': {
    good: () => ({ body: { secrets: 'masked' } }),
    problems: {
      forbidden: () => ({ body: { secrets: 'clear' } }),
      'not-possible': { via: 'local', make: () => ({ body: { secrets: 'sealed' } }) },
      'not-found': () => ({ body: { which: 999_999 } }),
    },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;

/** A route without a case does not compile. */
export const CASES: Readonly<Record<ApiKey, Case>> = {
  ...SESSION_CASES,
  ...ACCOUNT_CASES,
  ...GATEWAY_CASES,
  ...CONFIGURATION_CASES,
};
