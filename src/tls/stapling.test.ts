import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  authority,
  certificate,
  extension,
  generalName,
  name,
  oid,
  pem,
  seq,
} from '../../test/pkits/certificate-writer.ts';
import type { Config, Material } from '../config/schema.ts';
import type { OcspVerdict } from './ocsp.ts';
import { renewalAtMs, retryAtMs, stapleAt, stapleKey, stapleOf, stapleTargets } from './stapling.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const URL = 'http://ocsp.example.test/';

const ca = authority(name('CN=Server CA'));
const sameName = authority(name('CN=Server CA'));
const responders = (...urls: readonly string[]): Buffer =>
  extension('1.3.6.1.5.5.7.1.1', seq(...urls.map((url) => seq(oid('1.3.6.1.5.5.7.48.1'), generalName.uri(url)))));
const own = certificate({ subject: name('CN=gw.example.test'), issuer: ca, extensions: [responders(URL)] });
const silent = certificate({ subject: name('CN=gw.example.test'), issuer: ca });
const sha256 = createHash('sha256').update(own.der).digest('hex');

type Wish = { readonly certPem: string; readonly ocspStapling: boolean | string };

function targets(wishes: Readonly<Record<string, Wish>>, authorities: Readonly<Record<string, string>> = {}) {
  const entries = Object.entries(wishes);
  const config = {
    certificates: Object.fromEntries(entries.map(([key, { ocspStapling }]) => [key, { ocspStapling }])),
  };
  const material = {
    certificates: Object.fromEntries(entries.map(([key, { certPem }]) => [key, { certPem, keyPem: '' }])),
    authorities,
  };
  return stapleTargets(config as unknown as Config, material as unknown as Material);
}

describe('whose certificates are stapled', () => {
  const chain = pem(own.der) + pem(ca.der);

  test('those that name a responder and whose issuer is in the file or a configured authority', () => {
    for (const [wish, authorities] of [
      [{ certPem: chain, ocspStapling: true }, {}],
      [{ certPem: pem(own.der), ocspStapling: true }, { server: pem(ca.der) }],
    ] as const) {
      const [target] = targets({ gateway: wish }, authorities);
      assert.ok(target !== undefined && 'responders' in target);
      assert.deepEqual(target.responders, [URL]);
      assert.equal(target.sha256, sha256);
      assert.deepEqual(Buffer.from(target.issuer.der), ca.der);
    }
  });

  test('a configured responder is asked in place of the one that is named', () => {
    const [target] = targets({ gateway: { certPem: chain, ocspStapling: 'http://other.example.test/' } });
    assert.ok(target !== undefined && 'responders' in target);
    assert.deepEqual(target.responders, ['http://other.example.test/']);
  });

  test('none where it is off, no responder is named, or the file has no certificate that can be read', () => {
    assert.deepEqual(
      targets({
        off: { certPem: chain, ocspStapling: false },
        silent: { certPem: pem(silent.der) + pem(ca.der), ocspStapling: true },
        empty: { certPem: '', ocspStapling: true },
        broken: { certPem: pem(own.der.subarray(0, 50)), ocspStapling: true },
      }),
      [],
    );
  });

  test('without the issuer, or with one of its name and another key, no answer could be verified: that is said', () => {
    for (const authorities of [{}, { server: pem(sameName.der) }]) {
      const [fault] = targets({ gateway: { certPem: pem(own.der), ocspStapling: true } }, authorities);
      assert.ok(fault !== undefined && 'why' in fault);
      assert.match(fault.why, /issuer is neither in certFile nor/);
    }
  });

  test('only http and https responders count, at most four', () => {
    const many = Array.from({ length: 6 }, (_, i) => `http://ocsp${i}.example.test/`);
    const asks = certificate({
      subject: name('CN=gw.example.test'),
      issuer: ca,
      extensions: [responders('ldap://ocsp.example.test/', 'http://', ...many)],
    });
    const [target] = targets({ gateway: { certPem: pem(asks.der) + pem(ca.der), ocspStapling: true } });
    assert.ok(target !== undefined && 'responders' in target);
    assert.deepEqual(target.responders, many.slice(0, 4));
  });

  test('a TLS context knows by the same key whose staple is its own', () => {
    assert.equal(stapleKey(chain, true), sha256);
    assert.equal(stapleKey(chain, URL), sha256);
    assert.equal(stapleKey(chain, false), undefined);
    assert.equal(stapleKey(pem(silent.der), true), undefined);
    assert.notEqual(stapleKey(pem(silent.der), URL), undefined);
    assert.equal(stapleKey('no certificate', true), undefined);
  });
});

const RESPONSE = Uint8Array.of(1, 2, 3);
/** Why nothing is stapled. */
const whyNot = (...given: Parameters<typeof stapleOf>): string => {
  const staple = stapleOf(...given);
  return typeof staple === 'string' ? staple : 'stapled';
};

function verdict(status: 'good' | 'revoked' | 'unknown'): OcspVerdict {
  return {
    ok: true,
    answer: {
      status,
      thisUpdateMs: NOW,
      producedAtMs: NOW,
      countsUntilMs: NOW + HOUR,
      signer: { kind: 'issuer', name: 'CN=Server CA' },
      nonce: 'notSent',
    },
  };
}

describe('what is stapled, and how long', () => {
  test('a good answer, as octets of its own; anything else in words', () => {
    const response = Uint8Array.from(RESPONSE);
    const staple = stapleOf(verdict('good'), response);
    response.fill(0);
    assert.deepEqual(staple, { response: RESPONSE, countsUntilMs: NOW + HOUR });
    assert.match(whyNot(verdict('revoked'), RESPONSE), /is revoked/);
    assert.match(whyNot(verdict('unknown'), RESPONSE), /does not know/);
    assert.equal(stapleOf(verdict('good'), undefined), 'no response');
    assert.equal(
      stapleOf({ ok: false, unauthorized: false, why: 'connection refused' }, RESPONSE),
      'connection refused',
    );
  });

  test('a staple is handed out up to its end, and of its own certificate only', () => {
    const staples = { [sha256]: { response: RESPONSE, countsUntilMs: NOW + HOUR } };
    assert.deepEqual(stapleAt(staples, sha256, NOW + HOUR - 1), RESPONSE);
    assert.equal(stapleAt(staples, sha256, NOW + HOUR), undefined);
    assert.equal(stapleAt(staples, 'another', NOW), undefined);
  });

  test('it is renewed at half of its time, within twelve hours, and never at once', () => {
    const staple = (countsUntilMs: number) => ({ response: RESPONSE, countsUntilMs });
    assert.equal(renewalAtMs(staple(NOW + HOUR), NOW), NOW + HOUR / 2);
    assert.equal(renewalAtMs(staple(NOW + 240 * HOUR), NOW), NOW + 12 * HOUR);
    assert.equal(renewalAtMs(staple(NOW - HOUR), NOW), NOW + 1000);
  });

  test('a responder that fails is asked again after 10 s, then later and later up to a quarter of an hour', () => {
    const waits = [1, 2, 3, 4, 8, 1000].map((failures) => retryAtMs(failures, NOW) - NOW);
    assert.deepEqual(waits, [10_000, 20_000, 40_000, 80_000, 900_000, 900_000]);
  });
});
