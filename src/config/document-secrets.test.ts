import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MASK } from './configuration-store.ts';
import type { Json } from './document.ts';
import { maskSecrets, openSecrets, sealSecrets, strayedSecret } from './document-secrets.ts';
import { ExportOpener, exportSealer, isSealedForExport } from './sealed-export.ts';
import { open, seal } from './sealing.ts';

const key = { key: randomBytes(32), nonce: () => randomBytes(12) };
const bound = (password: Json): Json => ({ ldap: { servers: { corp: { bind: { dn: 'cn=x', password } } } } });

test('a tree of the store holds no secret, and opens to what it was', () => {
  const { document, faults } = sealSecrets(bound('hunter2'), [], key);
  assert.deepEqual(faults, []);
  assert.ok(!JSON.stringify(document).includes('hunter2'));
  assert.deepEqual(openSecrets(document, key), bound('hunter2'));
  assert.deepEqual(maskSecrets(document), bound(MASK));
});

test('a secret that is what it was keeps its text, so that it is no difference', () => {
  const first = sealSecrets(bound('hunter2'), [], key).document;
  assert.deepEqual(sealSecrets(bound('hunter2'), [first], key).document, first);
  assert.notDeepEqual(sealSecrets(bound('other'), [first], key).document, first);
  assert.notDeepEqual(sealSecrets(bound('hunter2'), [], key).document, first, 'the nonce is not random');
});

test('the mask keeps the secret that is there, and is a fault where there is none', () => {
  const first = sealSecrets(bound('hunter2'), [], key).document;
  assert.deepEqual(sealSecrets(bound(MASK), [{}, first], key).document, first);
  const { faults } = sealSecrets(bound(MASK), [{}], key);
  assert.deepEqual(
    faults.map(({ path }) => path),
    [['ldap', 'servers', 'corp', 'bind', 'password']],
  );
});

test('whatever stands at the place of a secret is masked, whole mappings around it, too', () => {
  assert.deepEqual(maskSecrets(bound(12_345)), bound(MASK));
  assert.deepEqual(maskSecrets({ corp: { bind: { password: 'x' } } }, ['ldap', 'servers']), {
    corp: { bind: { password: MASK } },
  });
});

test('another key opens nothing', () => {
  const { document } = sealSecrets(bound('hunter2'), [], key);
  assert.throws(() => openSecrets(document, { ...key, key: randomBytes(32) }), /not encrypted with this master key/);
});

test('encrypted text at another place is found', () => {
  const { document } = sealSecrets(bound('hunter2'), [], key);
  const text = (document as { ldap: { servers: { corp: { bind: { password: string } } } } }).ldap.servers.corp.bind
    .password;
  assert.equal(strayedSecret(document), undefined);
  assert.deepEqual(strayedSecret({ a: [1, { b: text }] }), ['a', 1, 'b']);
});

test('a box that was changed in one bit, cut, or sealed for something else does not open', () => {
  const box = seal(key.key, { secret: 'hunter2', nonce: key.nonce(), purpose: 'a' });
  assert.equal(open(key.key, { box, purpose: 'a' }), 'hunter2');
  assert.equal(open(key.key, { box, purpose: 'b' }), undefined);
  const bytes = Buffer.from(box, 'base64');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.equal(open(key.key, { box: changed.toString('base64'), purpose: 'a' }), undefined, `octet ${i}`);
    assert.equal(open(key.key, { box: bytes.subarray(0, i).toString('base64'), purpose: 'a' }), undefined, `cut ${i}`);
  }
});

test('an exported secret opens with its passphrase only, however its letters are composed', async () => {
  const sealFor = await exportSealer('gr\u00fcn', randomBytes(16), key.nonce);
  const text = sealFor('hunter2');
  assert.ok(isSealedForExport(text) && !text.includes('hunter2'));
  assert.equal(await new ExportOpener('gru\u0308n').open(text), 'hunter2');
  assert.equal(await new ExportOpener('gruen').open(text), undefined);
});

test('an exported secret that would cost too much memory or time is not tried', async () => {
  const opener = new ExportOpener('x');
  for (const cost of ['4194304:8:1', '131072:999:1', '16:8:99', '15:8:1', '0:8:1'])
    assert.equal(await opener.open(`sealed:scrypt:${cost}:AAAAAAAAAAAAAAAAAAAAAA==:AAAA`), undefined, cost);
});
