/** The mail log of a running gateway as text: the lines of mail_logs in AsyncOS wording, in the order in which things happen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const TIME = '\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4} Info: ';

/** Each of them, after the one before it. */
function assertInOrder(lines: readonly string[], patterns: readonly string[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const whole = new RegExp(`^${TIME}${pattern}$`);
    const found = lines.findIndex((line, i) => i >= from && whole.test(line));
    assert.ok(found >= 0, `no ${pattern} after line ${from} of\n${lines.join('\n')}`);
    from = found + 1;
  }
}

test('a message from connection to the next hop is told in the words of mail_logs', async () => {
  const site = await Site.open();
  const port = await freePort();
  const config = withListener(site.base(), 'incoming', {
    type: 'public',
    port,
    policy: { behavior: 'accept', tls: 'preferred' },
  });
  const gateway = await Gateway.start({ config, folder: site.copy(), log: 'text' });
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<a@elsewhere.example>', '250');
  await session.expect('RCPT TO:<nobody@elsewhere.example>', '550 5.7.1');
  await session.expect('RCPT TO:<b@example.test>', '250');
  await session.expect('DATA', '354');
  await session.expect('Message-ID: <1@elsewhere.example>\r\nSubject: two doors\r\n\r\nhello\r\n.', '250');
  await session.quit();
  await gateway.line(/Message finished MID 1 done$/);
  await gateway.line(/ICID 1 close$/);
  assertInOrder(gateway.lines, [
    'New SMTP ICID 1 interface incoming \\(127\\.0\\.0\\.1\\) address 127\\.0\\.0\\.1 reverse dns host unknown verified no',
    'ICID 1 ACCEPT SG RELAYLIST match 127\\.0\\.0\\.0/8 SBRS None policy incoming revision 1',
    'ICID 1 TLS success protocol TLSv1\\.3 cipher TLS_\\w+',
    'Start MID 1 ICID 1',
    'MID 1 ICID 1 From: <a@elsewhere\\.example>',
    'MID 1 ICID 1 To: <nobody@elsewhere\\.example> Rejected by RAT',
    'ICID 1 MID 1 refused at rcpt: reason "relaying denied" .*rule "listeners\\.incoming\\.rat" reply "550 5\\.7\\.1 relaying denied"',
    'MID 1 ICID 1 RID 0 To: <b@example\\.test>',
    "MID 1 Message-ID '<1@elsewhere\\.example>'",
    "MID 1 Subject 'two doors'",
    'MID 1 ready \\d+ bytes from <a@elsewhere\\.example>',
    'MID 1 queued for delivery',
  ]);
  // Another thread, which may be quicker than the line before.
  assertInOrder(gateway.lines, [
    'New SMTP DCID 1 interface 127\\.0\\.0\\.1 address 127\\.0\\.0\\.1 port \\d+ host 127\\.0\\.0\\.1',
    'Delivery start DCID 1 MID 1 to RID \\[0\\]',
    "Message done DCID 1 MID 1 to RID \\[0\\] Response '250 2\\.0\\.0 kept'",
    'Message finished MID 1 done',
  ]);
  assert.equal(await gateway.stop(), 0);
});
