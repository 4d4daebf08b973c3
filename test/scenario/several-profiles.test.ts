/**
 * One listener for people with cards and for services with certificates of another authority: the first profile whose
 * authorities give a valid path decides, a static map names services without a directory, and neither path nor
 * revocation is skipped for them.
 */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CertificateAuthority, CLIENT_EXTENSIONS, type Credentials } from '../support/certificate-authority.ts';
import { freePort } from '../support/free-port.ts';
import type { Gateway, LogEvent } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const DAY_MS = 86_400_000;
const SCANNER = 'spiffe://example.test/ns/prod/sa/scanner';

let site: Site;
let gateway: Gateway;
let port: number;
let services: CertificateAuthority;
let byKey: Credentials;
let byFingerprint: Credentials;

const issue = (serial: string, more: { uri?: string; notAfterMs?: number } = {}): Credentials => {
  const { uri, notAfterMs } = more;
  const now = Date.now();
  return services.issue({
    subject: `/O=Services/CN=service ${serial}`,
    serial,
    ...(notAfterMs === undefined ? {} : { notBeforeMs: now - 10 * DAY_MS, notAfterMs }),
    extensions: [...CLIENT_EXTENSIONS, ...(uri === undefined ? [] : [`subjectAltName=URI:${uri}`])],
  });
};
const sha256 = (octets: Uint8Array): Buffer => createHash('sha256').update(octets).digest();
const pin = ({ cert }: Credentials): string =>
  sha256(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })).toString('base64');

before(async () => {
  site = await Site.open();
  port = await freePort();
  const folder = site.copy();
  services = CertificateAuthority.root(join(folder, 'services'), '/O=Services/CN=Services CA');
  byKey = issue('0201');
  byFingerprint = issue('0202');
  writeFileSync(join(folder, 'services.pem'), services.own.cert);
  writeFileSync(join(folder, 'services.crl'), services.crl({ revoked: ['0209'] }));
  const base = site.base();
  const config = withListener(
    {
      ...base,
      certificateAuthorities: { cac: { file: 'pki/cac-ca.pem' }, services: { file: 'services.pem' } },
      smtpAuthProfiles: {
        ...(base['smtpAuthProfiles'] as object),
        services: {
          type: 'certificate',
          trust: ['services'],
          staticMap: [
            { uri: SCANNER, user: 'scanner' },
            { spki: `sha256//${pin(byKey)}`, user: 'backup' },
            { sha256: new X509Certificate(byFingerprint.cert).fingerprint256, user: 'printer' },
          ],
        },
      },
      crl: {
        checkInbound: true,
        sources: {
          cac: { type: 'pem', primaryUrl: site.crls.url() },
          services: { type: 'pem', primaryUrl: `file://${join(folder, 'services.crl')}` },
        },
      },
    },
    'submission',
    {
      port,
      policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
      more: { smtpAuthProfile: ['cac', 'services'] },
    },
  );
  gateway = await site.start(config, { folder });
});
after(() => gateway.stop());

async function connect({ cert, key }: Credentials): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls({ cert, key });
  return session;
}

async function isRelayed(credentials: Credentials): Promise<LogEvent> {
  const from = gateway.events.length;
  const session = await connect(credentials);
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<a@example.test>', '250');
  await session.expect('RCPT TO:<b@elsewhere.test>', '250');
  await session.expect('QUIT', '221');
  return gateway.event(({ event }) => event === 'certificate-ok', { from });
}

async function isRefused(credentials: Credentials, words: string): Promise<void> {
  const session = await connect(credentials);
  const reply = await session.command('EHLO client.example.test');
  assert.equal(reply.text, `554 5.7.1 ${words}`);
  await session.expect('QUIT', '221');
}

test('a card is asked about by the first profile, and the log names it', async () => {
  const { user, profile, by } = await isRelayed(site.pki.card('alice'));
  assert.deepEqual([user, profile, by], ['alice', 'cac', 'ldap.queries.cac-certificate']);
});

test('a service is known by its SPIFFE ID, whichever certificate carries it', async () => {
  for (const serial of ['0210', '0211']) {
    const { user, profile, by } = await isRelayed(issue(serial, { uri: SCANNER }));
    assert.deepEqual([user, profile, by], ['scanner', 'services', 'smtpAuthProfiles.services.staticMap[0]']);
  }
});

test('a service is known by its key, and by its fingerprint', async () => {
  assert.equal((await isRelayed(byKey))['user'], 'backup');
  assert.equal((await isRelayed(byFingerprint))['user'], 'printer');
});

test('a certificate with the SPIFFE ID from any other authority is not trusted', async () => {
  const card = site.pki.issue({
    subject: '/O=Example/CN=EVE',
    serial: '2222',
    extensions: [...CLIENT_EXTENSIONS, `subjectAltName=URI:${SCANNER}`],
  });
  // The card authority's certificates belong to the first profile, whose directory does not know this one.
  await isRefused(card, 'client certificate belongs to no user: no entry');
  await isRefused(site.pki.bad('untrusted'), 'client certificate not trusted');
});

test('a service that is in no entry of the map is nobody', () =>
  isRefused(
    issue('0220', { uri: 'spiffe://example.test/other' }),
    'client certificate belongs to no user: not in the static map',
  ));

test('a service that is revoked or expired is refused, map or not, with the reason of its own authority', async () => {
  await isRefused(issue('0209', { uri: SCANNER }), 'client certificate revoked');
  await isRefused(issue('0230', { uri: SCANNER, notAfterMs: Date.now() - DAY_MS }), 'client certificate expired');
});

test('the handshake names the authorities of both profiles', async () => {
  const args = ['s_client', '-starttls', 'smtp', '-connect', `127.0.0.1:${port}`, '-tls1_2'];
  const { output } = await runProgram('openssl', args, { input: 'QUIT\n' });
  assert.match(output, /CN\s*=\s*Services CA/);
  assert.match(output, /CN\s*=\s*Test Card Root CA/);
});
