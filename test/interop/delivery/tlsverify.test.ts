/**
 * `tlsverify`: the running gateway connects to the hosts that mail for a domain goes to (Postfix), by route and by MX records, and tells each step of TLS, the certificates, and whether they are good for the domain.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { DestinationVerification } from '../../../src/explain/destination-verification.io.ts';
import { CertificateAuthority, selfSigned } from '../../support/certificate-authority.ts';
import { atEnd } from '../../support/at-end.ts';
import { freePort } from '../../support/free-port.ts';
import { type Gateway, PROGRAM } from '../../support/gateway.ts';
import { ipv4, mx, startNameServer } from '../../support/name-server.ts';
import { startPostfix } from '../../support/postfix.ts';
import { runProgram } from '../../support/program.ts';
import { Site } from '../../support/site.ts';

let gateway: Gateway;
/** Ports of Postfix with a good certificate, of one with somebody else's, of one without TLS, of nobody. */
const at = { good: 0, other: 0, clear: 0, nobody: 0 };

const SERVER = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth'];

before(async () => {
  const site = await Site.open();
  const authority = CertificateAuthority.root(join(site.folder, 'mail-ca'), '/O=Partner/CN=Partner Root CA');
  const subject = '/O=Partner/CN=Partner Mail CA';
  const intermediate = authority.intermediate(join(site.folder, 'mail-sub'), { subject, serial: '0C' });
  writeFileSync(join(site.pki.folder, 'partner-ca.pem'), authority.own.cert);
  const partner = intermediate.issue({
    subject: '/O=Partner/CN=mx.partner.example',
    serial: '4001',
    extensions: [...SERVER, 'subjectAltName=DNS:mx.partner.example,DNS:partner.example,IP:127.0.0.1'],
  });
  const certFile = join(site.folder, 'partner-chain.pem');
  writeFileSync(certFile, partner.cert + intermediate.own.cert);
  const foreign = selfSigned(site.folder, 'other', {
    subject: '/CN=other.example',
    extensions: ['subjectAltName=DNS:other.example'],
  });
  const [good, other, clear, names] = await Promise.all([
    startPostfix({ mailboxes: [], tls: { certFile, keyFile: partner.keyFile } }),
    startPostfix({ mailboxes: [], tls: foreign, parameters: { smtpd_tls_protocols: 'TLSv1.2' } }),
    startPostfix({ mailboxes: [] }),
    startNameServer({
      'MX partner.example': [mx(10, 'mx.partner.example')],
      'A mx.partner.example': [ipv4('127.0.0.1')],
    }),
  ]);
  atEnd(() => good.stop());
  atEnd(() => other.stop());
  atEnd(() => clear.stop());
  Object.assign(at, { good: good.port, other: other.port, clear: clear.port, nobody: await freePort() });
  const change = (config: Record<string, unknown>): Record<string, unknown> => ({
    ...config,
    system: { dnsServers: [names.address] },
    certificateAuthorities: {
      ...(config['certificateAuthorities'] as object),
      partner: { file: 'pki/partner-ca.pem' },
    },
    destinationControls: { domains: { 'clear.test': { tls: 'required' } } },
    smtpRoutes: {
      'partner.test': [`mx.partner.example:${good.port}`],
      'two.test': [`127.0.0.1:${good.port}`, `127.0.0.1:${at.nobody}`],
      'clear.test': [`127.0.0.1:${clear.port}`],
      'discard.test': ['/dev/null'],
    },
  });
  gateway = (await site.startOne({ policy: { tls: 'off' } }, change, { store: true })).gateway;
});

