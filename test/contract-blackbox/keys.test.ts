/** Keys beside those in the recipes, on the running gateway: names of hosts, defaults, queries, anchors, routes by DNS. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { check, Gateway, writeConfig } from '../support/gateway.ts';
import { ipv4, mx, nameBytes, startNameServer } from '../support/name-server.ts';
import { startSink } from '../support/sink.ts';
import { type OneListener, Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Section = Record<string, unknown>;

let site: Site;
before(async () => {
  site = await Site.open();
});

test('a host name and a .partial name match only where PTR and forward look-up agree', async () => {
  const names = await startNameServer({
    'PTR 3.0.0.127.in-addr.arpa': [nameBytes('mail.good.example')],
    'A mail.good.example': [ipv4('127.0.0.3')],
    'PTR 4.0.0.127.in-addr.arpa': [nameBytes('printer.example')],
    'A printer.example': [ipv4('192.0.2.1'), ipv4('127.0.0.4')],
    'PTR 5.0.0.127.in-addr.arpa': [nameBytes('liar.good.example')],
    'A liar.good.example': [ipv4('192.0.2.9')],
    'PTR 6.0.0.127.in-addr.arpa': [nameBytes('good.example')],
    'A good.example': [ipv4('127.0.0.6')],
  });
  const hat = [
    { senderGroup: 'WITHIN', senders: ['.good.example'], policy: 'WITHIN' },
    { senderGroup: 'PRINTER', senders: ['printer.example'], policy: 'PRINTER' },
    { senderGroup: 'ALL', policy: 'OTHERS' },
  ];
  const banner = (text: string): Section => ({ behavior: 'relay', banner: { text } });
  const { gateway, port } = await site.startOne({ policy: {}, more: { hat } }, (config) => ({
    ...config,
    mailFlowPolicies: { WITHIN: banner('within'), PRINTER: banner('printer'), OTHERS: banner('others') },
    system: { dnsServers: [names.address] },
  }));
  const greetings: Section = {};
  for (const last of [3, 4, 5, 6, 7]) {
    const session = await SmtpSession.dial({ port, localAddress: `127.0.0.${last}` });
    greetings[last] = (await session.reply()).text;
    await session.quit();
  }
  assert.deepEqual(greetings, {
    3: '220 gw.example.test within',
    4: '220 gw.example.test printer',
    5: '220 gw.example.test others', // its name leads elsewhere
    6: '220 gw.example.test others', // .good.example is what is within, not the domain itself
    7: '220 gw.example.test others', // has no name
  });
  await gateway.stop();
});

test('ranges of addresses, in the last octet and from one to another, match from the first to the last', async () => {
  const hat = [
    { senderGroup: 'OCTET', senders: ['127.0.0.3-5'], policy: 'OCTET' },
    { senderGroup: 'FROMTO', senders: ['127.0.0.250-127.0.1.2'], policy: 'FROMTO' },
    { senderGroup: 'PARTIAL', senders: ['127.0.1.'], policy: 'PARTIAL' },
    { senderGroup: 'ALL', policy: 'BLOCKED' },
  ];
  const banner = (text: string): Section => ({ behavior: 'relay', banner: { text } });
  const { gateway, port } = await site.startOne({ policy: {}, more: { hat } }, (config) => ({
    ...config,
    mailFlowPolicies: { OCTET: banner('octet'), FROMTO: banner('from-to'), PARTIAL: banner('partial') },
  }));
  const expected = {
    '127.0.0.2': '554 5.7.1',
    '127.0.0.3': '220 gw.example.test octet',
    '127.0.0.5': '220 gw.example.test octet',
    '127.0.0.6': '554 5.7.1',
    '127.0.0.249': '554 5.7.1',
    '127.0.0.250': '220 gw.example.test from-to',
    '127.0.1.2': '220 gw.example.test from-to',
    '127.0.1.3': '220 gw.example.test partial',
  };
  for (const [localAddress, greeting] of Object.entries(expected)) {
    const session = await SmtpSession.dial({ port, localAddress });
    assert.ok((await session.reply()).text.startsWith(greeting), `${localAddress}: ${session.talk()}`);
    session.destroy();
  }
  await gateway.stop();
});

test('mailFlowPolicies.default gives what others leave out, and 10M is ten times 1,048,576 octets', async () => {
  const { gateway, port } = await site.startOne({ policy: { maxMessagesPerConnection: 1 } }, (config) => ({
    ...config,
    mailFlowPolicies: {
      ...(config['mailFlowPolicies'] as Section),
      default: { maxMessageSize: '10M', maxRecipientsPerMessage: 1, maxMessagesPerConnection: 5 },
    },
  }));
  const session = await SmtpSession.dial({ port });
  await session.reply();
  assert.equal((await session.ehlo()).get('SIZE'), '10485760');
  await session.expect('MAIL FROM:<a@example.test> SIZE=10485761', '552 5.3.4');
  await session.expect('MAIL FROM:<a@example.test> SIZE=10485760', '250');
  await session.expect('RCPT TO:<b@example.test>', '250');
  await session.expect('RCPT TO:<c@example.test>', '452 4.5.3');
  await session.expect('DATA', '354');
  await session.expect('Subject: one\r\n\r\n.', '250');
  await session.expect('MAIL FROM:<a@example.test>', '421');
  await session.closed();
  await gateway.stop();
});

test('defaultDomain completes addresses, and the {a} and {d} of a login', async () => {
  const { gateway, port } = await site.startOne(
    { profile: 'password-only', policy: { smtpAuth: 'required' }, more: { defaultDomain: 'example.test' } },
    (config) => withQueries(config, { 'smtp-auth': { filter: '(&(mail={a})(mail=*@{d}))' } }),
  );
  const session = await SmtpSession.open({ port });
  assert.match((await session.authPlain('bob@elsewhere.example', 'bob-secret')).text, /^535 5\.7\.8/);
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^235 2\.7\.0/);
  const reply = await session.send({ from: 'bob', to: 'carol', text: 'Subject: bare names\r\n\r\n' });
  assert.equal(reply.code, 250);
  await session.quit();
  const message = await site.nextHop.messageWith('Subject: bare names');
  assert.deepEqual([message.from, message.to], ['bob@example.test', ['carol@example.test']]);
  await gateway.stop();
});

/** The configuration with some keys of its queries changed. */
function withQueries(config: Section, changes: Record<string, Section>): Section {
  const ldap = config['ldap'] as { readonly queries: Record<string, Section> };
  const queries = Object.entries(ldap.queries).map(([name, query]) => [name, { ...query, ...changes[name] }]);
  return { ...config, ldap: { ...ldap, queries: Object.fromEntries(queries) as Section } };
}

