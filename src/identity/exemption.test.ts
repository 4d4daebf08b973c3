/** Exemptions: who may use a password until when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExemptionFacts, exemptionOf } from './exemption.ts';

const END = Date.UTC(2026, 11, 31);
const EXEMPTIONS = {
  'alice-lost-card': { user: 'alice', until: END, reason: 'card lost', grantedBy: 'help desk' },
  erin: { user: 'Erin@Example.test', until: END, reason: 'reader broken', grantedBy: 'boss', profiles: ['password'] },
};
const ask = (more: Partial<ExemptionFacts>): string | undefined =>
  exemptionOf(EXEMPTIONS, { login: 'alice', defaultDomain: 'example.test', profile: 'password', nowMs: END, ...more });

for (const [title, facts, expected] of [
  ['counts to its end', {}, 'alice-lost-card'],
  ['has ended a millisecond later', { nowMs: END + 1 }, undefined],
  ['takes the login in any case', { login: 'ALICE' }, 'alice-lost-card'],
  ['takes the login with the default domain', { login: 'alice@example.test' }, 'alice-lost-card'],
  ['does not take the login of another domain', { login: 'alice@other.test' }, undefined],
  ['does not take another login', { login: 'alicia' }, undefined],
  ['written as an address takes the bare login', { login: 'erin' }, 'erin'],
  ['written as an address does not take a bare login elsewhere', { login: 'erin', defaultDomain: 'b.test' }, undefined],
  ['counts in its profiles only', { login: 'erin', profile: 'other' }, undefined],
] as const)
  test(`an exemption ${title}`, () => assert.equal(ask(facts), expected));
