/** Real mail clients against a gateway of recipe C's kind, and one that requires certificates: swaks, curl, msmtp, openssl. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import type { Person } from '../support/pki.ts';
import { type Finished, Program, runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';

let site: Site;
let ca: string;
const ports = { either: 0, certificate: 0, implicit: 0 };
before(async () => {
  site = await Site.open();
  ca = join(site.folder, 'pki', 'server-ca.pem');
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  const required = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  let config = withListener(site.base(), 'either', {
    port: ports.either,
    profile: 'cac-or-password',
    policy: { tls: 'preferred', smtpAuth: 'required', requireTlsToOfferSmtpAuth: true },
  });
  config = withListener(config, 'certificate', { port: ports.certificate, profile: 'cac', policy: required });
  config = withListener(config, 'implicit', { port: ports.implicit, profile: 'cac', policy: required, implicit: true });
  await site.start(config);
});

const messageOf = (subject: string): string =>
  `From: <alice@example.test>\r\nTo: <someone@elsewhere.example>\r\nSubject: ${subject}\r\n\r\nhello\r\n`;

const arrived = async (subject: string): Promise<void> => {
  await site.nextHop.messageWith(`Subject: ${subject}`);
};

function swaks(port: number, args: readonly string[]): Promise<Finished> {
  const envelope = [
    '--from',
    'alice@example.test',
    '--to',
    'someone@elsewhere.example',
    '--helo',
    'client.example.test',
  ];
  return runProgram('swaks', ['--server', '127.0.0.1', '--port', String(port), ...envelope, ...args]);
}

function card(person: Person): { certFile: string; keyFile: string } {
  return site.pki.card(person);
}

test('swaks: alice sends with her card', async () => {
  const { certFile, keyFile } = card('alice');
  const done = await swaks(ports.certificate, [
    '--tls',
    '--tls-cert',
    certFile,
    '--tls-key',
    keyFile,
    '--header',
    'Subject: swaks-alice',
  ]);
  assert.equal(done.code, 0, done.output);
  await arrived('swaks-alice');
});

test('swaks: alice sends with her card on implicit TLS', async () => {
  const { certFile, keyFile } = card('alice');
  const done = await swaks(ports.implicit, [
    '--tls-on-connect',
    '--tls-cert',
    certFile,
    '--tls-key',
    keyFile,
    '--header',
    'Subject: swaks-implicit',
  ]);
  assert.equal(done.code, 0, done.output);
  await arrived('swaks-implicit');
});

test('swaks: bob sends with his password', async () => {
  const done = await swaks(ports.either, [
    '--tls',
    '--auth',
    'LOGIN',
    '--auth-user',
    'bob',
    '--auth-password',
    'bob-secret',
    '--header',
    'Subject: swaks-bob',
  ]);
  assert.equal(done.code, 0, done.output);
  await arrived('swaks-bob');
});

test('swaks: alice with a password is shown why not', async () => {
  const done = await swaks(ports.either, [
    '--tls',
    '--auth',
    'PLAIN',
    '--auth-user',
    'alice',
    '--auth-password',
    'alice-secret',
  ]);
  assert.notEqual(done.code, 0);
  assert.match(done.output, /525 Dear user, please use your CAC to send email\./);
});

test('swaks: frank with the revoked card is shown why not', async () => {
  const { certFile, keyFile } = card('frank');
  const done = await swaks(ports.certificate, ['--tls', '--tls-cert', certFile, '--tls-key', keyFile]);
  assert.notEqual(done.code, 0);
  assert.match(done.output, /554 5\.7\.1 .*client certificate revoked/);
});

function curl(
  port: number,
  args: readonly string[],
  { scheme = 'smtp', subject = 'x', env = {} } = {},
): Promise<Finished> {
  const where = [
    '--url',
    `${scheme}://gw.example.test:${port}/client.example.test`,
    '--resolve',
    `gw.example.test:${port}:127.0.0.1`,
  ];
  const envelope = [
    '--mail-from',
    'alice@example.test',
    '--mail-rcpt',
    'someone@elsewhere.example',
    '--upload-file',
    '-',
  ];
  return runProgram('curl', ['-sS', '-v', '--ssl-reqd', '--cacert', ca, ...where, ...envelope, ...args], {
    input: messageOf(subject),
    env,
  });
}

for (const tls of [['--tlsv1.3'], ['--tls-max', '1.2']]) {
  test(`curl ${tls.join(' ')}: alice sends with her card and no AUTH`, async () => {
    const { certFile, keyFile } = card('alice');
    const subject = `curl-alice-${tls.at(-1)}`;
    const done = await curl(ports.certificate, ['--cert', certFile, '--key', keyFile, ...tls], { subject });
    assert.equal(done.code, 0, done.output);
    await arrived(subject);
  });
}

test('curl: alice says AUTH EXTERNAL', async () => {
  const { certFile, keyFile } = card('alice');
  const external = ['--user', 'alice:', '--login-options', 'AUTH=EXTERNAL'];
  const done = await curl(ports.either, ['--cert', certFile, '--key', keyFile, ...external], {
    subject: 'curl-external',
  });
  assert.equal(done.code, 0, done.output);
  assert.match(done.output, /> AUTH EXTERNAL/);
  assert.match(done.output, /< 235 2\.7\.0/);
  await arrived('curl-external');
});

test('curl: smtps with a card', async () => {
  const { certFile, keyFile } = card('carol');
  const done = await curl(ports.implicit, ['--cert', certFile, '--key', keyFile], {
    scheme: 'smtps',
    subject: 'curl-smtps',
  });
  assert.equal(done.code, 0, done.output);
  await arrived('curl-smtps');
});

test('curl: a refused card is a 554 that can be read, in TLS 1.3 too', async () => {
  const { certFile, keyFile } = card('frank');
  const done = await curl(ports.certificate, ['--cert', certFile, '--key', keyFile, '--tlsv1.3']);
  assert.notEqual(done.code, 0);
  assert.match(done.output, /< 554 5\.7\.1 .*client certificate revoked/);
});

async function msmtp(lines: readonly string[], subject: string): Promise<Finished> {
  const file = join(site.folder, `msmtprc-${subject}`);
  const common = [
    'host 127.0.0.1',
    'tls on',
    `tls_trust_file ${ca}`,
    'tls_host_override gw.example.test',
    'from alice@example.test',
    'domain client.example.test',
  ];
  writeFileSync(file, `account default\n${[...common, ...lines].join('\n')}\n`);
  chmodSync(file, 0o600);
  return await runProgram('msmtp', ['-d', '-C', file, 'someone@elsewhere.example'], { input: messageOf(subject) });
}

test('msmtp: alice sends with her card, and with AUTH EXTERNAL', async () => {
  const { certFile, keyFile } = card('alice');
  const lines = [`port ${ports.certificate}`, `tls_cert_file ${certFile}`, `tls_key_file ${keyFile}`];
  for (const [auth, subject] of [
    ['auth off', 'msmtp-card'],
    ['auth external\nuser alice', 'msmtp-external'],
  ] as const) {
    const done = await msmtp([...lines, auth], subject);
    assert.equal(done.code, 0, done.output);
    await arrived(subject);
  }
});

test('msmtp: a refused card shows its reason', async () => {
  const { certFile, keyFile } = card('frank');
  const done = await msmtp(
    [`port ${ports.certificate}`, `tls_cert_file ${certFile}`, `tls_key_file ${keyFile}`, 'auth off'],
    'msmtp-frank',
  );
  assert.notEqual(done.code, 0);
  assert.match(done.output, /client certificate revoked/);
});

test('msmtp: bob sends with his password', async () => {
  const done = await msmtp(
    [`port ${ports.either}`, 'auth plain', 'user bob', 'passwordeval echo bob-secret'],
    'msmtp-bob',
  );
  assert.equal(done.code, 0, done.output);
  await arrived('msmtp-bob');
});

/** Leads `openssl s_client` through a mail. */
async function sClient(
  port: number,
  args: readonly string[],
  { subject, env = {} }: { subject: string; env?: Record<string, string> },
): Promise<Program> {
  const client = Program.start(
    'openssl',
    ['s_client', '-quiet', '-crlf', '-connect', `127.0.0.1:${port}`, '-CAfile', ca, '-verify_return_error', ...args],
    { env },
  );
  let at = 0;
  const say = async (line: string, reply: RegExp): Promise<void> => {
    client.write(`${line}\n`);
    at = await client.shows(reply, at);
  };
  if (!args.includes('-starttls')) at = await client.shows(/^220 [^\n]*\n/m);
  else at = await client.shows(/^250 [^\n]*\n/m);
  await say('EHLO client.example.test', /^250 [^\n]*\n/m);
  await say('MAIL FROM:<alice@example.test>', /^250 [^\n]*\n/m);
  await say('RCPT TO:<someone@elsewhere.example>', /^250 [^\n]*\n/m);
  await say('DATA', /^354 [^\n]*\n/m);
  await say(`Subject: ${subject}\n\nhello\n.`, /^250 [^\n]*queued[^\n]*\n/m);
  await say('QUIT', /^221 [^\n]*\n/m);
  client.end();
  return client;
}