const CERTIFICATE: OneListener = {
  profile: 'cac',
  policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
};

async function enter(port: number, person: 'alice' | 'carol'): Promise<string> {
  const session = await SmtpSession.open({ port });
  await session.startTls(site.pki.card(person));
  const reply = await session.command('EHLO client.example.test');
  await session.quit();
  return reply.text;
}

test('a certificate filter may be without tokens', async () => {
  const { gateway, port } = await site.startOne(CERTIFICATE, (config) =>
    withQueries(config, { 'cac-certificate': { filter: '(uid=dave)' } }),
  );
  assert.match(await enter(port, 'alice'), /^250 /);
  const found = await gateway.event(({ event }) => event === 'certificate-ok');
  assert.equal(found['user'], 'dave');
  await gateway.stop();
});

test("baseDn of a query overrides the server's", async () => {
  const { gateway, port } = await site.startOne(CERTIFICATE, (config) =>
    withQueries(config, { 'cac-certificate': { baseDn: 'uid=carol,ou=people,dc=example,dc=test' } }),
  );
  assert.match(await enter(port, 'carol'), /^250 /);
  assert.match(await enter(port, 'alice'), /^554 5\.7\.1 /);
  await gateway.stop();
});

test('the method passwordAttribute compares with the attribute that the query names', async () => {
  const salt = Buffer.from('salt');
  const digest = createHash('sha1').update('right').update(salt).digest();
  const folder = site.copy();
  const entry = [
    'dn: uid=hashed,ou=people,dc=example,dc=test',
    'objectClass: inetOrgPerson',
    ...['uid: hashed', 'cn: Hashed', 'sn: Hashed'],
    `description: {SSHA}${Buffer.concat([digest, salt]).toString('base64')}`,
  ];
  appendFileSync(join(folder, 'directory.ldif'), `\n${entry.join('\n')}\n`);
  const port = await freePort();
  const config = withQueries(
    withListener(site.base(), 'submission', { profile: 'password-only', policy: { smtpAuth: 'required' }, port }),
    { 'smtp-auth': { method: 'passwordAttribute', passwordAttribute: 'description' } },
  );
  const gateway = await Gateway.start({ config, folder });
  const session = await SmtpSession.open({ port });
  for (const password of ['wrong', `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`])
    assert.match((await session.authPlain('hashed', password)).text, /^535 5\.7\.8/);
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^535 5\.7\.8/);
  assert.match((await session.authPlain('hashed', 'right')).text, /^235 2\.7\.0/);
  await session.quit();
  await gateway.stop();
});

test('only self-signed certificates are anchors: a file of intermediates alone loads with a warning and lets nobody in', async () => {
  const folder = site.copy();
  writeFileSync(join(folder, 'pki', 'cac-ca.pem'), site.pki.issuing.own.cert);
  const port = await freePort();
  const config = withListener(site.base(), 'submission', { ...CERTIFICATE, port });
  const { code, lines } = check(writeConfig(join(folder, 'checked.yaml'), config));
  assert.equal(code, 0, lines.join('\n'));
  assert.ok(
    lines.some((line) => /: warning: certificateAuthorities\.cac\.file: has no anchor/.test(line)),
    lines.join('\n'),
  );
  const gateway = await Gateway.start({ config, folder });
  assert.match(await enter(port, 'alice'), /^554 5\.7\.1 client certificate /);
  await gateway.stop();
});

if (process.getuid?.() === 0) {
  test('USEDNS sends to the mail exchangers in their order, on port 25', async () => {
    const sink = await startSink({ address: '127.0.0.9', port: 25 });
    const names = await startNameServer({
      'MX by-dns.example': [mx(20, 'second.example'), mx(10, 'first.example')],
      'A first.example': [ipv4('127.0.0.8')],
      'A second.example': [ipv4('127.0.0.9')],
      'AAAA first.example': [],
      'AAAA second.example': [],
    });
    const { gateway, port } = await site.startOne({ policy: {} }, (config) => ({
      ...config,
      smtpRoutes: { ...(config['smtpRoutes'] as Section), 'by-dns.example': ['USEDNS'] },
      system: { dnsServers: [names.address] },
    }));
    const session = await SmtpSession.open({ port });
    assert.equal((await session.send({ to: 'a@by-dns.example' })).code, 250);
    await session.quit();
    const [message] = await sink.waitFor(1);
    assert.equal(message?.recipients[0]?.address, 'a@by-dns.example');
    const failed = await gateway.event(({ event }) => event === 'dcid-failed');
    assert.equal(failed['host'], 'first.example');
    await gateway.stop();
    await sink.stop();
  });
}
