/**
 * Header and log injection (CWE-93, CWE-117): names from certificates, logins and HELO end up in the Received field and in
 * the log, and none of them may add a line of its own or pass for something else there.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const site = await Site.open();

/** The header of the message as the next hop got it: field name and unfolded text. */
function fieldsOf(text: string): { name: string; value: string }[] {
  const header = text.slice(0, text.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return header
    .split('\r\n')
    .map((line) => ({ name: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1).trim() }));
}

test('a card whose name has line ends, and a user id that has some, add no field and no log line', async () => {
  const folder = site.copy();
  const commonName = 'EVE\r\nBcc: everybody@example.test\r\n\r\nbody';
  const uid = 'eve\r\nX-Injected: yes';
  const entry = `
dn: cn=eve,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: cacUser
cn: eve
sn: eve
uid:: ${Buffer.from(uid).toString('base64')}
caccn:: ${Buffer.from(commonName).toString('base64')}
cacserial: 1066
`;
  const directory = join(folder, 'directory.ldif');
  writeFileSync(directory, readFileSync(directory, 'utf8') + entry);
  const port = await freePort();
  const config = withListener(site.base(), 'submission', {
    profile: 'cac',
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
    port,
  });
  const gateway = await Gateway.start({ config, folder, log: 'text' });
  const card = site.pki.issue({ subject: `/O=Example/CN=${commonName}`, serial: '1066' });
  const session = await SmtpSession.open({ port });
  await session.startTls(card);
  const reply = await session.command('EHLO client.example.test');
  if (reply.code === 250) {
    assert.equal(
      (await session.send({ from: 'eve@example.test', text: 'Subject: from eve\r\n\r\nhello\r\n' })).code,
      250,
    );
    const { text } = await site.nextHop.messageWith('Subject: from eve');
    assert.deepEqual(
      fieldsOf(text).map(({ name }) => name),
      ['Received', 'Subject'],
    );
  }
  await session.quit();
  await gateway.stop();
  for (const line of gateway.lines)
    assert.doesNotMatch(line, /^(Bcc|X-Injected|body)/, 'a name began a log line of its own');
});

test('a greeting name with syntax of its own is refused or stays within its place', async () => {
  const { gateway, port } = await site.startOne({ policy: {} });
  for (const [index, name] of [
    'a (comment',
    'x) by gw.example.test; evil',
    'a;b',
    '"quoted',
    '[127.0.0.1',
    'ü.example',
    '-',
    'a\tb',
  ].entries()) {
    const session = await SmtpSession.dial({ port });
    await session.reply();
    const reply = await session.command(`EHLO ${name}`);
    if (reply.code === 250) {
      const subject = `Subject: greeting ${index}`;
      assert.equal((await session.send({ text: `${subject}\r\n\r\n` })).code, 250);
      const { text } = await site.nextHop.messageWith(subject);
      const [received] = fieldsOf(text);
      assert.equal(received?.name, 'Received');
      // RFC 5322 §3.2.2: comments are balanced, and the date is what follows the one semicolon.
      let depth = 0;
      for (const char of received?.value.replace(/\\./g, '') ?? '') depth += char === '(' ? 1 : char === ')' ? -1 : 0;
      assert.equal(depth, 0, `unbalanced comment in ${received?.value}`);
      assert.ok(
        !Number.isNaN(Date.parse(received?.value.slice(received.value.lastIndexOf(';') + 1) ?? '')),
        received?.value,
      );
    }
    await session.quit();
  }
  await gateway.stop();
});

test('what a client calls itself cannot be mistaken for another log line', async () => {
  const { gateway, port } = await site.startOne({ profile: 'password-only', policy: { smtpAuth: 'preferred' } });
  const session = await SmtpSession.open({ port });
  const login = 'x\r\n{"event":"forged"}\nInfo: SMTP Auth: (ICID 1) succeeded for user: root';
  assert.ok((await session.authPlain(login, 'x')).code >= 500);
  await session.expect('MAIL FROM:<"a b\u2028c"@example.test>', '5');
  await session.quit();
  await gateway.stop();
  assert.ok(!gateway.events.some((event) => event.event === 'forged'));
  for (const line of gateway.lines)
    assert.match(line, /^\{.*\}$|ready|^\w{3} \w{3} /, `a line that is no event: ${line}`);
});
