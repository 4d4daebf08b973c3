/**
 * The `cert` commands with files that OpenSSL wrote, and OpenSSL with files that they wrote.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Credentials, openssl } from '../../support/certificate-authority.ts';
import { check, PROGRAM, temporaryFolder, writeConfig } from '../../support/gateway.ts';
import { Pki } from '../../support/pki.ts';
import { runProgram } from '../../support/program.ts';

const folder = temporaryFolder();
let pki: Pki;
let card: Credentials;

before(() => {
  pki = new Pki(join(folder, 'pki'));
  card = pki.issue({
    subject: '/C=US/O=Example/OU=Staff/CN=ADAMS.ALICE.A.1000000001',
    serial: '1001',
    extensions: [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=clientAuth,emailProtection',
      'subjectAltName=email:alice@example.test,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@corp.example.test',
    ],
  });
});

const cert = async (args: readonly string[], input = ''): Promise<{ code: number | null; text: string }> => {
  const { code, output } = await runProgram(PROGRAM, ['cert', ...args], { input, cwd: folder });
  return { code, text: output };
};
const put = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const pkcs12 = (name: string, { certFile, keyFile }: Credentials, ...options: string[]): string => {
  const file = join(folder, name);
  openssl(['pkcs12', '-export', '-in', certFile, '-inkey', keyFile, '-out', file, ...options]);
  return file;
};

// --- show

test('cert show prints the fields of a certificate and what each token of a filter becomes', async () => {
  const { code, text } = await cert(['show', card.certFile]);
  assert.equal(code, 0, text);
  const serial = openssl(['x509', '-in', card.certFile, '-noout', '-serial']).trim().replace('serial=', '');
  const subject = openssl(['x509', '-in', card.certFile, '-noout', '-subject', '-nameopt', 'RFC2253']).trim();
  const digest = openssl(['x509', '-in', card.certFile, '-noout', '-fingerprint', '-sha256']).trim();
  const tokens: readonly (readonly [string, string])[] = [
    ['cn', 'ADAMS.ALICE.A.1000000001'],
    ['sn', serial],
    ['ou', 'Staff'],
    ['dn', subject.replace('subject=', '')],
    ['email', 'alice@example.test'],
    ['upn', 'alice@corp.example.test'],
    ['edipi', '1000000001'],
    ['sha256', digest.replace(/.*=/, '').replaceAll(':', '').toLowerCase()],
  ];
  for (const [token, value] of tokens) assert.match(text, lineOf(`{${token}}`, value), text);
  assert.match(text, lineOf('extended key usage', 'clientAuth'));
  assert.match(text, lineOf('alternative names', 'email alice@example.test'));
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const lineOf = (name: string, value: string): RegExp => new RegExp(`^ +${escaped(name)} +${escaped(value)}$`, 'm');

test('cert show reads DER, PKCS#12 old and new, and says which certificate the key belongs to', async () => {
  const der = join(folder, 'card.der');
  openssl(['x509', '-in', card.certFile, '-outform', 'DER', '-out', der]);
  assert.match((await cert(['show', der])).text, /^.*card\.der: DER, 1 certificate, 0 private keys\n/);
  const chain = put('chain.pem', pki.issuing.own.cert);
  for (const [name, options] of Object.entries({
    'new.p12': [],
    'old.p12': ['-legacy'],
    'no-mac.p12': ['-nomac'],
    'plain.p12': ['-keypbe', 'NONE', '-certpbe', 'NONE'],
  })) {
    const file = pkcs12(name, card, '-certfile', chain, '-passout', 'pass:geheim', ...options);
    const { code, text } = await cert(['show', file], 'geheim\n');
    assert.equal(code, 0, text);
    assert.match(
      text,
      /PKCS#12, 2 certificates, 1 private key\nprivate key: EC P-256, belongs to certificate 1\n/,
      name,
    );
    assert.match(text, lineOf('{cn}', 'ADAMS.ALICE.A.1000000001'));
  }
});

test('a password beyond ASCII opens what OpenSSL wrote with it, and a wrong one is told as that', async () => {
  const file = pkcs12('umlaut.p12', card, '-passout', 'pass:gehäim');
  assert.equal((await cert(['show', file], 'gehäim\n')).code, 0);
  for (const wrong of ['geheim', '']) {
    const { code, text } = await cert(['show', file], `${wrong}\n`);
    assert.equal(code, 1);
    assert.match(text, /umlaut\.p12: PKCS#12: the password is wrong\n$/);
  }
});

test('cert show --json has the same facts', async () => {
  const { text } = await cert(['show', card.certFile, '--json']);
  const shown = JSON.parse(text) as { certificates: { tokens: [string, string[]][] }[] };
  assert.deepEqual(new Map(shown.certificates[0]?.tokens).get('upn'), ['alice@corp.example.test']);
});

test('text in a certificate cannot write lines of its own or move the cursor', async () => {
  const evil = pki.issue({ subject: '/CN=x\n  {cn} root\u001b[2J', serial: '77' });
  const { text } = await cert(['show', evil.certFile]);
  assert.doesNotMatch(text, /\u001b/);
  assert.doesNotMatch(text, /^ +\{cn\} root/m);
});

test('what is no certificate is refused with words that say what it is', async () => {
  const faults: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['empty', '', /the file is empty/],
    ['text', 'hello\n', /neither PEM, DER nor PKCS#12/],
    ['cut.pem', card.cert.slice(0, 300), /it is cut off: a PEM block has no end/],
    ['junk.der', Buffer.from('3003020101', 'hex'), /neither a certificate, a private key nor PKCS#12 in DER/],
    [
      'damaged.pem',
      card.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
      /certificate 1 of the file cannot be read/,
    ],
    ['list.pem', pki.issuing.crl(), /"X509 CRL" is passed over: a revocation list belongs into crl\.sources/],
  ];
  for (const [name, content, words] of faults) {
    const { code, text } = await cert(['show', put(name, content)]);
    assert.equal(code, 1, `${name}: ${text}`);
    assert.match(text, words);
  }
  assert.match((await cert(['show', join(folder, 'missing')])).text, /cannot read it: ENOENT/);
  assert.match((await cert(['show', folder])).text, /it is a directory/);
});

// --- match

test('cert match answers by exit code whether a key belongs to a certificate', async () => {
  const other = pki.card('bob');
  assert.deepEqual(await cert(['match', card.certFile, card.keyFile]), {
    code: 0,
    text: 'match: the key belongs to the certificate of CN=ADAMS.ALICE.A.1000000001,OU=Staff,O=Example,C=US\n',
  });
  assert.equal((await cert(['match', card.certFile, other.keyFile])).code, 1);
  const chain = put('issuer-first.pem', pki.issuing.own.cert + card.cert);
  const { code, text } = await cert(['match', chain, card.keyFile]);
  assert.equal(code, 1);
  assert.match(text, /it belongs to certificate 2 of the file, and the first must be the key's own/);
});

test('an encrypted key is opened with its password', async () => {
  const file = join(folder, 'encrypted.key');
  openssl(['pkcs8', '-topk8', '-in', card.keyFile, '-passout', 'pass:geheim', '-out', file]);
  assert.equal((await cert(['match', card.certFile, file], 'geheim\n')).code, 0);
  const wrong = await cert(['match', card.certFile, file], 'falsch\n');
  assert.equal(wrong.code, 1);
  assert.match(wrong.text, /the password of the private key is wrong/);
});

// --- chain

test('cert chain says what is missing or out of order, as OpenSSL finds the same chain good or bad', async () => {
  const [root, issuing] = [pki.root.own.cert, pki.issuing.own.cert];
  const ca = put('root.pem', root);
  const verify = (file: string): boolean => {
    try {
      openssl(['verify', '-CAfile', ca, '-untrusted', file, file]);
      return true;
    } catch {
      return false;
    }
  };
  const whole = put('whole.pem', card.cert + issuing);
  assert.equal(verify(whole), true);
  assert.equal((await cert(['chain', whole, '--ca', ca])).code, 0);
  const gap = put('gap.pem', card.cert);
  assert.equal(verify(gap), false);
  const missing = await cert(['chain', gap, '--ca', ca]);
  assert.equal(missing.code, 1);
  assert.match(missing.text, /missing: the certificate of CN=Test Card Issuing CA,O=Example/);
  const turned = await cert(['chain', put('turned.pem', root + card.cert + issuing), '--ca', ca]);
  assert.equal(turned.code, 1);
  assert.match(turned.text, /out of order: the chain is certificate 2, then certificate 3, then certificate 1/);
});

// --- request and self-signed

test('cert request makes a key and a request that OpenSSL finds in order', async () => {
  for (const type of ['p256', 'p384', 'rsa2048', 'ed25519']) {
    const out = join(folder, `request-${type}`);
    const { code, text } = await cert([
      ...[
        'request',
        '--names',
        'mail.example.test,*.example.test,192.0.2.1,2001:db8::1',
        '--organization',
        'Ex, Ample',
      ],
      ...['--country', 'DE', '--key-type', type, '--out', out],
    ]);
    assert.equal(code, 0, text);
    const seen = openssl(['req', '-in', `${out}.csr`, '-verify', '-noout', '-text']);
    assert.match(seen, /Subject: C = DE, O = "Ex, Ample", CN = mail\.example\.test/);
    assert.match(
      seen,
      /DNS:mail\.example\.test, DNS:\*\.example\.test, IP Address:192\.0\.2\.1, IP Address:2001:DB8:0:0:0:0:0:1/,
    );
    assert.match(seen, /TLS Web Server Authentication/);
    assert.equal(statSync(`${out}.key`).mode & 0o777, 0o600);
    const keys = [
      openssl(['pkey', '-in', `${out}.key`, '-pubout']),
      openssl(['req', '-in', `${out}.csr`, '-noout', '-pubkey']),
    ];
    assert.equal(keys[0], keys[1]);
  }
});

test('a request can be made for a key that is there, and no file is ever overwritten', async () => {
  const out = join(folder, 'renewed');
  assert.equal((await cert(['request', '--names', 'a.example', '--key', card.keyFile, '--out', out])).code, 0);
  const again = await cert(['request', '--names', 'a.example', '--key', card.keyFile, '--out', out]);
  assert.equal(again.code, 1);
  assert.match(again.text, /renewed\.csr is there already/);
  mkdirSync(join(folder, 'half'));
  writeFileSync(join(folder, 'half', 'x.csr'), 'precious');
  const half = await cert(['request', '--names', 'a.example', '--out', join(folder, 'half', 'x')]);
  assert.equal(half.code, 1);
  assert.equal(readFileSync(join(folder, 'half', 'x.csr'), 'utf8'), 'precious');
  assert.throws(() => statSync(join(folder, 'half', 'x.key')), 'a key was left behind');
});

test('cert self-signed makes a certificate that a listener can use', async () => {
  const out = join(folder, 'own');
  const { code, text } = await cert(['self-signed', '--names', 'gw.example.test', '--days', '30', '--out', out]);
  assert.equal(code, 0, text);
  assert.match(openssl(['verify', '-CAfile', `${out}.pem`, `${out}.pem`]), /OK/);
  assert.doesNotThrow(() => openssl(['x509', '-in', `${out}.pem`, '-noout', '-checkend', String(29 * 86_400)]));
  assert.throws(() => openssl(['x509', '-in', `${out}.pem`, '-noout', '-checkend', String(31 * 86_400)]));
  assert.equal((await cert(['match', `${out}.pem`, `${out}.key`])).code, 0);
  assert.deepEqual(checked(text), []);
});

/** The configuration that the command proposes, in the smallest configuration that has a listener. */
function checked(text: string): readonly string[] {
  const proposed = /\n {2}certificates:\n {4}(\S+): (.*)\n/.exec(text);
  const file = writeConfig(join(folder, 'proposed.yaml'), {
    hostname: 'gw.example.test',
    listeners: {
      in: {
        type: 'private',
        address: ['127.0.0.1:2525'],
        certificate: proposed?.[1],
        hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }],
      },
    },
  });
  writeFileSync(
    file,
    `${readFileSync(file, 'utf8').replace(/\}\s*$/, '')}, "certificates": { ${proposed?.[1]}: ${proposed?.[2]} } }`,
  );
  return check(file).lines;
}

