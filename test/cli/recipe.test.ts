/**
 * Recipe C typed at the command line, object by object, into a gateway that has nothing but a listener: certificates, directory
 * queries, profiles, revocation lists, routes, a listener with its host access table. After commit Alice sends with her card and
 * Bob with his password, as from the file.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { piped } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, temporaryFolder } from '../support/gateway.ts';
import { ALLOWANCE, Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let gateway: Gateway;
before(async () => {
  site = await Site.open();
  const config = {
    hostname: 'gw.example.test',
    listeners: {
      first: {
        type: 'private',
        address: [`127.0.0.1:${await freePort()}`],
        hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }],
      },
    },
  };
  gateway = await site.start(config, { store: true });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', gateway.data];

/** A dialogue that ends well; what it printed. */
async function told(command: string, ...answers: readonly string[]): Promise<string> {
  const { code, stdout } = await piped(at(command), ...answers);
  assert.equal(code, 0, stdout);
  return stdout;
}

async function candidate(path: string): Promise<unknown> {
  const { code, stdout } = await piped(at('showconfig', path, '--candidate', '--json'));
  return code === 0 ? JSON.parse(stdout) : undefined;
}

/** The gateway's certificate as an administrator gets it: PKCS#12 with a password. */
function pkcs12(): string {
  const file = join(temporaryFolder(), 'gateway.p12');
  const args = ['-export', '-in', 'gateway.pem', '-inkey', 'gateway.key', '-out', file, '-passout', 'pass:secret'];
  execFileSync('openssl', ['pkcs12', ...args], { cwd: site.pki.folder });
  return file;
}

test('a certificate is imported from PKCS#12, its authorities from PEM; the key is never shown', async () => {
  const output = await told('certconfig', 'certificate', 'import', 'gateway', pkcs12(), 'secret', '', '');
  assert.match(output, /Enter a name for this certificate:\n\[\]> gateway\n/);
  assert.match(output, /^gateway {2,}gw\.example\.test {2,}.* Active {2,}\d+ days$/m);
  assert.doesNotMatch(output, /secret|PRIVATE/);
  await told('certconfig', 'certauthority', 'import', 'cac', join(site.pki.folder, 'cac-ca.pem'), '', '');
  const { certPem, keyPem } = (await candidate('certificates.gateway')) as { certPem: string; keyPem: string };
  assert.match(certPem, /^-----BEGIN CERTIFICATE-----\n/);
  assert.equal(keyPem, '(masked)');
});

