/** Alerts between real servers: a slapd that goes away is told to a mail box of a Postfix with TLS, past the queue. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { type PostfixNextHop, startPostfix } from '../../support/postfix.ts';
import { atEnd } from '../../support/at-end.ts';
import { Site, withListener } from '../../support/site.ts';
import { GATEWAY_ACCOUNT, Slapd } from '../../support/slapd.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

let site: Site;
let slapd: Slapd;
let postfix: PostfixNextHop;
before(async () => {
  site = await Site.open();
  slapd = await Slapd.start();
  const certificate = site.pki.root.issue({ subject: '/CN=mail.example.test', serial: '0200' });
  postfix = await startPostfix({
    mailboxes: ['ops@example.test', 'night@example.test'],
    tls: certificate,
    parameters: { smtpd_tls_security_level: 'encrypt', smtpd_tls_loglevel: '1' },
  });
  atEnd(() => postfix.stop());
});

test('a directory that goes down is a critical alert in the mail box of a Postfix that demands TLS, and up again is one, too', async () => {
  const port = await freePort();
  const base = site.base();
  const { baseDn, cache } = (base['ldap'] as { servers: { corp: Record<string, unknown> } }).servers.corp;
  const config = withListener(
    {
      ...base,
      ldap: {
        ...(base['ldap'] as object),
        servers: {
          corp: {
            hosts: [slapd.url],
            baseDn,
            cache,
            bind: { dn: GATEWAY_ACCOUNT.dn, passwordFile: 'secrets/ldap' },
          },
        },
      },
      alerts: {
        recipients: { 'ops@example.test': { directory: 'all' }, 'night@example.test': { directory: ['critical'] } },
        smtpHosts: [`127.0.0.1:${postfix.port}`],
      },
    },
    'submission',
    { policy: { smtpAuth: 'required' }, profile: 'password-only', port },
  );
  const gateway = await site.start(config, { folder: site.copy() });
  const login = async (): Promise<number> => {
    const session = await SmtpSession.open({ port });
    await session.ehlo();
    const { code } = await session.authPlain('bob', 'bob-secret');
    await session.quit();
    return code;
  };
  assert.equal(await login(), 235);
  await slapd.stop();
  assert.equal(await login(), 454);
  const [down = ''] = await postfix.waitFor('night@example.test', 1);
  assert.match(down, /^Subject: \[Critical\]-\[gw\.example\.test\]: \(Directory\) LDAP server corp host ldap:\/\//m);
  assert.match(down.replaceAll('\n', ' '), /no host of this server answers/);
  assert.match(down, /^From: Sallyport <alert@gw\.example\.test>$/m);
  assert.match(down, /^Received: from gw\.example\.test .*\n.*\(using TLSv1\.3/m);
  await slapd.restart();
  await eventually(async () => assert.equal(await login(), 235));
  const both = await postfix.waitFor('ops@example.test', 2);
  assert.ok(
    both.some((text) => /^Subject: \[Information\]-\[gw\.example\.test\]: \(Directory\) .* is up$/m.test(text)),
  );
  assert.equal(postfix.mailbox('night@example.test').length, 1);
  await gateway.stop();
});