const tlsverify = async (...args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  await runProgram(PROGRAM, ['tlsverify', ...args, '--data', gateway.data]);

test('by the SMTP route: connection, EHLO, STARTTLS, protocol, cipher, chain, and the name that fits', async () => {
  const { code, output } = await tlsverify('partner.test', '--ca', 'partner');
  assert.equal(code, 0, output);
  assert.match(
    output,
    /^Mail for partner\.test: the hosts of the route: mx\.partner\.example \(127\.0\.0\.1 port \d+\) \(smtpRoutes\.partner\.test\)$/m,
  );
  assert.match(
    output,
    /ok +Connecting to: 127\.0\.0\.1 port \d+, from 127\.0\.0\.1\n +ok +Greeting: 220 (?!220).*\n +ok +EHLO: STARTTLS is offered\n +ok +STARTTLS: 220 /,
  );
  assert.match(output, /ok +TLS connection established: protocol TLSv1\.3, cipher TLS_\w+/);
  assert.match(
    output,
    /1\. CN=mx\.partner\.example,O=Partner, serial 4001, issued by CN=Partner Mail CA,O=Partner, valid 20/,
  );
  assert.match(output, /names: DNS:mx\.partner\.example, DNS:partner\.example, IP Address:127\.0\.0\.1/);
  assert.match(output, /2\. CN=Partner Mail CA,O=Partner, serial 0C, issued by CN=Partner Root CA,O=Partner/);
  assert.match(output, /ok +TLS certificate match: good for mx\.partner\.example$/m);
  assert.match(output, /^Trusted: certificateAuthorities\.partner$/m);
  assert.match(output, /^Policy: TLS preferred: mail is sent over TLS, .* \(destinationControls\.default\.tls\)$/m);
  assert.match(output, /^TLS verification completed: partner\.test is verified\.$/m);
});

test('by MX records, where no route is configured; the domain itself may be the name', async () => {
  const { code, output } = await tlsverify('partner.example', '--ca', 'partner', '--json');
  const found = JSON.parse(output) as DestinationVerification;
  // Nobody listens on port 25 of loopback here, or somebody who is not the partner.
  assert.equal(code, 1, output);
  assert.equal(found.route.says, 'the MX records of partner.example: mx.partner.example (127.0.0.1 port 25)');
  const named = await tlsverify('partner.example', '--host', `127.0.0.1:${at.good}`, '--ca', 'partner');
  assert.equal(named.code, 0, named.output);
  assert.match(named.output, /^Mail for partner\.example: the hosts of the route: .* \(--host\)$/m);
  assert.match(named.output, /good for partner\.example and 127\.0\.0\.1$/m);
});

test('without the authority the certificate is not trusted, and the exit code is 1', async () => {
  const { code, output } = await tlsverify('partner.test');
  assert.equal(code, 1);
  assert.match(output, /FAILED Verifying peer certificate: (unable|self|UNABLE|SELF)/);
  assert.match(output, /^Trusted: public authorities$/m);
  assert.match(output, /^TLS verification completed: partner\.test is NOT verified\.$/m);
});

test('a host without STARTTLS, one of two that is down, mail that is discarded', async () => {
  const clear = await tlsverify('clear.test');
  assert.equal(clear.code, 1);
  assert.match(clear.output, /FAILED STARTTLS: STARTTLS command not supported at 127\.0\.0\.1/);
  assert.match(
    clear.output,
    /^Policy: TLS required: nothing is sent without TLS: .* \(destinationControls\.domains\.clear\.test\.tls\)$/m,
  );
  const two = await tlsverify('two.test', '--ca', 'partner');
  assert.equal(two.code, 1);
  assert.match(
    two.output,
    /TLS certificate verified\.\n(.*\n)*.*FAILED Connecting to: 127\.0\.0\.1 port \d+: ECONNREFUSED/,
  );
  const nowhere = await tlsverify('discard.test');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.output, /^Mail for discard\.test: mail is discarded \(smtpRoutes\.discard\.test\)$/m);
});

test('a host with TLS 1.2 and a certificate for somebody else is not verified, and the names are told', async () => {
  const { code, output } = await tlsverify('partner.example', '--host', '127.0.0.1', '--port', String(at.other));
  assert.equal(code, 1, output);
  assert.match(output, /ok +TLS connection established: protocol TLSv1\.2, cipher /);
  assert.match(output, /FAILED Verifying peer certificate: DEPTH_ZERO_SELF_SIGNED_CERT/);
  assert.match(output, /names: DNS:other\.example\n/);
  assert.match(output, /FAILED TLS certificate match: for neither partner\.example nor 127\.0\.0\.1/);
});

test('asked nothing it asks as AsyncOS does, and again until there is nothing more to verify', async () => {
  const answers = ['partner.test', '', 'y', '', `127.0.0.1:${at.good}`, 'n'];
  const input = answers.map((answer) => `${answer}\n`).join('');
  const { code, output } = await runProgram(PROGRAM, ['tlsverify', '--data', gateway.data], { input });
  assert.equal(code, 1, output);
  assert.match(output, /^Enter the TLS domain to verify against:\n\[\]> partner\.test$/m);
  assert.match(output, /^Enter the destination host to connect to\. {2}Append the port \(example\.com:26\)/m);
  assert.match(output, /^Would you like to verify another domain\?\n\[Y\]> y$/m);
  assert.match(output, /^\[partner\.test\]> $/m);
});

test('what is no question says so', async () => {
  assert.equal((await tlsverify('a.test', 'b.test')).code, 2);
  assert.equal((await tlsverify('a.test', '--port', '99')).code, 2);
  assert.match((await tlsverify('not a domain')).output, /not a domain is no domain/);
  assert.match((await tlsverify('a.test', '--ca', 'nowhere')).output, /there are no certificateAuthorities nowhere/);
});