for (const version of ['-tls1_2', '-tls1_3']) {
  test(`openssl s_client ${version}: alice sends with her card, by STARTTLS and on implicit TLS`, async () => {
    const { certFile, keyFile } = card('alice');
    const credentials = ['-cert', certFile, '-key', keyFile, version];
    await sClient(ports.certificate, ['-starttls', 'smtp', ...credentials], { subject: `s_client${version}` });
    await sClient(ports.implicit, credentials, { subject: `s_client-implicit${version}` });
    await arrived(`s_client${version}`);
    await arrived(`s_client-implicit${version}`);
  });
}

/** A SoftHSM token with alice's key, which never leaves it: what a card is to the client. */
async function insertCard(): Promise<{ env: Record<string, string>; key: string }> {
  const folder = join(site.folder, 'token');
  const { keyFile } = card('alice');
  writeFileSync(
    join(site.folder, 'softhsm2.conf'),
    `directories.tokendir = ${folder}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  mkdirSync(folder);
  const env = {
    SOFTHSM2_CONF: join(site.folder, 'softhsm2.conf'),
    PKCS11_MODULE_PATH: '/usr/lib/softhsm/libsofthsm2.so',
  };
  for (const args of [
    ['--init-token', '--free', '--label', 'card', '--pin', '1234', '--so-pin', '5678'],
    ['--import', keyFile, '--token', 'card', '--label', 'alice', '--id', '01', '--pin', '1234'],
  ]) {
    const done = await runProgram('softhsm2-util', args, { env });
    assert.equal(done.code, 0, done.output);
  }
  return { env, key: 'pkcs11:token=card;object=alice;type=private;pin-value=1234' };
}

test('a key on a token signs the handshake: openssl s_client and curl send with the card', async () => {
  const { env, key } = await insertCard();
  const { certFile } = card('alice');
  const token = ['-engine', 'pkcs11', '-keyform', 'engine', '-key', key];
  await sClient(ports.certificate, ['-starttls', 'smtp', '-cert', certFile, ...token], {
    subject: 'token-s_client',
    env,
  });
  await arrived('token-s_client');
  const done = await curl(
    ports.certificate,
    ['--cert', certFile, '--engine', 'pkcs11', '--key-type', 'ENG', '--key', key],
    { subject: 'token-curl', env },
  );
  assert.equal(done.code, 0, done.output);
  await arrived('token-curl');
});

test("Python's smtplib shows the reason of a refused card", async () => {
  const { certFile, keyFile } = card('frank');
  const script = `
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.load_cert_chain(sys.argv[3], sys.argv[4])
client = smtplib.SMTP('127.0.0.1', int(sys.argv[1]), local_hostname='client.example.test')
client._host = 'gw.example.test'
client.starttls(context=context)
try:
    client.sendmail('frank@example.test', ['someone@elsewhere.example'], 'Subject: x\\r\\n\\r\\n')
except Exception as error:
    print(repr(error))
`;
  const done = await runProgram('python3', ['-c', script, String(ports.certificate), ca, certFile, keyFile]);
  assert.equal(done.code, 0, done.output);
  assert.match(done.output, /client certificate revoked/);
});
