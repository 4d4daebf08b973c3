import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificate, ecKeys, policies, policyMappings } from '../../test/pkits/certificate-writer.ts';
import { cpuMs } from '../../test/support/cpu-time.ts';
import { parseCertificate } from './certificate.ts';
import { type PolicyOutcome, PolicyProcessor, type PolicySettings } from './certificate-policies.ts';

// The rules themselves are tested with PKITS 4.8 to 4.12 in test/pkits; here is what PKITS does not have.
const keys = ecKeys();
const ANY = '2.5.29.32.0';

function run(path: readonly (readonly Uint8Array[])[], settings: PolicySettings = {}): PolicyOutcome {
  const processor = new PolicyProcessor(path.length, settings);
  const certificates = path.map((extensions) => parseCertificate(certificate({ keys, extensions }).der));
  for (const [i, each] of certificates.entries()) {
    const last = i === certificates.length - 1;
    const why =
      processor.enter(each, { selfIssued: false, last }) ?? (last ? undefined : processor.prepareNext(each, false));
    if (why !== undefined) return { ok: false, why };
  }
  return processor.finish(certificates.at(-1) as (typeof certificates)[number]);
}

test('a policy is named by what the first authority calls it', () => {
  const path = [[policies('1.2.1'), policyMappings(['1.2.1', '1.2.2'])], [policies('1.2.2')]];
  assert.deepEqual(run(path, { initialExplicitPolicy: true }), { ok: true, policies: ['1.2.1'] });
  assert.equal(run(path, { initialPolicySet: ['1.2.2'], initialExplicitPolicy: true }).ok, false);
});

test('mappings of a policy that anyPolicy stands for count', () => {
  const path = [[policies(ANY), policyMappings(['1.2.1', '1.2.2'])], [policies('1.2.2')]];
  assert.deepEqual(run(path), { ok: true, policies: ['1.2.1'] });
});

test('anyPolicy all the way down satisfies every required policy', () => {
  const path = [[policies(ANY)], [policies(ANY)]];
  const settings = { initialPolicySet: ['1.2.3'], initialExplicitPolicy: true };
  assert.deepEqual(run(path, settings), { ok: true, policies: ['1.2.3'] });
  assert.equal(run(path, { ...settings, initialAnyPolicyInhibit: true }).ok, false);
});

test('a path without policies is valid where none is required', () => {
  assert.deepEqual(run([[], []]), { ok: true, policies: [] });
  assert.equal(run([[], []], { initialExplicitPolicy: true }).ok, false);
});

test('mappings that would make a tree explode stay small in the graph', () => {
  const ids = Array.from({ length: 60 }, (_, i) => `1.2.${i}`);
  const pairs = ids.slice(0, 4).flatMap((from) => ids.map((to) => [from, to] as const));
  const level = [policies(...ids), policyMappings(...pairs)];
  const started = cpuMs();
  const outcome = run([...Array.from({ length: 7 }, () => level), [policies(...ids)]], { initialExplicitPolicy: true });
  assert.equal(outcome.ok, true);
  assert.ok(cpuMs() - started < 1000);
});
