/**
 * The recipe of docs/recipes/active-directory.md as it stands there, against a real Active Directory over LDAPS: a card
 * is let in over SMTP by its mapping, `ldaptest` shows how, and what Active Directory knows of the account counts.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import type { Issuer } from '../pkits/certificate-writer.ts';
import { pem } from '../pkits/certificate-writer.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, PROGRAM } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { AD_ACCOUNT, AD_BASE, SambaAd } from '../support/samba-ad.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';
import { certify, person } from './domain.ts';
import { type Cards, ldifOf, makeCards, textLine } from './peer.ts';

const RECIPE = join(import.meta.dirname, '..', '..', 'docs', 'recipes', 'active-directory.md');
const NEVER = '9223372036854775807';

let samba: SambaAd;
let gateway: Gateway;
let folder: string;
let port: number;
let cards: Cards;

type Section = Record<string, unknown>;

/** The first block of the page, with this site's server in place of the example's. */
function recipe(server: SambaAd): Section {
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(RECIPE, 'utf8')) ?? [];
  const here = text
    .replace(/\["ldaps:.*\]/, `["${server.ldapsUrl}"]`)
    .replaceAll('DC=ad,DC=example,DC=com', AD_BASE)
    .replace('CN=sallyport,', 'CN=Administrator,');
  return parse(here) as Section;
}

before(async () => {
  const site = await Site.open();
  port = await freePort();
  folder = site.copy();
  samba = await SambaAd.start((at, address) => {
    const certified = certify(at, address);
    writeFileSync(join(folder, 'pki', 'domain-ca.pem'), readFileSync(certified.caFile));
    return certified;
  });
  cards = makeCards();
  const mapped = textLine('altSecurityIdentities', cards.values['altsec:issuerAndSerial'] ?? '');
  samba.add(ldifOf([person('alice', 0x220, NEVER, mapped)]));
  writeFileSync(join(folder, 'pki', 'piv-ca.pem'), pem(cards.authority.der));
  mkdirSync(join(folder, 'secrets'), { recursive: true });
  writeFileSync(join(folder, 'secrets', 'ad'), `${AD_ACCOUNT.password}\n`);
  writeFileSync(join(folder, 'alice.pem'), pem(cards.alice.der));
  const parts = recipe(samba);
  const ldap = parts['ldap'] as { servers: { ad: Section } };
  const base: Section = {
    ...site.base(),
    ...parts,
    ldap: { ...ldap, servers: { ad: { ...ldap.servers.ad, cache: { ttl: '0s' } } } },
    crl: {},
  };
  const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  const config = withListener(base, 'submission', { port, profile: 'card', policy });
  gateway = await site.start(config, { folder });
});
after(() => gateway.stop());

async function connect({ der, keys }: Issuer): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls({ cert: pem(der), key: String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })) });
  return session;
}

test('a card is let in as the account that it is mapped to', async () => {
  const session = await connect(cards.alice);
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  await session.expect('RCPT TO:<b@elsewhere.test>', '250');
  const { user, by, profile } = await gateway.event(({ event }) => event === 'certificate-ok');
  assert.deepEqual([user, profile, by], ['alice', 'card', 'ldap.queries.card-holder issuerAndSerial']);
  await session.expect('QUIT', '221');
});

test('a card that is mapped to nobody is refused', async () => {
  const session = await connect(cards.negative);
  const reply = await session.command('EHLO client.example.test');
  assert.equal(reply.text, '554 5.7.1 client certificate belongs to no user: no entry');
});

const ldaptest = () =>
  runProgram(PROGRAM, [
    'ldaptest',
    '--config',
    gateway.configFile,
    '--certificate',
    join(folder, 'alice.pem'),
    '--profile',
    'card',
  ]);

test('ldaptest shows every rule, what it asks and what it finds', async () => {
  const { output, code } = await ldaptest();
  const condition = '\\(&\\(objectCategory=person\\).*\\)\\)';
  const rule = (name: string, asked: string, found: number): string[] => [
    `Query \\(${name}\\): \\(&${asked}${condition} below ${AD_BASE}`,
    `Query \\(${name}\\): entries found: ${found}`,
    ...(found === 0 ? [] : [`    CN=alice,CN=Users,${AD_BASE}`]),
  ];
  const lines = [
    'LDAP query card-holder \\(certificate\\) on server ad',
    `Server ${samba.ldapsUrl}: connected`,
    ...rule(
      'issuerAndSerial',
      '\\(\\|\\(altSecurityIdentities=X509:<I>C=US,O="Example, Inc\\.",.*<SR>EFCDAB\\).*\\)',
      1,
    ),
    ...rule('ski', '\\(altSecurityIdentities=X509:<SKI>DF2F4B04462A5ABA81FEC3A42E3B94BEB8F2E087\\)', 0),
    ...rule('sha1PublicKey', '\\(\\|(\\(altSecurityIdentities=X509:<SHA1-PUKEY>[0-9A-F]{40}\\)){3}\\)', 0),
    'Query \\(sid\\): not sent: certificate: there is no \\{sid\\}',
    'User ID \\(sAMAccountName\\): alice',
    'Success: Action: match positive: the certificate belongs to alice',
  ];
  assert.match(output, new RegExp(`^${lines.join('\\n')}\\n$`));
  assert.equal(code, 0);
});

test('an account that is disabled loses its card at once', async () => {
  const change = (control: number) =>
    samba.modify(
      `dn: CN=alice,CN=Users,${AD_BASE}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: ${control}\n`,
    );
  change(0x222);
  const { output, code } = await ldaptest();
  assert.match(output, /^Failure: Action: match negative: no entry$/m);
  assert.equal(code, 1);
  const session = await connect(cards.alice);
  assert.equal((await session.command('EHLO client.example.test')).code, 554);
  change(0x220);
});

test('with Active Directory down the session is deferred, and let in when it is back', async () => {
  await samba.stop();
  const session = await connect(cards.alice);
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  await samba.restart();
  // A host that failed is left alone for a moment.
  await eventually(async () => assert.equal((await session.command('MAIL FROM:<alice@example.test>')).code, 250));
});
