/** Requests about the configuration. */
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Asking } from '../support/api-site.ts';
import { another, type Case, type Make, type World } from './case.ts';

const BANNER = ['mailFlowPolicies', 'submission', 'maxMessagesPerConnection'];
const set = (path: readonly (string | number)[], value: unknown) => ({ body: { edits: [{ op: 'set', path, value }] } });
/** A candidate with it does not pass the checks. */
export const faultyEdit = set(['listeners', 'submission', 'nonsense'], 1);
const NOTHING_THERE = ['listeners', 'nowhere', 'hat', 3];

/** The caller has a candidate with one change of its own, and no other. */
export async function changed(world: World, path: readonly (string | number)[] = BANNER): Promise<Asking> {
  await unchanged(world);
  await world.me('PATCH /api/config/candidate', set(path, 100 + another()));
  return {};
}

/** The caller has nothing to commit. */
export async function unchanged({ me }: World): Promise<Asking> {
  await me('PATCH /api/config/candidate', set(BANNER, 100 + another()));
  await me('DELETE /api/config/candidate');
  return {};
}

/** The caller has a change at a key that somebody else has committed meanwhile. */
export async function contradicted(world: World): Promise<Asking> {
  await changed(world);
  const { api } = world;
  await api.good('PATCH /api/config/candidate', set(BANNER, 100 + another()));
  await api.good('POST /api/config/commit', { body: { comment: 'theirs' } });
  return {};
}

async function revisions({ api }: World): Promise<number> {
  await api.good('PATCH /api/config/candidate', set(BANNER, 100 + another()));
  const { body } = await api.good('POST /api/config/commit', { body: { comment: `revision ${another()}` } });
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
    good: () => set(BANNER, 100 + another()),
    problems: {
      'not-possible': () => ({ body: { edits: [{ op: 'delete', path: NOTHING_THERE }] } }),
      'not-found': async (world) => {
        await unchanged(world);
        return { body: { ...set(BANNER, 1).body, base: 999_999 } };
      },
    },
  },
  'PUT /api/config/candidate': {
    good: async (world) => {
      await unchanged(world);
      return { body: { document: 100 + another(), at: BANNER } };
    },
    problems: {
      'not-possible': () => ({ body: { document: {}, at: NOTHING_THERE } }),
      'not-found': async (world) => {
        await unchanged(world);
        return { body: { document: 100, at: BANNER, base: 999_999 } };
      },
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
        await world.me('PATCH /api/config/candidate', faultyEdit);
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
      conflict: withBody(contradicted, {}),
    },
  },
  'POST /api/config/confirm': {
    good: async (world) => {
      const { body } = await world.api.good('GET /api/config/status');
      if (body['unconfirmed'] !== undefined) return {};
      await world.api.good('PATCH /api/config/candidate', set(BANNER, 100 + another()));
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
      // To what is in force: there are no changes.
      conflict: async (world) => ({ body: { to: await revisions(world) } }),
    },
  },
  'POST /api/config/rekey': { good: () => ({}) },
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
