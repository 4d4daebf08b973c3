/** Requests about passkeys. */
import type { ApiKey } from '../../src/admin/routes.ts';
import { PASSWORD } from '../support/api-site.ts';
import { Authenticator } from '../support/authenticator.ts';
import { another, type Case, type Make, type ProblemCase, type World } from './case.ts';

const name = 'laptop';

/** A passkey of the person who asks by cookie; of somebody else where nobody asks. */
async function own(world: World): Promise<Authenticator> {
  const { status: asked, body: options } = await world.me('POST /api/session/passkeys/options');
  if (asked !== 200) return (await others(world)).authenticator;
  const authenticator = new Authenticator(world.api.origin);
  const body = { name, response: authenticator.create(options) };
  const { status } = await world.me('POST /api/session/passkeys', { body });
  if (status !== 201) throw new Error(`registered: ${status}`);
  return authenticator;
}

/** A fresh account, its cookie, and its passkey. */
async function others({ api }: World): Promise<{ account: string; cookie: string; authenticator: Authenticator }> {
  const account = `passkey-${another()}`;
  await api.good('POST /api/accounts', { body: { name: account, role: 'help-desk', password: PASSWORD } });
  const cookie = await api.login(account);
  const { body: options } = await api.tls('POST /api/session/passkeys/options', { cookie });
  const authenticator = new Authenticator(api.origin);
  await api.tls('POST /api/session/passkeys', { cookie, body: { name, response: authenticator.create(options) } });
  return { account, cookie, authenticator };
}

const idOf = (authenticator: Authenticator): string => authenticator.id.toString('base64url');

async function loginBody(world: World, authenticator: Authenticator, spoilSignature = false) {
  const { body } = await world.api.tls('POST /api/login/passkey/options', { body: {} });
  const options = body['options'] as Record<string, unknown>;
  return { attempt: String(body['attempt']), response: authenticator.get(options, { spoilSignature }) };
}

/** From an address of its own, so that nobody else is locked out with it. */
const fresh = (): string => {
  const number = another();
  return `127.3.${Math.floor(number / 250)}.${2 + (number % 250)}`;
};

async function lockAddress(world: World): Promise<string> {
  const from = fresh();
  for (let i = 0; i < 20; i++)
    await world.api.tls('POST /api/login', { from, body: { account: `none-${another()}`, password: 'wrong' } });
  return from;
}

async function fill(world: World): Promise<void> {
  for (let i = 0; i < 50; i++) await own(world);
}

/** The gateway on a file has an address as its origin: there passkeys have no name to belong to. */
const withoutName = (make: Make): ProblemCase => ({ onFile: true, make });
const byToken = (make: Make): ProblemCase => ({ via: 'token', make });

export const PASSKEY_CASES = {
  'POST /api/login/passkey/options': {
    good: () => ({ body: {} }),
    problems: {
      'not-possible': withoutName(() => ({ body: {} })),
      'too-many-attempts': async (world) => ({ from: await lockAddress(world), body: {} }),
    },
  },
  'POST /api/login/passkey': {
    good: async (world) => ({ body: await loginBody(world, (await others(world)).authenticator) }),
    problems: {
      'not-possible': withoutName(async (world) => ({
        body: { attempt: 'x', response: (await loginBody(world, new Authenticator(world.api.origin))).response },
      })),
      'login-failed': async (world) => {
        const { authenticator } = await others(world);
        return { body: await loginBody(world, authenticator, true), from: fresh() };
      },
      'too-many-attempts': async (world) => {
        const { authenticator } = await others(world);
        const from = fresh();
        for (let i = 0; i < 5; i++)
          await world.api.tls('POST /api/login/passkey', { from, body: await loginBody(world, authenticator, true) });
        return { from, body: await loginBody(world, authenticator) };
      },
    },
  },
  'POST /api/session/passkeys/options': {
    via: 'cookie',
    good: () => ({}),
    problems: {
      forbidden: byToken(() => ({})),
      'not-possible': { via: 'cookie', onFile: true, make: () => ({}) },
      conflict: async (world) => {
        await fill(world);
        return {};
      },
    },
  },
  'GET /api/session/passkeys': {
    via: 'cookie',
    good: () => ({}),
    problems: { forbidden: byToken(() => ({})) },
  },
  'POST /api/session/passkeys': {
    via: 'cookie',
    good: async (world) => {
      const { status, body } = await world.me('POST /api/session/passkeys/options');
      const options = status === 200 ? body : await someOptions(world);
      return { body: { name, response: new Authenticator(world.api.origin).create(options) } };
    },
    problems: {
      forbidden: byToken(async (world) => ({
        body: { name, response: new Authenticator(world.api.origin).create(await someOptions(world)) },
      })),
      // A challenge that another session was given.
      'not-possible': async (world) => ({
        body: { name, response: new Authenticator(world.api.origin).create(await someOptions(world)) },
      }),
      conflict: async (world) => {
        const { authenticator } = await others(world);
        const { body: options } = await world.me('POST /api/session/passkeys/options');
        return { body: { name, response: authenticator.create(options) } };
      },
    },
  },
  'PATCH /api/session/passkeys/{id}': {
    via: 'cookie',
    good: async (world) => ({ path: { id: idOf(await own(world)) }, body: { name: 'key in the safe' } }),
    problems: {
      'not-found': async (world) => ({ path: { id: idOf((await others(world)).authenticator) }, body: { name } }),
      forbidden: byToken(() => ({ path: { id: 'x' }, body: { name } })),
    },
  },
  'DELETE /api/session/passkeys/{id}': {
    via: 'cookie',
    good: async (world) => ({ path: { id: idOf(await own(world)) } }),
    problems: {
      'not-found': async (world) => ({ path: { id: idOf((await others(world)).authenticator) } }),
      forbidden: byToken(() => ({ path: { id: 'x' } })),
    },
  },
  'GET /api/accounts/{account}/passkeys': {
    good: async (world) => ({ path: { account: (await others(world)).account } }),
    problems: { 'not-found': () => ({ path: { account: 'nobody' } }) },
  },
  'DELETE /api/accounts/{account}/passkeys/{id}': {
    good: async (world) => {
      const { account, authenticator } = await others(world);
      return { path: { account, id: idOf(authenticator) } };
    },
    problems: { 'not-found': async (world) => ({ path: { account: (await others(world)).account, id: 'x' } }) },
  },
} as const satisfies Partial<Record<ApiKey, Case>>;

async function someOptions(world: World): Promise<Record<string, unknown>> {
  const { cookie } = await others(world);
  return (await world.api.tls('POST /api/session/passkeys/options', { cookie })).body;
}
