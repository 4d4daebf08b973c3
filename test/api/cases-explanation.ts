/** Requests of those who ask why, and what would be. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Role } from '../../src/admin/roles.ts';
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case, Make, ProblemCase, World } from './case.ts';
import { eventually } from '../support/eventually.ts';
import { SmtpSession } from '../support/smtp-session.ts';
import { changed, contradicted, faultyEdit, unchanged } from './cases-configuration.ts';

const card = ({ api }: World): string => readFileSync(api.site.pki.card('alice').certFile, 'utf8');

/** Somebody whose candidate nobody else sees. */
async function newcomer(world: World, role: Role = 'read-only'): Promise<{ token: string; me: World['me'] }> {
  const { token } = await world.api.person(role);
  return { token, me: (key, asking) => world.api.tls(key, { ...asking, token }) };
}

/** About a candidate that somebody else's commit stands against. */
const inConflict = (good: Make, role?: Role): ProblemCase => ({
  make: async (world) => {
    const { token, me } = await newcomer(world, role);
    await contradicted({ ...world, me });
    const { body } = await good(world);
    return { body: { ...(body as object), which: 'candidate' }, token };
  },
});

/** Of a revision that is not there, of a candidate in conflict, of one that is faulty. */
const ofWhich = (query: string) => {
  const candidate = `which=candidate&${query}`;
  return {
    'not-found': () => ({ query: 'which=999999' }),
    conflict: async (world) => {
      const { token, me } = await newcomer(world);
      await contradicted({ ...world, me });
      return { query: candidate, token };
    },
    invalid: async (world) => {
      const { token, me } = await newcomer(world);
      await me('PATCH /api/config/candidate', faultyEdit);
      return { query: candidate, token };
    },
  } as const satisfies Case['problems'];
};

/** The gateway has seen somebody, and has written it down. */
async function seenClients({ api }: World): Promise<void> {
  const history = join(api.gateway.data, 'history.db');
  if (existsSync(history)) return;
  const session = await SmtpSession.open({ port: api.smtpPort });
  await session.send({ from: 'alice@example.test', to: 'x@elsewhere.example' });
  await session.quit();
  // Threads tell every second.
  await eventually(() => assert.ok(existsSync(history), `there is no ${history}`));
}

const traced = async (world: World): Promise<{ readonly body: object }> => ({
  body: {
    fromIp: '127.0.0.1',
    certificate: card(world),
    user: 'bob',
    sender: 'alice@example.test',
    recipients: ['x@elsewhere.example'],
    message: Buffer.from('Subject: hello\r\n\r\nhello\r\n').toString('base64'),
  },
});

const aboutBob: Make = () => ({ body: { user: 'bob' } });

const toNextHop: Make = () => ({ body: { domain: 'example.org' } });

const verifyAlice: Make = (world) => ({ body: { profile: 'cac', certificate: card(world) } });

export const EXPLANATION_CASES = {
  'POST /api/cert/verify': {
    good: verifyAlice,
    problems: {
      conflict: inConflict(verifyAlice),
      'not-found': (world) => ({ body: { profile: 'nowhere', certificate: card(world) } }),
      'not-possible': () => ({ body: { profile: 'cac', certificate: 'no PEM' } }),
    },
  },
  'POST /api/trace': {
    good: traced,
    problems: {
      conflict: inConflict(traced),
      forbidden: async (world) => ({ body: { ...(await traced(world)).body, user: 'bob', password: 'x' } }),
      'not-found': async (world) => ({ body: { ...(await traced(world)).body, which: 999_999 } }),
      'not-possible': async (world) => ({ body: { ...(await traced(world)).body, fromIp: 'nowhere' } }),
    },
  },
  'POST /api/ldaptest': {
    good: aboutBob,
    problems: {
      conflict: inConflict(aboutBob),
      forbidden: () => ({ body: { user: 'bob', password: 'bob-secret' } }),
      'not-found': () => ({ body: { user: 'bob', which: 999_999 } }),
      'not-possible': () => ({ body: { user: 'bob', query: 'nowhere' } }),
    },
  },
  'POST /api/tlsverify': {
    good: toNextHop,
    problems: {
      conflict: inConflict(toNextHop, 'operator'),
      'not-found': () => ({ body: { domain: 'example.org', which: 999_999 } }),
      'not-possible': () => ({ body: { domain: 'example.org', ca: 'nowhere' } }),
    },
  },
  'POST /api/config/candidate/dry-run': {
    good: async (world) => {
      await seenClients(world);
      return changed(world).then((asking) => ({ ...asking, body: { days: 1 } }));
    },
    problems: {
      'not-found': async (world) => ({ ...(await unchanged(world)), body: {} }),
      conflict: async (world) => ({ ...(await contradicted(world)), body: {} }),
    },
  },
  'GET /api/rules': { good: () => ({ query: 'unusedDays=30' }), problems: ofWhich('unusedDays=1') },
  'GET /api/exemptions': { good: () => ({ query: 'soonDays=30' }), problems: ofWhich('soonDays=1') },
  'GET /api/monitored': { good: () => ({}) },
} as const satisfies Partial<Record<ApiKey, Case>>;
