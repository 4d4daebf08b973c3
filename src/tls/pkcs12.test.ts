/** PKCS#12 in BER, as programs write it that are built on PKI.js; files of OpenSSL and NSS are in test/interop/cert. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { test } from 'node:test';
import * as pkijs from 'pkijs';
import { certificate } from '../../test/pkits/certificate-writer.ts';
import { readPkcs12 } from './pkcs12.ts';

// Its type lags behind the platform's crypto by methods that nothing here calls.
const engine = new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }) as unknown as pkijs.ICryptoEngine;
pkijs.setEngine('node', engine);

const { der, keys } = certificate({});

/** As the library writes it: the key's octets in parts (X.690 §8.7.3). */
async function inParts(key: KeyObject, password: string): Promise<Uint8Array> {
  const secret = new TextEncoder().encode(password).buffer;
  const keyBag = new pkijs.PKCS8ShroudedKeyBag({
    parsedValue: pkijs.PrivateKeyInfo.fromBER(Uint8Array.from(key.export({ type: 'pkcs8', format: 'der' })).buffer),
  });
  await keyBag.makeInternalValues({
    password: secret,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as never,
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: 1000,
  });
  assert.equal(keyBag.encryptedData.idBlock.isConstructed, true);
  const certBag = new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(Uint8Array.from(der).buffer) });
  const safeBags = [
    new pkijs.SafeBag({ bagId: '1.2.840.113549.1.12.10.1.2', bagValue: keyBag }),
    new pkijs.SafeBag({ bagId: '1.2.840.113549.1.12.10.1.3', bagValue: certBag }),
  ];
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: { safeContents: [{ privacyMode: 0, value: new pkijs.SafeContents({ safeBags }) }] },
  });
  await safe.makeInternalValues({ safeContents: [{}] });
  const pfx = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  const digest = { pbkdf2HashAlgorithm: { name: 'SHA-256' }, hmacHashAlgorithm: 'SHA-256' };
  await pfx.makeInternalValues({ password: secret, iterations: 1000, ...digest });
  return new Uint8Array(pfx.toSchema().toBER());
}

const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

test('a key whose octets come in parts is read', async () => {
  const read = readPkcs12(await inParts(keys.privateKey, 'geheim'), 'geheim');
  assert.ok(read.ok);
  assert.deepEqual(
    read.certificates.map((each) => Buffer.from(each)),
    [der],
  );
  assert.deepEqual(read.keys.map(spkiOf), [spkiOf(keys.privateKey)]);
});

test('without the right password, or with one octet changed, such a file is not read', async () => {
  const file = await inParts(createPrivateKey(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })), 'geheim');
  assert.deepEqual(readPkcs12(file, 'geheim '), { ok: false, why: 'the password is wrong' });
  for (let at = 40; at < file.length - 100; at += 37) {
    const damaged = Uint8Array.from(file);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.equal(readPkcs12(damaged, 'geheim').ok, false, `octet ${at}`);
  }
});
