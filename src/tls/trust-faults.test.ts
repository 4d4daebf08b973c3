import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { authority, certificate, name, oid, pem, seq, tlv } from '../../test/pkits/certificate-writer.ts';
import type { Config, Material } from '../config/schema.ts';
import { renderFaultPath } from '../core/fault.ts';
import { faultsOfTrust } from './trust-faults.ts';

const root = authority(name('CN=Root'));
const weak = authority(name('CN=Weak'), {
  keys: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  algorithm: seq(oid('1.2.840.113549.1.1.11'), tlv(5)),
});
const damaged = certificate({ subject: name('CN=Twice'), issuer: root, serial: [0, 1] });

function faults(authorities: Record<string, string>, trust: readonly string[]): string[] {
  const config = { smtpAuthProfiles: { card: { type: 'certificate', trust } } } as unknown as Config;
  const found = faultsOfTrust(config, { authorities } as unknown as Material);
  return found.map(({ path, severity, message }) => `${severity} ${renderFaultPath(path)}: ${message}`);
}

test('a file whose certificates all count has no fault', () => {
  assert.deepEqual(faults({ ca: pem(root.der) }, ['ca']), []);
});

test('certificates that cannot be read, and keys that are too weak to vouch, are warned of', () => {
  assert.deepEqual(faults({ ca: pem(root.der) + pem(damaged.der) + pem(weak.der) }, ['ca']), [
    'warning certificateAuthorities.ca.file: a certificate cannot be read: integer not minimal',
    'warning certificateAuthorities.ca.file: certificate 01 vouches for nothing: RSA key of 1024 bits',
  ]);
});

test('a profile without an anchor that counts is a fault; one good anchor of several files is enough', () => {
  const files = { old: pem(weak.der), ca: pem(root.der) };
  assert.equal(
    faults(files, ['old']).at(-1),
    'warning smtpAuthProfiles.card.trust: no anchor counts, so that every certificate is refused: a self-signed one with a key that is strong enough is needed',
  );
  assert.equal(faults(files, ['old', 'ca']).filter((line) => line.startsWith('error')).length, 0);
});
