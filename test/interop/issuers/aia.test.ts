/**
 * Issuers that nobody has given, fetched from where certificates say they are. Peer: nginx. A client that sends its own
 * certificate alone is let in when the rest of the path is found; nothing that is found is trusted for having been found,
 * and nobody but the listed hosts is ever asked.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import {
  AUTHORITY_EXTENSIONS,
  CertificateAuthority,
  type Credentials,
  derOf,
  openssl,
} from '../../support/certificate-authority.ts';
import { eventually } from '../../support/eventually.ts';
import { Nginx } from '../../support/nginx.ts';
import type { SmtpReply } from '../../support/smtp-session.ts';
import { ALICE, cardNaming, IssuerRig } from './issuer-rig.ts';

const LET_IN = /^250 2\.1\.0/;
const BROKEN = /^554 5\.7\.1 client certificate chain broken|^554 5\.7\.1 client certificate not trusted/;
const DEFERRED = /^454 4\.7\.0 an issuer of the client certificate cannot be fetched now/;

let rig: IssuerRig;
let elsewhere: Nginx;
before(async () => {
  elsewhere = await Nginx.start();
  rig = await IssuerRig.open({
    locations: [
      'location = /near { return 302 /issuing.der; }',
      `location = /far { return 302 ${elsewhere.url('issuing.der')}; }`,
      'location = /round { return 302 /round; }',
      'location = /busy { return 503; }',
      'location = /slow.der { limit_rate 16; }',
      `location = /credentials { return 302 http://user:secret@127.0.0.1:${elsewhere.port}/issuing.der; }`,
    ],
  });
  rig.web.put('issuing.der', rig.issuing);
  elsewhere.put('issuing.der', rig.issuing);
});

const allow = (...more: readonly string[]): Record<string, unknown> => ({ allowHosts: [rig.web.host, ...more] });

/** Asks of this file since the call. */
function watch(web: Nginx, path: string): () => number {
  const count = (): number => web.asked().filter((line) => line.startsWith(`${path} `)).length;
  const from = count();
  return () => count() - from;
}

/** nginx logs an answer when it is over, which is a moment after the gateway has it. */
const cameTo = (asked: () => number, count: number): Promise<void> => eventually(() => assert.equal(asked(), count));

test('by default nothing is fetched, and a client that sends its own certificate alone is refused', async () => {
  const asked = watch(rig.web, '/issuing.der');
  const running = await rig.start(undefined);
  const alice = rig.card(rig.web.url('issuing.der'));
  assert.match(await running.enter(alice), BROKEN);
  assert.match(await running.enter(alice, rig.site.pki.issuing.own.cert), LET_IN);
  assert.equal(asked(), 0);
  await running.stop();
});

test('the issuer is fetched once for all threads and sessions, and not where the client has sent it', async () => {
  const asked = watch(rig.web, '/issuing.der');
  const running = await rig.start(allow(), (config) => ({ ...config, system: { receiveThreads: 2 } }));
  const alice = rig.card(rig.web.url('issuing.der'));
  assert.match(await running.enter(alice, rig.site.pki.issuing.own.cert), LET_IN);
  assert.equal(asked(), 0);
  const replies = await Promise.all(Array.from({ length: 8 }, () => running.enter(alice)));
  for (const reply of replies) assert.match(reply, LET_IN);
  assert.match(await running.enter(alice), LET_IN);
  await cameTo(asked, 1);
  const fetched = await running.gateway.event(({ event }) => event === 'issuer-fetched');
  assert.equal(fetched['url'], rig.web.url('issuing.der'));
  assert.equal(fetched['certificates'], 1);
  const identity = await running.gateway.event(({ event }) => event === 'certificate-ok');
  assert.equal(identity['user'], 'alice');
  await running.stop();
});

function pkcs7(outform: 'DER' | 'PEM', ...files: readonly string[]): Buffer {
  const given = files.flatMap((file) => ['-certfile', file]);
  return execFileSync('openssl', ['crl2pkcs7', '-nocrl', '-outform', outform, ...given]);
}

test('DER, PEM and certificates in PKCS#7 are understood, with others beside the one that is wanted', async () => {
  const { issuing, root } = rig.site.pki;
  const files: readonly (readonly [string, string | Buffer])[] = [
    ['der.cer', rig.issuing],
    ['pem.cer', issuing.own.cert],
    ['several.pem', `comment\n${root.own.cert}${rig.site.pki.serverCa}${issuing.own.cert}`],
    ['text.pem', openssl(['x509', '-in', issuing.own.certFile, '-text'])],
    ['der.p7c', pkcs7('DER', issuing.own.certFile)],
    [
      'several.p7c',
      pkcs7('DER', root.own.certFile, issuing.own.certFile, join(rig.site.folder, 'pki', 'server-ca.pem')),
    ],
    ['pem.p7b', pkcs7('PEM', root.own.certFile, issuing.own.certFile)],
  ];
  const running = await rig.start(allow());
  for (const [file, content] of files)
    assert.match(await running.enter(rig.card(rig.web.put(file, content))), LET_IN, file);
  await running.stop();
});

