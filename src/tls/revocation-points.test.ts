import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Authority,
  type CrlRequest,
  distributionPoint,
  makeCertificate,
  makeCrl,
  newAuthority,
  Scope,
  toPem,
} from '../../test/support/crl-maker.ts';
import { parseCertificate } from './certificate.ts';
import { type LoadedCrl, loadBundle } from './crl-issuer.ts';
import type { PointRules, PointState } from './crl-points.ts';
import { checkRevocation, type CrlList, type RevocationVerdict } from './revocation.ts';
import { buildTrustStore } from './trust-store.ts';

const NOW_MS = Date.UTC(2026, 10, 24);
const HOUR_MS = 3_600_000;
const root = newAuthority('Root CA');
const issuing = newAuthority('Issuing CA');
const rootCert = makeCertificate({ subject: root, issuer: root, serial: 1, ca: true });
const issuingCert = makeCertificate({ subject: issuing, issuer: root, serial: 2, ca: true });
const authorities = buildTrustStore([rootCert, issuingCert].map((der) => toPem('CERTIFICATE', der)));
const above = [parseCertificate(issuingCert), parseCertificate(rootCert)];

function listed(request: Partial<CrlRequest> & { issuer: Authority }, source: string): CrlList {
  const bytes = makeCrl({ thisUpdateMs: NOW_MS - 3 * HOUR_MS, nextUpdateMs: NOW_MS + HOUR_MS, ...request });
  const { lists, faults } = loadBundle({ bytes, type: 'asn1', authorities, nowMs: NOW_MS });
  assert.deepEqual(faults, []);
  return { ...(lists[0] as LoadedCrl).crl, source };
}

const POINT = 'http://ca.test/1.crl';
const named = parseCertificate(
  makeCertificate({
    subject: newAuthority('user'),
    issuer: issuing,
    serial: 0x1008,
    ca: false,
    extensions: [distributionPoint(Scope.uri(POINT))],
  }),
);
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
      lists: [listed({ issuer: root }, 'root'), ...lists],
      sources: [],
      points: new Map([[POINT, state]]),
    },
    settings: {
      checkInbound: true,
      checkOutbound: false,
      checkWebInterface: false,
      whenNoSource: 'accept',
      sources: {},
    },
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
  const late = listed({ issuer: issuing, nextUpdateMs: NOW_MS - HOUR_MS }, POINT);
  assert.equal(ruleOf(askPoint('ready', [late])), `${rules.rule}.whenExpired`);
  assert.equal(ruleOf(askPoint('ready', [late], { grace: HOUR_MS })), 'good');
  assert.equal(ruleOf(askPoint('ready', [late], { whenExpired: 'accept' })), 'good');
});
