/** Requests of those who ask why, and what would be. */
import { readFileSync } from 'node:fs';
import type { ApiKey } from '../../src/admin/routes.ts';
import type { Case, Make, ProblemCase, World } from './case.ts';
import { contradicted } from './cases-configuration.ts';

const card = ({ api }: World): string => readFileSync(api.site.pki.card('alice').certFile, 'utf8');

/** About a candidate that somebody else's commit stands against. */
const inConflict = (good: Make): ProblemCase => ({
  make: async (world) => {
    const { token } = await world.api.person('read-only');
    const me: World['me'] = (key, asking) => world.api.tls(key, { ...asking, token });
    await contradicted({ ...world, me });
    const { body } = await good(world);
    return { body: { ...(body as object), which: 'candidate' }, token };
  },
});

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
} as const satisfies Partial<Record<ApiKey, Case>>;