test('the way up is climbed level by level, over hosts that are listed, to an authority that is known', async () => {
  const far = rig.site.pki.root.intermediate(join(rig.site.folder, 'far'), {
    subject: '/O=Example/CN=Far CA',
    serial: '0D',
    extensions: AUTHORITY_EXTENSIONS,
  });
  const near = far.intermediate(join(rig.site.folder, 'near'), {
    subject: '/O=Example/CN=Near CA',
    serial: '0E',
    extensions: [
      ...AUTHORITY_EXTENSIONS,
      `authorityInfoAccess=caIssuers;URI:${elsewhere.put('far.der', derOf(far.own.cert))}`,
    ],
  });
  const alice = near.issue({ ...ALICE, extensions: cardNaming(rig.web.put('near.der', derOf(near.own.cert))) });
  const open = await rig.start(allow(elsewhere.host));
  assert.match(await open.enter(alice), LET_IN);
  await open.stop();
  const asked = watch(elsewhere, '/far.der');
  const closed = await rig.start(allow());
  assert.match(await closed.enter(alice), BROKEN);
  assert.match(await closed.enter(alice, far.own.cert), LET_IN);
  assert.equal(asked(), 0);
  await closed.stop();
});

test('a host that is not listed is never asked, and no other scheme than http and https is', async () => {
  const running = await rig.start(allow());
  const before = elsewhere.asked().length;
  const addresses = [
    elsewhere.url('issuing.der'),
    `http://localhost:${rig.web.port}/issuing.der`,
    `http://user:secret@${rig.web.host}/issuing.der`,
    `ldap://${rig.web.host}/cn=CA?cACertificate;binary`,
    `file://${rig.site.pki.issuing.own.certFile}`,
  ];
  for (const address of addresses) assert.match(await running.enter(rig.card(address)), BROKEN, address);
  assert.equal(elsewhere.asked().length, before);
  assert.equal(running.gateway.events.filter(({ event }) => String(event).startsWith('issuer-')).length, 0);
  await running.stop();
});

test('a redirect is followed to a listed host, and refused to any other, with a password, or for ever', async () => {
  const running = await rig.start(allow());
  assert.match(await running.enter(rig.card(rig.web.url('near'))), LET_IN);
  const before = elsewhere.asked().length;
  for (const [path, why] of [
    ['far', `redirect to the host ${elsewhere.host} is not allowed`],
    ['credentials', `redirect to the host ${elsewhere.host} is not allowed`],
    ['round', 'more than 3 redirects'],
  ] as const) {
    assert.match(await running.enter(rig.card(rig.web.url(path))), BROKEN, path);
    assert.equal(await running.failure(rig.web.url(path)), why);
  }
  assert.equal(elsewhere.asked().length, before);
  await running.stop();
});

test('a file that has no issuer in it refuses, says why, and ends nothing', async () => {
  const { pki } = rig.site;
  const running = await rig.start(allow());
  const none = 'there is no certificate in the file';
  const files: readonly (readonly [string, string | Buffer, RegExp | undefined])[] = [
    ['empty', '', /the file is empty/],
    ['page.html', '<html><body>Please log in</body></html>', new RegExp(none)],
    ['random', Buffer.from('30820fff0203deadbeef', 'hex'), /malformed/],
    ['half.der', rig.issuing.subarray(0, 300), /malformed/],
    ['half.pem', pki.issuing.own.cert.slice(0, 300), /PEM: block without its END line/],
    ['list.der', derOf(pki.issuing.crl()), new RegExp(none)],
    ['key.pem', pki.issuing.own.key, new RegExp(none)],
    ['no-certificates.p7c', pkcs7('DER'), new RegExp(none)],
    // Certificates, and good ones; only not of this issuer.
    ['server-ca.der', derOf(pki.serverCa), undefined],
    ['same-name.der', derOf(pki.forgedIssuing.own.cert), undefined],
  ];
  for (const [file, content, why] of files) {
    const url = rig.web.put(file, content);
    assert.match(await running.enter(rig.card(url)), BROKEN, file);
    if (why !== undefined) assert.match(await running.failure(url), why, file);
  }
  assert.match(await running.enter(rig.card(rig.web.url('no-such-file'))), BROKEN);
  assert.equal(await running.failure(rig.web.url('no-such-file')), 'the server answers 404');
  assert.match(await running.enter(rig.card(rig.web.url('issuing.der'))), LET_IN);
  await running.stop();
});

