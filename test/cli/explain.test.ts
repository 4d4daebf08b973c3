/**
 * The commands that explain, asked nothing: `trace` and `ldaptest` ask as AsyncOS does. In the shell they know where the
 * gateway is, and with a gateway that runs on a file they say what reading the file again would change.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { ClientHistory } from '../../src/log/client-history.io.ts';
import { piped } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { PROGRAM, writeConfig } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { type One, Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let one: One;
before(async () => {
  site = await Site.open();
  const policy = { behavior: 'accept', tls: 'required', smtpAuth: 'required' };
  one = await site.startOne({ policy, profile: 'cac-or-password' }, undefined, { store: true });
});

test('trace asks for address, name, TLS, card, login, envelope and message, and shows each stage', async () => {
  const card = site.pki.card('alice').certFile;
  const { code, output } = await piped(
    ['trace', '--data', one.gateway.data],
    ...['nowhere', '127.0.0.1', 'client.example.test', 'y', '/none', card, '', 'alice@example.test'],
    ...['a@elsewhere.example, b@elsewhere.example', 'n', 'Subject: hello', '', 'text', '.', 'n'],
  );
  assert.equal(code, 0, output);
  assert.match(output, /^Enter the source IP\n\[\]> nowhere\nEnter an IPv4 or IPv6 address\.$/m);
  assert.match(output, /^Enter the fully qualified domain name of the source IP/m);
  assert.match(output, /^\[\]> \/none\ncannot read a file: /m);
  assert.match(output, /^Enter the Envelope Recipient addresses\. {2}Separate multiple addresses by commas\.$/m);
  assert.match(output, /^ok {7}certificate: the certificate belongs to alice$/m);
  assert.match(output, /^ok {7}rcpt: recipient <b@elsewhere\.example>$/m);
  assert.match(output, /^ok {7}data: \d+ octets$/m);
  assert.match(output, /^Run through another debug session\?\n\[N\]> n$/m);
});

test('trace asks for the listener where there are several, and runs again with --candidate', async () => {
  const { data } = one.gateway;
  const listener = {
    type: 'private',
    address: ['127.0.0.1:1'],
    certificate: 'gateway',
    hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }],
  };
  const set = ['config', 'set', 'listeners.second', JSON.stringify(listener), '--data', data];
  assert.equal((await runProgram(PROGRAM, set)).code, 0);
  const answers = ['127.0.0.1', '', 'second', 'n', '', '', 'x@elsewhere.example', 'n', '.'];
  const { code, output } = await piped(['trace', '--data', data, '--candidate'], ...answers, 'n');
  assert.equal(code, 1, output);
  assert.match(output, /^Select the listener to trace behavior on:\n1\. submission\n2\. second\n\[1\]> second$/m);
  assert.match(output, /^refused {2}connection: sender group ALL/m);
  await runProgram(PROGRAM, ['config', 'clear', '--data', data]);
});

test('ldaptest asks for the query, then for a user and a password or for a certificate', async () => {
  const { data } = one.gateway;
  const card = site.pki.card('alice').certFile;
  const answers = ['smtp-auth', 'bob', 'bob-secret', 'y', '1', '/none', card, 'n'];
  const { code, output } = await piped(['ldaptest', '--data', data], ...answers);
  assert.equal(code, 0, output);
  assert.match(
    output,
    /^Select which LDAP query to test:\n1\. cac-certificate \(certificate\)\n2\. smtp-auth \(smtpAuth\)\n\[1\]> smtp-auth$/m,
  );
  assert.match(output, /^Success: Action: match positive, allowed to use SMTP AUTH$/m);
  assert.match(output, /^cannot read \/none: ENOENT$/m);
  assert.match(output, /^Success: Action: match positive: the certificate belongs to alice$/m);
  assert.doesNotMatch(output, /bob-secret/);
});

test('in the shell the commands that explain ask the gateway that the shell is on', async () => {
  const card = site.pki.card('alice').certFile;
  const { output } = await piped(
    ['shell', '--data', one.gateway.data],
    `cert verify ${card} --profile cac`,
    `cert show ${card}`,
    'trace --from-ip 127.0.0.1 --tls --user bob --sender bob@example.test x@elsewhere.example',
    'unused',
    'quit',
  );
  assert.match(output, /^accepted: it belongs to alice$/m);
  assert.match(output, /^ {2}subject +CN=ADAMS/m);
  assert.match(output, /^Outcome under revision 1: the mail is accepted, as bob$/m);
  assert.match(output, /^Not used in the last 90 days:$/m);
});

test('where a file is the truth, dryrun and trace --candidate say what reading it again would change', async () => {
  const policy = { behavior: 'accept', tls: 'required', smtpAuth: 'required' };
  const { gateway, config, port } = await site.startOne({ policy, profile: 'cac-or-password' });
  const session = await SmtpSession.open({ port });
  await session.startTls({ ca: site.pki.serverCa });
  await session.ehlo();
  await session.authPlain('bob', 'bob-secret');
  await session.send({ from: 'bob@example.test' });
  await session.quit();
  await eventually(() => {
    const history = ClientHistory.read(gateway.data);
    const seen = history?.countClients(0);
    history?.close();
    assert.equal(seen, 1);
  });
  const command = async (...args: readonly string[]) =>
    await runProgram(PROGRAM, [...args, '--config', gateway.configFile]);
  const same = await command('dryrun');
  assert.equal(same.code, 0, same.output);
  assert.match(same.output, /^None of 1 client seen in the last 7 days would get another verdict\.$/m);
  const policies = config['mailFlowPolicies'] as Record<string, object>;
  const strict = { ...policies, submission: { ...policies['submission'], verifyClientCertificate: true } };
  writeConfig(gateway.configFile, { ...config, mailFlowPolicies: strict });
  const next = await command('dryrun');
  assert.equal(next.code, 3, next.output);
  assert.match(next.output, /^1 of 1 client seen in the last 7 days would be refused:\n {2}bob from/m);
  assert.equal((await command('commit', '--dry-run')).code, 3);
  const traced = [
    '--from-ip',
    '127.0.0.1',
    '--tls',
    '--user',
    'bob',
    '--sender',
    'b@example.test',
    'x@elsewhere.example',
  ];
  const data = ['--data', gateway.data];
  assert.equal((await runProgram(PROGRAM, ['trace', ...data, ...traced])).code, 0);
  assert.equal((await runProgram(PROGRAM, ['trace', ...data, '--candidate', ...traced])).code, 1);
  writeFileSync(join(gateway.configFile), 'listeners: {}\n');
  const faulty = await command('dryrun');
  assert.equal(faulty.code, 1);
  assert.match(faulty.output, /^hostname: /m);
  await gateway.stop();
});
