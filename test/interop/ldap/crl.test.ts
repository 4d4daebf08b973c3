/**
 * Revocation lists from a real directory: a source with an ldap:// or ldaps:// address, as certificate authorities
 * publish them, and what becomes of an entry without a list, a name that does not exist and a server that is gone.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { derOf } from '../../support/certificate-authority.ts';
import { freePort } from '../../support/free-port.ts';
import { Gateway } from '../../support/gateway.ts';
import { Site, withListener } from '../../support/site.ts';
import { RECIPE_LDIF, Slapd } from '../../support/slapd.ts';
import { SmtpSession } from '../../support/smtp-session.ts';
import { fetchCrl, type Fetched } from '../../../src/tls/crl-fetch.io.ts';

let site: Site;
let slapd: Slapd;
const BASE = 'ou=crls,dc=example,dc=test';

const entry = (name: string, pem: string): string =>
  `\ndn: cn=${name},${BASE}\nobjectClass: cRLDistributionPoint\ncn: ${name}\ncertificateRevocationList;binary:: ${derOf(pem).toString('base64')}\n`;

before(async () => {
  site = await Site.open();
  const folder = join(site.folder, 'pki');
  slapd = await Slapd.start({
    ldif: `${RECIPE_LDIF}\ndn: ${BASE}\nobjectClass: organizationalUnit\nou: crls\n${entry('issuing', site.pki.issuing.crl({ revoked: ['1006'] }))}${entry('root', site.pki.root.crl({}))}`,
    published: BASE,
    tls: {
      certFile: join(folder, 'gateway.pem'),
      keyFile: join(folder, 'gateway.key'),
      caFile: join(folder, 'server-ca.pem'),
    },
  });
});

const fetchFrom = (url: string, changes: Partial<Parameters<typeof fetchCrl>[0]> = {}): Promise<Fetched> =>
  fetchCrl({
    url,
    baseDir: '/',
    maxBytes: 100_000,
    timeoutMs: 60_000,
    authorities: [site.pki.serverCa],
    signal: new AbortController().signal,
    ...changes,
  });

test('a card is judged by lists that are published in a directory, over ldap and ldaps', async () => {
  const port = await freePort();
  const source = (url: string, name: string) => ({
    type: 'asn1',
    primaryUrl: `${url}/cn=${name},${BASE}?certificateRevocationList;binary`,
    schedule: 'manual',
  });
  const config = {
    ...site.base(),
    certificateAuthorities: { cac: { file: 'pki/cac-ca.pem' }, server: { file: 'pki/server-ca.pem' } },
    crl: {
      checkInbound: true,
      sources: { issuing: source(slapd.url, 'issuing'), root: source(slapd.ldapsUrl, 'root') },
    },
  };
  const listener = {
    port,
    profile: 'cac',
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
  };
  const gateway = await Gateway.start({ config: withListener(config, 'submission', listener), folder: site.copy() });
  for (const [person, code] of [
    ['alice', '250'],
    ['frank', '554 5.7.1'],
  ] as const) {
    const session = await SmtpSession.open({ port });
    await session.startTls(site.pki.card(person));
    await session.expect('EHLO client.example.test', code);
    await session.quit();
  }
  await gateway.stop();
});

const BAD: readonly (readonly [title: string, url: () => string, why: RegExp])[] = [
  ['a name that does not exist', () => `${slapd.url}/cn=nobody,${BASE}`, /noSuchObject/],
  ['an entry without a list', () => `${slapd.url}/${BASE}`, /the entry has no certificateRevocationList;binary/],
  ['an entry that anonymous searches do not see', () => `${slapd.url}/dc=example,dc=test`, /noSuchObject/],
  ['no host', () => 'ldap:///cn=CA', /an LDAP URL is/],
  ['no entry', () => `${slapd.url}/`, /names an entry/],
  ['a critical extension', () => `${slapd.url}/cn=root,${BASE}????!x`, /critical extension/],
  ['a filter that is none', () => `${slapd.url}/cn=root,${BASE}??base?(cn=`, /filter/],
];
for (const [title, url, why] of BAD) {
  test(`${title} gives no list, and says why`, async () => {
    const fetched = await fetchFrom(url());
    assert.equal(fetched.ok, false);
    assert.match('why' in fetched ? fetched.why : '', why);
  });
}

test('a list that is longer than maxSize is not read to its end', async () => {
  const fetched = await fetchFrom(`${slapd.url}/cn=issuing,${BASE}`, { maxBytes: 100 });
  assert.match('why' in fetched ? fetched.why : '', /longer than 100 octets|too long/);
});

test('a directory whose certificate nobody vouches for, or whose host is not allowed, is not asked', async () => {
  const stranger = await fetchFrom(`${slapd.ldapsUrl}/cn=root,${BASE}`, { authorities: [] });
  assert.match('why' in stranger ? stranger.why : '', /TLS failed/);
  const elsewhere = await fetchFrom(`${slapd.url}/cn=root,${BASE}`, { allowHosts: ['ldap.example.test'] });
  assert.match('why' in elsewhere ? elsewhere.why : '', /not allowed/);
});

test('a directory that is silent costs the time that was allowed', async () => {
  slapd.pause();
  const fetched = await fetchFrom(`${slapd.url}/cn=root,${BASE}`, { timeoutMs: 300 });
  slapd.resume();
  assert.match('why' in fetched ? fetched.why : '', /not finished after 0.3 s|no answer within/);
});
