import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributionPoint, extension, makeCertificate, newAuthority, tlv } from '../../test/support/crl-maker.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { allowedRequests, lacksList, openRequests, pointKey, type PointState, requestsOf } from './crl-points.ts';

const ca = newAuthority('CA');
const HOSTS = ['crl.example.test', 'ldap.example.test'];
const uri = (text: string): Buffer => tlv(0x86, Buffer.from(text));
/** One point with these addresses. */
const point = (...urls: readonly string[]): Buffer => distributionPoint(tlv(0xa0, tlv(0xa0, ...urls.map(uri))));
const certificate = (...extensions: readonly Uint8Array[]): Certificate =>
  parseCertificate(makeCertificate({ subject: newAuthority('user'), issuer: ca, serial: 7, ca: false, extensions }));

const HTTP = 'http://crl.example.test/ca.crl';
const LDAP = 'ldap://ldap.example.test/cn=CA?certificateRevocationList;binary';

test('the addresses of a point that are allowed become one request, the web first', () => {
  const named = certificate(point(LDAP, 'http://evil.test/ca.crl', HTTP, 'file:///etc/passwd'));
  assert.deepEqual(requestsOf(named, HOSTS), [[HTTP, LDAP]]);
});

test('a certificate whose points are all elsewhere, or are no addresses, asks for nothing', () => {
  assert.deepEqual(requestsOf(certificate(point('http://evil.test/ca.crl')), HOSTS), []);
  assert.deepEqual(requestsOf(certificate(distributionPoint(tlv(0x81, Buffer.of(0, 0x60)))), HOSTS), []);
  assert.deepEqual(requestsOf(certificate(), HOSTS), []);
});

test('the deltas that a certificate names are asked for too', () => {
  const delta = 'http://crl.example.test/delta.crl';
  const points = tlv(0x30, tlv(0x30, tlv(0xa0, tlv(0xa0, uri(delta)))));
  assert.deepEqual(requestsOf(certificate(point(HTTP), extension(46, points)), HOSTS), [[HTTP], [delta]]);
});

test('of many points and many addresses only a few are asked', () => {
  const many = Array.from({ length: 30 }, (_, i) => [0, 1, 2, 3].map((n) => `http://crl.example.test/${i}/${n}`));
  const requests = allowedRequests(many, HOSTS);
  assert.equal(requests.length, 8);
  assert.ok(requests.every((request) => request.length === 2));
});

test('worth waiting for is what was not asked or is being asked, not what failed or is here', () => {
  const named = certificate(point(HTTP));
  const states = (state: PointState | undefined): Map<string, PointState> =>
    new Map(state === undefined ? [] : [[pointKey([HTTP]), state]]);
  const cases = [
    [undefined, 1, true],
    ['fetching', 1, true],
    ['failed', 0, true],
    ['ready', 0, false],
  ] as const;
  for (const [state, open, lacks] of cases) {
    assert.equal(openRequests([named], states(state), HOSTS).length, open, String(state));
    assert.equal(lacksList(named, states(state), HOSTS), lacks, String(state));
  }
});