test('a wrong password, a file that is not there and a key of another certificate are told', async () => {
  const wrong = await told('certconfig', 'certificate', 'import', 'other', pkcs12(), 'public', '', '');
  assert.match(wrong, /PKCS#12: .*password.*\nNothing was changed\.\n/);
  const missing = await told('certconfig', 'certificate', 'import', 'other', '/nowhere/x.pem', '', '');
  assert.match(missing, /cannot read it: ENOENT\.\nNothing was changed\.\n/);
  const card = site.pki.card('alice');
  const rows = (text: string): string[] => [...text.trimEnd().split('\n'), '.'];
  const key = readFileSync(join(site.pki.folder, 'gateway.key'), 'utf8');
  const pasted = await told(
    'certconfig',
    'certificate',
    'paste',
    'card',
    'nothing',
    '.',
    ...rows(card.cert),
    ...rows(key),
    ...rows(card.key),
    'n',
    '',
    '',
  );
  assert.match(pasted, /neither PEM, DER nor PKCS#12\.\n\nPaste public certificate/);
  assert.match(pasted, /The private key does not belong to the certificate\.\n\nPaste private key/);
  assert.deepEqual(Object.keys((await candidate('certificates')) as object), ['gateway', 'card']);
  await told('certconfig', 'certificate', 'delete', 'card', 'y', '', '');
});

test('the directory and what it is asked', async () => {
  const server = ['--ldif', join(site.folder, 'directory.ldif'), '--base-dn', 'dc=example,dc=test'];
  assert.equal((await piped(at('ldapconfig', 'new', 'corp', ...server))).code, 0);
  const certificate = [
    'new',
    'cac-certificate',
    'corp',
    '1',
    '(&(caccn={cn})(cacserial={sn}',
    '(&(caccn={cn})(cacserial={sn}))',
    '',
  ];
  const password = ['new', 'smtp-auth', 'corp', '2', '(uid={u})', '1', ALLOWANCE];
  const output = await told('ldapconfig', 'query', ...certificate, ...password, '', '');
  assert.match(output, /2\. smtp-auth \(smtpAuth, on corp\)/);
  assert.deepEqual(await candidate('ldap.queries.smtp-auth'), {
    server: 'corp',
    type: 'smtpAuth',
    filter: '(uid={u})',
    allowance: ALLOWANCE,
  });
});

test('profiles, revocation lists and routes', async () => {
  await told('smtpauthconfig', 'new', 'password', 'LDAP', 'smtp-auth', 'y', 'Reject', 'y', '', '', '');
  await told(
    'smtpauthconfig',
    'new',
    'cac-or-password',
    'Certificate',
    'cac-certificate',
    'nobody',
    'cac',
    'password',
    '',
    '',
  );
  assert.deepEqual(await candidate('smtpAuthProfiles'), {
    password: {
      type: 'ldap',
      query: 'smtp-auth',
      checkAllowed: {
        action: 'reject',
        response: { code: 525, text: 'Dear user, please use your CAC to send email.' },
      },
    },
    'cac-or-password': { type: 'certificate', query: 'cac-certificate', trust: ['cac'], allowSmtpAuth: 'password' },
  });
  const source = ['new', 'cac', '1', 'cac.crl', site.crls.url(), '', '', '', '', ''];
  const output = await told('crlconfig', ...source, 'setup', 'y', '', '', '', '');
  assert.match(output, /primaryUrl: a CRL URL starts with http:\/\//);
  const routes = await told('smtproutes', 'new', 'ALL', 'two words', `127.0.0.1:${site.nextHop.port}`, 'print', '');
  assert.match(routes, /Mapping for ALL to 127\.0\.0\.1:\d+ created\.\n/);
  assert.match(routes, /^ALL: 127\.0\.0\.1:\d+$/m);
});

test('the listener, its terms, commit; then Alice sends with her card and Bob with his password', async () => {
  const port = await freePort();
  await told('listenerconfig', 'new', '1', 'submission', '127.0.0.1', '', String(port), '127.0.0.0/8', '');
  const policy = [
    'policy',
    'new',
    'RELAYED',
    'Relay',
    '',
    '',
    '',
    '',
    '',
    'n',
    'n',
    'Preferred',
    'n',
    'Required',
    'y',
    '',
  ];
  const edit = ['edit', 'submission', 'certificate', 'gateway', 'smtpauth', 'cac-or-password', ''];
  await told('listenerconfig', ...policy, ...edit, 'delete', 'first', 'y', '');
  assert.deepEqual(await candidate('mailFlowPolicies.RELAYED'), {
    // relay is what is built in under this name
    tls: 'preferred',
    smtpAuth: 'required',
    requireTlsToOfferSmtpAuth: true,
  });
  const committed = await told('commit', 'recipe C, typed');
  assert.match(committed, /Changes committed: revision 2, in force\n$/);
  await gateway.event((event) => /crl/.test(String(event.event)) && JSON.stringify(event).includes('cac'));

  const updated = await piped(at('crlconfig', 'update', 'cac', '--json'));
  assert.equal(JSON.parse(updated.stdout).sources[0].name, 'cac', updated.output);
  assert.match(await told('crlconfig', 'status', ''), /^cac\b/m);

  const alice = await SmtpSession.open({ port });
  await alice.startTls({ ...site.pki.card('alice'), ca: site.pki.serverCa });
  await alice.ehlo();
  assert.equal((await alice.send({ text: 'Subject: by card\r\n\r\nhello\r\n' })).code, 250);
  await site.nextHop.messageWith('Subject: by card');

  for (const [user, answer] of [
    ['alice', '525 Dear user, please use your CAC to send email.'],
    ['bob', '235 2.7.0 authentication succeeded'],
  ] as const) {
    const session = await SmtpSession.open({ port });
    await session.startTls({ ca: site.pki.serverCa });
    await session.ehlo();
    assert.equal((await session.authPlain(user, `${user}-secret`)).text, answer);
  }
  const tested = await told('ldapconfig', 'test', 'smtp-auth', 'bob', 'bob-secret', 'n', '');
  assert.match(tested, /LDAP query smtp-auth \(smtpAuth\) on server corp/);
});

test('a self-signed certificate is made with its request; what the authority signs for it takes its place', async () => {
  const answers = ['new', 'web', 'web.example.test, 192.0.2.1', 'Example', '', '', '', 'XX', '90', 'p256', 'y'];
  const output = await told('certconfig', 'certificate', ...answers, '', '');
  const csr = /-----BEGIN CERTIFICATE REQUEST-----[^]+?-----END CERTIFICATE REQUEST-----\n/.exec(output)?.[0] ?? '';
  const folder = temporaryFolder();
  const openssl = (args: readonly string[], input?: string): string =>
    execFileSync('openssl', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
      ...(input === undefined ? {} : { input }),
    });
  assert.match(openssl(['req', '-noout', '-subject', '-verify'], csr), /CN ?= ?web\.example\.test/);
  openssl([
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=An Authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  ]);
  const signed = openssl(['x509', '-req', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '30'], csr);
  const renewed = await told('certconfig', 'certificate', 'edit', 'web', ...signed.trimEnd().split('\n'), '.', '', '');
  assert.match(renewed, /^web {2,}web\.example\.test {2,}An Authority {2,}Active {2,}\d+ days$/m);
  const other = await told(
    'certconfig',
    'certificate',
    'edit',
    'web',
    ...readFileSync(join(folder, 'ca.pem'), 'utf8').trimEnd().split('\n'),
    '.',
    '',
    '',
  );
  assert.match(other, /not for the private key that is here/);
  assert.equal((await piped(at('commit', '--comment', 'web'))).code, 0);
});

test('scripts list, make, export and remove certificates', async () => {
  const file = join(temporaryFolder(), 'out.pem');
  const made = await piped(at('certconfig', 'new', 'script', '--names', 'a.example.test', '--days', '9', '--json'));
  assert.match(JSON.parse(made.stdout).csr, /BEGIN CERTIFICATE REQUEST/);
  assert.equal((await piped(at('certconfig', 'export', 'script', file))).code, 0);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /PRIVATE/);
  const { stdout } = await piped(at('certconfig', 'list', '--json'));
  assert.deepEqual(
    (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name),
    ['gateway', 'web', 'script'],
  );
  assert.match(
    (await piped(at('certconfig', 'authority', 'show', 'cac'))).stdout,
    /^certificate 1 of \d+\n {2}subject: /,
  );
  assert.equal((await piped(at('certconfig', 'delete', 'script'))).code, 0);
  assert.equal((await piped(at('certconfig', 'import', 'gateway', file))).code, 1);
  await piped(at('clearchanges', '--yes'));
});
