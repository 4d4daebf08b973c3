/**
 * LDAP injection (CWE-90; maddy CVE-2026-40193): a login name or a certificate field that is filter syntax must be
 * compared as text. Each value here would find somebody if it were read as a filter.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  port = (await site.startOne({ profile: 'cac-or-password', policy: { tls: 'preferred', smtpAuth: 'required' } })).port;
});

const LOGINS = [
  '*',
  'bo*',
  'b*b',
  'bob)(uid=bob',
  'nobody)(|(uid=bob',
  '*)(uid=bob))(|(uid=*',
  'bob\0',
  '\\62ob',
  'bob))(objectClass=*',
];

for (const login of LOGINS) {
  test(`the login ${JSON.stringify(login)} is nobody`, async () => {
    const session = await SmtpSession.open({ port });
    const reply = await session.authPlain(login, 'bob-secret');
    assert.match(reply.text, login.includes('\0') ? /^5(01|35) / : /^535 5\.7\.8 /, session.talk());
    await session.expect('MAIL FROM:<bob@example.test>', '530 5.7.0');
    await session.quit();
  });

  test(`the login ${JSON.stringify(login)} by AUTH LOGIN is nobody`, async () => {
    const session = await SmtpSession.open({ port });
    await session.expect('AUTH LOGIN', '334');
    const asked = await session.command(Buffer.from(login).toString('base64'));
    const reply = asked.code === 334 ? await session.command(Buffer.from('bob-secret').toString('base64')) : asked;
    assert.match(reply.text, /^5(01|35) /, session.talk());
    await session.quit();
  });
}

const COMMON_NAMES = [
  '*',
  'ADAMS*',
  '*)(caccn=ADAMS.ALICE.A.1000000001',
  'x)(|(caccn=*',
  '\\41DAMS.ALICE.A.1000000001',
  'ADAMS.ALICE.A.1000000001)(cacserial=1001))(|(uid=*',
];

for (const commonName of COMMON_NAMES) {
  test(`a card of the right authority whose name is ${commonName} is nobody's`, async () => {
    const card = site.pki.issue({ subject: `/O=Example/CN=${commonName.replaceAll('\\', '\\\\')}`, serial: '1001' });
    const session = await SmtpSession.open({ port });
    await session.startTls(card);
    assert.equal((await session.ehlo()).get('AUTH'), 'PLAIN LOGIN');
    await session.expect('MAIL FROM:<alice@example.test>', '530 5.7.0');
    await session.quit();
  });
}