test('a huge file is not read to its end', async () => {
  const running = await rig.start(allow());
  const padded = rig.web.put('huge.pem', rig.site.pki.issuing.own.cert.padEnd(50_000_000, '\n'));
  assert.match(await running.enter(rig.card(padded)), BROKEN);
  assert.equal(await running.failure(padded), 'longer than 131072 octets');
  await running.stop();
});

test('while the server is down, busy or slow a session is deferred in bounded time, and let in once it answers', async () => {
  const down = await Nginx.start();
  down.put('issuing.der', rig.issuing);
  await down.stop();
  rig.web.put('slow.der', rig.issuing);
  const running = await rig.start({ ...allow(down.host), timeout: '3s' });
  for (const [url, why] of [
    [down.url('issuing.der'), /connection refused/],
    [rig.web.url('busy'), /the server answers 503/],
    [rig.web.url('slow.der'), /not finished after/],
  ] as const) {
    const from = Date.now();
    assert.match(await running.enter(rig.card(url)), DEFERRED, url);
    assert.ok(Date.now() - from < 20_000, `${Date.now() - from} ms`);
    assert.match(await running.failure(url), why);
  }
  const deferred = await running.gateway.event(({ event }) => event === 'certificate-deferred');
  assert.equal(deferred['reason'], 'client certificate chain incomplete: its issuer cannot be fetched now');
  // Both addresses of a card are asked: one that works is enough.
  assert.match(await running.enter(rig.card(down.url('issuing.der'), rig.web.url('issuing.der'))), LET_IN);
  await down.up();
  assert.match(await running.enter(rig.card(down.url('issuing.der?again'))), LET_IN);
  await running.stop();
});

test('a session that was deferred is let in at a later MAIL FROM, once the server answers', async () => {
  const web = await Nginx.start();
  web.put('issuing.der', rig.issuing);
  await web.stop();
  const running = await rig.start({ allowHosts: [web.host] });
  const session = await running.session(rig.card(web.url('issuing.der')));
  assert.equal((await session.ehlo()).has('AUTH'), false);
  const mail = (): Promise<SmtpReply> => session.command('MAIL FROM:<alice@example.test>');
  assert.match((await mail()).text, DEFERRED);
  await web.up();
  // It is asked again after five seconds.
  await eventually(async () => assert.match((await mail()).text, LET_IN));
  await cameTo(() => web.asked().length, 1);
  await session.quit();
  await running.stop();
});

test('certificates that lead to themselves or to each other end the search', async () => {
  const { pki, folder } = rig.site;
  const running = await rig.start(allow());
  // The card is given out as its own issuer.
  const itself = rig.card(rig.web.url('itself.der'));
  rig.web.put('itself.der', derOf(itself.cert));
  const askedItself = watch(rig.web, '/itself.der');
  assert.match(await running.enter(itself), BROKEN);
  await cameTo(askedItself, 1);
  // Two authorities that have signed each other, and no root above them.
  const [one, two] = ['One', 'Two'].map((name) =>
    CertificateAuthority.root(join(folder, `circle-${name}`), `/O=Example/CN=Circle ${name}`),
  ) as [CertificateAuthority, CertificateAuthority];
  const cross = (by: CertificateAuthority, of: CertificateAuthority, file: string): void => {
    const extensions = [
      ...AUTHORITY_EXTENSIONS,
      `authorityInfoAccess=caIssuers;URI:${rig.web.url(`${other(file)}.der`)}`,
    ];
    rig.web.put(`${file}.der`, crossCertificate(by, of, extensions));
  };
  const other = (file: string): string => (file === 'circle-one' ? 'circle-two' : 'circle-one');
  cross(two, one, 'circle-one');
  cross(one, two, 'circle-two');
  const askedCircle = watch(rig.web, '/circle-one.der');
  const lost = one.issue({ ...ALICE, extensions: cardNaming(rig.web.url('circle-one.der')) });
  assert.match(await running.enter(lost), BROKEN);
  await cameTo(askedCircle, 1);
  // A chain that goes on and on.
  let top = pki.root.intermediate(join(folder, 'level-0'), { subject: '/O=Example/CN=Level 0', serial: '30' });
  for (let level = 1; level <= 6; level++) {
    const url = rig.web.put(`level-${level - 1}.der`, derOf(top.own.cert));
    const extensions = [...AUTHORITY_EXTENSIONS, `authorityInfoAccess=caIssuers;URI:${url}`];
    top = top.intermediate(join(folder, `level-${level}`), {
      subject: `/O=Example/CN=Level ${level}`,
      serial: `3${level}`,
      extensions,
    });
  }
  const before = rig.web.asked().length;
  const long = top.issue({ ...ALICE, extensions: cardNaming(rig.web.put('level-6.der', derOf(top.own.cert))) });
  assert.match(await running.enter(long), BROKEN);
  await cameTo(() => rig.web.asked().length - before, 4);
  await running.stop();
});

