/** StartTLS and ldaps against a real slapd: the certificate is verified, whoever signed it and whatever name it has. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { BASE_DN, open } from '../../contract/directory-server.ts';
import { atEnd } from '../../support/at-end.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { Slapd } from '../../support/slapd.ts';

let good: Slapd;
let otherName: Slapd;
let caPem: string;
let otherCaPem: string;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ldap-tls-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const authority = CertificateAuthority.root(join(folder, 'ca'), '/O=Example/CN=Directory CA');
  otherCaPem = CertificateAuthority.root(join(folder, 'other'), '/O=Example/CN=Directory CA').own.cert;
  caPem = authority.own.cert;
  const server = (name: string, serial: string) =>
    authority.issue({
      subject: '/CN=directory',
      serial,
      extensions: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', `subjectAltName=${name}`],
    });
  const files = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    tls: { certFile, keyFile, caFile: authority.own.certFile },
  });
  good = await Slapd.start(files(server('DNS:localhost,IP:127.0.0.1', '01')));
  otherName = await Slapd.start(files(server('DNS:elsewhere.example', '02')));
});

type Server = Parameters<typeof open>[0];

async function outcome(server: Server, pem: string | undefined): Promise<string> {
  const { directory } = open({ ca: 'ca', ...server }, pem === undefined ? {} : { caPem: pem });
  const filter = { kind: 'equal', attribute: 'uid', value: 'bob' } as const;
  const answer = await directory.search({ baseDn: BASE_DN, filter, attributes: ['uid'], sizeLimit: 2 });
  const bind = await directory.bind('uid=bob,ou=people,dc=example,dc=test', 'bob-secret');
  directory.close();
  if (answer.answer !== 'yes') {
    assert.equal(bind.answer, 'unknown');
    return answer.why;
  }
  return `${answer.value.entries.length} ${bind.answer}`;
}

const WAYS: readonly (readonly [string, (slapd: Slapd) => Server])[] = [
  ['StartTLS', ({ url }) => ({ hosts: [url], startTls: true })],
  ['ldaps', ({ ldapsUrl }) => ({ hosts: [ldapsUrl] })],
];

for (const [way, server] of WAYS) {
  test(`${way} with the right authority and name answers`, async () => {
    assert.equal(await outcome(server(good), caPem), '1 yes');
  });
  test(`${way} by name answers`, async () => {
    const { hosts = [], ...more } = server(good);
    assert.equal(
      await outcome({ ...more, hosts: hosts.map((url) => url.replace('127.0.0.1', 'localhost')) }, caPem),
      '1 yes',
    );
  });
  test(`${way} with another authority of the same name is unknown`, async () => {
    assert.match(await outcome(server(good), otherCaPem), /Server unreachable: TLS failed/);
  });
  test(`${way} without an authority trusts nobody`, async () => {
    assert.match(await outcome(server(good), undefined), /Server unreachable: TLS failed/);
  });
  test(`${way} with a certificate for another host is unknown`, async () => {
    assert.match(await outcome(server(otherName), caPem), /Server unreachable: TLS failed: .*altnames/i);
  });
}

test('a server without StartTLS is unknown, and no password was sent to it', async () => {
  const plain = await Slapd.start();
  assert.match(
    await outcome({ hosts: [plain.url], startTls: true }, caPem),
    /StartTLS failed: LDAP Error "protocolError"/,
  );
});

/** A server that answers StartTLS with these octets; resolves with what else it was sent in the clear. */
async function startTlsServer(answer: Buffer): Promise<{ url: string; heard: () => Buffer }> {
  let heard = Buffer.alloc(0);
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (heard.length === 0) socket.write(answer);
      heard = Buffer.concat([heard, chunk]);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => server.close());
  return { url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`, heard: () => heard };
}

const START_TLS_OK = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);
const BIND_OK = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x02, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);

test('an answer that was smuggled in before TLS is not believed', async () => {
  const server = await startTlsServer(Buffer.concat([START_TLS_OK, BIND_OK]));
  assert.match(await outcome({ hosts: [server.url], startTls: true }, caPem), /octets follow the answer in the clear/);
  assert.ok(!server.heard().includes('gateway-secret'));
});

test('a malformed answer to StartTLS is unknown', async () => {
  for (const answer of [Buffer.from('nonsense'), BIND_OK, Buffer.alloc(8000, 0x30)]) {
    const server = await startTlsServer(answer);
    assert.match(
      await outcome({ hosts: [server.url], startTls: true, connectTimeout: 500 }, caPem),
      /Server unreachable/,
    );
  }
});