test('wrong arguments of request and self-signed are told', async () => {
  const faults: readonly (readonly [string[], RegExp, number])[] = [
    [['request', '--out', 'x'], /--names is needed/, 1],
    [['request', '--names', 'a b', '--out', 'x'], /"a b" is neither a host name nor an address/, 1],
    [['request', '--names', 'a.example'], /--out is needed/, 1],
    [['request', '--names', 'a.example', '--key-type', 'dsa', '--out', 'x'], /--key-type is one of p256/, 1],
    [['request', '--names', 'a.example', '--country', 'Germany', '--out', 'x'], /two capital letters/, 1],
    [['self-signed', '--names', 'a.example', '--days', '0', '--out', 'x'], /--days is a whole number/, 1],
    [['request', '--color', 'x'], /unknown option --color/, 2],
    [['show'], /one file is expected/, 2],
    [['match', 'a'], /2 files are expected/, 2],
    [['frobnicate'], /there is no command cert frobnicate/, 2],
    [[], /usage: sallyport cert show/, 2],
  ];
  for (const [args, words, exit] of faults) {
    const { code, text } = await cert(args);
    assert.match(text, words);
    assert.equal(code, exit, args.join(' '));
  }
});

// --- import

test('cert import takes over PKCS#12 and PEM in any order: own certificate first, intermediates behind it, no root', async () => {
  const chain = put('above.pem', pki.root.own.cert + pki.issuing.own.cert);
  const sources: readonly (readonly [string, string])[] = [
    ['p12', pkcs12('import.p12', card, '-certfile', chain, '-passout', 'pass:geheim')],
    ['pem', put('mixed.pem', pki.root.own.cert + card.key + pki.issuing.own.cert + card.cert)],
  ];
  for (const [name, file] of sources) {
    const out = join(folder, `imported-${name}`);
    const { code, text } = await cert(['import', file, '--out', out], 'geheim\n');
    assert.equal(code, 0, text);
    assert.equal(bare(readFileSync(`${out}.pem`, 'utf8')), bare(card.cert + pki.issuing.own.cert));
    assert.equal(statSync(`${out}.key`).mode & 0o777, 0o600);
    assert.equal(openssl(['pkey', '-in', `${out}.key`, '-pubout']), openssl(['pkey', '-in', card.keyFile, '-pubout']));
    assert.deepEqual(checked(text), []);
  }
});