/** DER of a certificate for the key and name of `of`, by `by`. */
function crossCertificate(by: CertificateAuthority, of: CertificateAuthority, extensions: readonly string[]): Buffer {
  const folder = join(rig.site.folder, `cross-${of.own.certFile.split('/').at(-2)}`);
  const request = `${folder}.csr`;
  openssl(['x509', '-x509toreq', '-in', of.own.certFile, '-signkey', of.own.keyFile, '-out', request]);
  const file = `${folder}.ext`;
  writeFileSync(file, extensions.filter((line) => !line.startsWith('subjectKeyIdentifier')).join('\n'));
  const issuer = ['-CA', by.own.certFile, '-CAkey', by.own.keyFile, '-set_serial', '77'];
  openssl(['x509', '-req', '-in', request, ...issuer, '-days', '30', '-extfile', file, '-out', `${folder}.pem`]);
  return derOf(readFileSync(`${folder}.pem`, 'utf8'));
}

test('what was fetched is no anchor: a whole path to somebody’s own root is not trusted', async () => {
  const root = CertificateAuthority.root(join(rig.site.folder, 'their-root'), '/O=Elsewhere/CN=Their Root');
  const running = await rig.start(allow());
  const alice = root.issue({ ...ALICE, extensions: cardNaming(rig.web.put('their-root.der', derOf(root.own.cert))) });
  assert.match(await running.enter(alice), BROKEN);
  await running.gateway.event(({ event }) => event === 'issuer-fetched');
  await running.stop();
});

test('what was fetched is checked like any other: an issuing authority that its root has revoked', async () => {
  const { root } = rig.site.pki;
  const alice = rig.card(rig.web.url('issuing.der'));
  const answers: readonly (readonly [Credentials | undefined, RegExp])[] = [
    [undefined, /^554 5\.7\.1 .*no revocation list of CN=Test Card Issuing CA/],
    [rig.site.pki.issuing.own, /^554 5\.7\.1 client certificate revoked \(its authority CN=Test Card Issuing CA/],
  ];
  for (const [revoked, expected] of answers) {
    const url = rig.web.put(
      revoked === undefined ? 'root.crl' : 'root-revoked.crl',
      root.crl({ revoked: revoked === undefined ? [] : ['0A'] }),
    );
    const running = await rig.start(allow(), (config) => ({
      ...config,
      crl: { checkInbound: true, sources: { root: { type: 'pem', primaryUrl: url, schedule: 'manual' } } },
    }));
    assert.match(await running.enter(alice), expected);
    await running.stop();
  }
});

test('lists that certificates name speak for an issuer that was fetched', async () => {
  const { root, issuing } = rig.site.pki;
  const url = rig.web.put('root-points.crl', root.crl({}));
  const listUrl = rig.web.url('issuing.crl');
  const change = (config: Record<string, unknown>): Record<string, unknown> => {
    const profiles = config['smtpAuthProfiles'] as Record<string, Record<string, unknown>>;
    return {
      ...config,
      smtpAuthProfiles: { cac: { ...profiles['cac'], crlDistributionPoints: { allowHosts: [rig.web.host] } } },
      crl: { checkInbound: true, sources: { root: { type: 'pem', primaryUrl: url, schedule: 'manual' } } },
    };
  };
  const extensions = [...cardNaming(rig.web.url('issuing.der')), `crlDistributionPoints=URI:${listUrl}`];
  const [alice, frank] = [ALICE, { subject: '/O=Example/CN=FOSTER.FRANK.F.1000000006', serial: '1006' }].map((holder) =>
    issuing.issue({ ...holder, extensions }),
  ) as [Credentials, Credentials];
  rig.web.put('issuing.crl', derOf(issuing.crl({ revoked: ['1006'] })));
  const running = await rig.start(allow(), change);
  assert.match(await running.enter(alice), LET_IN);
  assert.match(await running.enter(frank), /^554 5\.7\.1 client certificate revoked/);
  await running.stop();
});

test('over https the server is verified with the configured authorities', async () => {
  const { gateway } = rig.site.pki;
  const secure = await Nginx.start({ tls: gateway });
  const alice = rig.card(secure.put('issuing.der', rig.issuing));
  const known = await rig.start({ allowHosts: [secure.host] }, (config) => ({
    ...config,
    certificateAuthorities: { cac: { file: 'pki/root.pem' }, server: { file: 'pki/server-ca.pem' } },
  }));
  assert.match(await known.enter(alice), LET_IN);
  await known.stop();
  const unknown = await rig.start({ allowHosts: [secure.host] });
  assert.match(await unknown.enter(alice), DEFERRED);
  assert.match(await unknown.failure(secure.url('issuing.der')), /certificate/);
  await unknown.stop();
});
