import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionPoint, Scope } from '../../test/support/crl-maker.ts';
import {
  above,
  cardOf,
  crlSettings,
  HOUR_MS,
  issuing,
  listed,
  NOW_MS,
  root,
} from '../../test/support/two-authorities.ts';
import type { PointRules, PointState } from './crl-points.ts';
import { checkRevocation, type CrlList, type RevocationVerdict } from './revocation.ts';

const POINT = 'http://ca.test/1.crl';
const named = cardOf(0x1008, distributionPoint(Scope.uri(POINT)));
const rules = {
  rule: 'smtpAuthProfiles.cac.crlDistributionPoints',
  allowHosts: ['ca.test'],
  whenUnavailable: 'refuse',
  whenExpired: 'refuse',
  grace: 0,
} as const;

/** The verdict on a certificate that names a point, whose list is in this state. */
function askPoint(state: PointState, lists: readonly CrlList[], changes: Partial<PointRules> = {}): RevocationVerdict {
  return checkRevocation({
    path: [named, ...above],
    crls: {
      generation: 1,
      lists: [listed({ issuer: root }, { source: 'root' }), ...lists],
      sources: [],
      points: new Map([[POINT, state]]),
    },
    settings: crlSettings({ whenNoSource: 'accept' }),
    nowMs: NOW_MS,
    points: { ...rules, ...changes },
  });
}

const ruleOf = (verdict: RevocationVerdict): string => ('rule' in verdict ? verdict.rule : verdict.status);

test('while a point has given no list, its whenUnavailable must say accept too', () => {
  assert.equal(ruleOf(askPoint('failed', [])), `${rules.rule}.whenUnavailable`);
  assert.equal(ruleOf(askPoint('fetching', [])), `${rules.rule}.whenUnavailable`);
  assert.equal(ruleOf(askPoint('failed', [], { whenUnavailable: 'accept' })), 'good');
});

test('a list of a point follows the rules of the profile once it has expired', () => {
  const late = listed(
    { issuer: issuing, thisUpdateMs: NOW_MS - 3 * HOUR_MS, nextUpdateMs: NOW_MS - HOUR_MS },
    { source: POINT },
  );
  assert.equal(ruleOf(askPoint('ready', [late])), `${rules.rule}.whenExpired`);
  assert.equal(ruleOf(askPoint('ready', [late], { grace: HOUR_MS })), 'good');
  assert.equal(ruleOf(askPoint('ready', [late], { whenExpired: 'accept' })), 'good');
});
