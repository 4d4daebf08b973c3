/** Requests about signing in, accounts, tokens and the audit record. */
import type { ApiKey } from '../../src/admin/routes.ts';
import { type ApiSite, type Asking, PASSWORD } from '../support/api-site.ts';
import { another, type Case, type Make, type ProblemCase, type World } from './case.ts';

async function newAccount({ api }: World): Promise<string> {
  const name = `account-${another()}`;
  await api.good('POST /api/accounts', { body: { name, role: 'operator', password: PASSWORD } });
  return name;
}

const nobodysName = { account: 'nobody' };
const noAccount: Make = () => ({ path: nobodysName });

/** Nobody else is locked out with it. */
function ownAddress(): string {
  const number = another();
  return `127.0.${Math.floor(number / 250)}.${2 + (number % 250)}`;
}

async function lock({ api }: World, account: string): Promise<void> {
  const from = ownAddress();
  for (let i = 0; i < 5; i++) await api.tls('POST /api/login', { from, body: { account, password: 'wrong' } });
}

async function locked(world: World): Promise<string> {
  const account = await newAccount(world);
  await lock(world, account);
  return account;
}

function uniqueCertificate({ api }: World): { readonly cert: string; readonly key: string } {
  const number = (0x5000 + another()).toString(16);
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
      const name = `last-${another()}`;
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
    problems: {
      'login-failed': () => ({}),
      'too-many-attempts': async ({ api }) => {
        const from = ownAddress();
        for (let i = 0; i < 20; i++) await api.tls('POST /api/login/certificate', { from });
        return { from };
      },
    },
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
    good: () => ({ body: { name: `fresh-${another()}`, role: 'help-desk', password: PASSWORD } }),
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
