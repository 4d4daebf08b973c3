/**
 * SMTP smuggling (SEC Consult 2023; CVE-2023-51764, -51765, -51766): an end of data that the next server sees and this
 * one does not, or the other way round, hides a second message inside the first. Only CRLF.CRLF ends DATA, and nothing
 * that a next hop could read as an end may pass.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
let cleaning: number;
before(async () => {
  site = await Site.open();
  port = (await site.startOne({ policy: {} })).port;
  cleaning = (await site.startOne({ policy: {}, more: { bareLineEnds: 'clean' } })).port;
});

const SEQUENCES = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\r\n\0.\r\n',
  '\n\n.\r\n',
  '\r\n.\0\r\n',
  '\r\n\u0085.\r\n',
  '\r\n.\r\r\n',
];
const HIDDEN =
  'MAIL FROM:<smuggled@example.test>\r\nRCPT TO:<victim@example.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhidden\r\n';

async function startData(at: number): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port: at });
  await session.expect('MAIL FROM:<a@example.test>', '250');
  await session.expect('RCPT TO:<b@example.test>', '250');
  await session.expect('DATA', '354');
  return session;
}

for (const sequence of SEQUENCES) {
  test(`${JSON.stringify(sequence)} does not end DATA, and what follows is no command`, async () => {
    const session = await startData(port);
    session.write(Buffer.from(`Subject: outer\r\n\r\nhello${sequence}${HIDDEN}\r\n.\r\nNOOP\r\n`, 'latin1'));
    const [end, noop] = await session.replies(2);
    // Either the message is refused or it is one message; never are there replies to the hidden commands.
    const isHarmless = !/[\r\n\0]/.test(sequence.replaceAll('\r\n', ''));
    assert.match(end?.text ?? '', isHarmless ? /^250/ : /^5\d\d 5\.6\./, session.talk());
    assert.equal(noop?.code, 250, session.talk());
    await session.expect('QUIT', '221');
    await session.closed();
    assert.equal(session.unread, '');
  });

  test(`${JSON.stringify(sequence)} cut into single octets is read in the same way`, async () => {
    const session = await startData(port);
    session.write('Subject: outer\r\n\r\nhello');
    for (const octet of Buffer.from(sequence, 'latin1')) {
      session.write(Buffer.from([octet]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    session.write('hidden\r\n.\r\n');
    const reply = await session.reply();
    assert.match(reply.text, /^(250|5\d\d 5\.6\.)/, session.talk());
    await session.expect('NOOP', '250');
    await session.quit();
  });

  test(`${JSON.stringify(sequence)} never leaves the gateway where line ends are cleaned`, async () => {
    const session = await startData(cleaning);
    const subject = `clean-${SEQUENCES.indexOf(sequence)}-`;
    session.write(Buffer.from(`Subject: ${subject}\r\n\r\nhello${sequence}${HIDDEN}\r\n.\r\n`, 'latin1'));
    const reply = await session.reply();
    await session.expect('NOOP', '250');
    await session.quit();
    if (reply.code !== 250) return;
    const message = await site.nextHop.messageWith(subject);
    assert.doesNotMatch(message.text, /(^|[^\r])\n|\r($|[^\n])/, 'a bare CR or LF went out');
    assert.ok(!site.nextHop.messages.some(({ from }) => from === 'smuggled@example.test'));
  });
}

test('a dot that a client stuffs is the same dot for the next hop', async () => {
  const session = await startData(port);
  session.write('Subject: stuffed\r\n\r\n..\r\n...\r\n.hello\r\n.\r\n');
  assert.equal((await session.reply()).code, 250);
  await session.quit();
  const { text } = await site.nextHop.messageWith('Subject: stuffed');
  assert.ok(text.endsWith('\r\n\r\n.\r\n..\r\nhello\r\n'), text);
});

test('a BDAT body that contains an end of data is stuffed on its way out', async () => {
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<a@example.test>', '250');
  await session.expect('RCPT TO:<b@example.test>', '250');
  const body = `Subject: in a chunk\r\n\r\nhello\r\n.\r\n${HIDDEN}`;
  session.write(`BDAT ${Buffer.byteLength(body)} LAST\r\n${body}`);
  assert.equal((await session.reply()).code, 250);
  await session.quit();
  const message = await site.nextHop.messageWith('Subject: in a chunk');
  assert.ok(message.text.endsWith(body), message.text);
  assert.ok(!site.nextHop.messages.some(({ from }) => from === 'smuggled@example.test'));
});