/** The blocks alone. */
const bare = (pem: string): string => (pem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).join('');

test('keys of every kind that OpenSSL puts into PKCS#12 come out as they were', async () => {
  const kinds: Readonly<Record<string, string[]>> = {
    rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    pss: ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
    ed25519: ['-algorithm', 'ED25519'],
    ed448: ['-algorithm', 'ED448'],
    p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  };
  for (const [name, keyType] of Object.entries(kinds)) {
    const made = pki.issue({ subject: `/CN=${name}.example.test`, serial: '55', keyType });
    const out = join(folder, `kind-${name}`);
    const { code, text } = await cert(
      ['import', pkcs12(`${name}.p12`, made, '-passout', 'pass:x'), '--out', out],
      'x\n',
    );
    assert.equal(code, 0, text);
    assert.equal(
      openssl(['pkey', '-in', `${out}.key`, '-pubout']),
      openssl(['pkey', '-in', made.keyFile, '-pubout']),
      name,
    );
  }
});

test('what NSS (Firefox, Thunderbird) exports, in BER of indefinite length, is imported', async () => {
  const nss = join(folder, 'nss');
  mkdirSync(nss);
  const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
  run('certutil', '-N', '-d', `sql:${nss}`, '--empty-password');
  const from = pkcs12('to-nss.p12', card, '-name', 'card', '-passout', 'pass:geheim');
  run('pk12util', '-i', from, '-d', `sql:${nss}`, '-W', 'geheim');
  const exported = join(folder, 'from-nss.p12');
  run('pk12util', '-o', exported, '-n', 'card', '-d', `sql:${nss}`, '-W', 'gehäim');
  assert.deepEqual([...readFileSync(exported).subarray(0, 2)], [0x30, 0x80]);
  const out = join(folder, 'imported-nss');
  const { code, text } = await cert(['import', exported, '--out', out], 'gehäim\n');
  assert.equal(code, 0, text);
  assert.equal(openssl(['pkey', '-in', `${out}.key`, '-pubout']), openssl(['pkey', '-in', card.keyFile, '-pubout']));
  assert.equal(bare(readFileSync(`${out}.pem`, 'utf8')), bare(card.cert));
});

test('a file without a key, or with a key that belongs to nothing, is not imported', async () => {
  const out = join(folder, 'never');
  assert.match((await cert(['import', card.certFile, '--out', out])).text, /the file holds no private key/);
  assert.match((await cert(['import', card.keyFile, '--out', out])).text, /the file holds no certificate/);
  const strangers = put('strangers.pem', card.cert + pki.card('bob').key);
  const { code, text } = await cert(['import', strangers, '--out', out]);
  assert.equal(code, 1);
  assert.match(text, /the private key belongs to none of the certificates/);
  assert.throws(() => statSync(`${out}.key`));
});
