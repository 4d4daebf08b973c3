/** The three recipes of the contract load unchanged, without a fault and without a warning, and mean what they say. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { effectivePolicy } from '../../../src/config/effective-policy.ts';
import { loadConfig, renderFault } from '../../../src/config/load.io.ts';
import { materialFolder, NOW_MS } from '../../config-bad/material.ts';

const folder = await materialFolder();

function load(name: string) {
  const file = path.join(folder, name);
  copyFileSync(path.join(import.meta.dirname, name), file);
  const loaded = loadConfig(file, [], NOW_MS);
  const faults = loaded.ok ? loaded.warnings : loaded.faults;
  assert.deepEqual(
    faults.map((fault) => renderFault(name, fault)),
    [],
  );
  assert.ok(loaded.ok);
  return loaded;
}

test('recipe A asks for a certificate and for nothing else', () => {
  const { config, material } = load('recipe-a-certificate.yaml');
  const policy = effectivePolicy(config, 'submission', 'RELAYED');
  assert.deepEqual([policy.tls, policy.verifyClientCertificate, policy.smtpAuth], ['required', true, 'required']);
  assert.equal(material.bindPasswords['corp'], 'gateway-secret');
  assert.match(material.authorities['cac'] ?? '', /BEGIN CERTIFICATE/);
  assert.match(material.certificates['gateway']?.keyPem ?? '', /BEGIN PRIVATE KEY/);
  assert.deepEqual(config.crl.sources['cac']?.schedule, { every: 3_600_000 });
});

test('recipe B asks for a password and monitors who should not have one', () => {
  const { config } = load('recipe-b-smtp-auth.yaml');
  const profile = config.smtpAuthProfiles['password'];
  assert.ok(profile?.type === 'ldap');
  assert.equal(profile.checkAllowed?.action, 'monitor');
});

test('recipe C takes either and refuses with the words of the administrator', () => {
  const { config } = load('recipe-c-either.yaml');
  const profile = config.smtpAuthProfiles['password'];
  assert.ok(profile?.type === 'ldap');
  assert.deepEqual(profile.checkAllowed?.response, {
    code: 525,
    text: 'Dear user, please use your CAC to send email.',
  });
  assert.equal(effectivePolicy(config, 'submission', 'RELAYED').requireTlsToOfferSmtpAuth, true);
});

test('one wrong letter in a recipe is a fault with its place', () => {
  const text = readFileSync(path.join(import.meta.dirname, 'recipe-c-either.yaml'), 'utf8');
  const file = path.join(folder, 'wrong.yaml');
  writeFileSync(file, text.replace('trust: [cac]', 'trust: [cap]'));
  const loaded = loadConfig(file, [], NOW_MS);
  assert.ok(!loaded.ok);
  assert.deepEqual(
    loaded.faults.map((fault) => renderFault('FILE', fault)),
    [
      'FILE:33:13: smtpAuthProfiles.cac-or-password.trust[0]: there is no "cap" in certificateAuthorities; did you mean "cac"? there is: cac',
    ],
  );
});
