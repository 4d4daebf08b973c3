/**
 * The files that configurations of the tests name: certificates with fixed dates, keys, a password, an LDIF file, and
 * their broken cousins; and the names of the cases beside this file. Effects: writes into the folder it is given or makes.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import { temporaryFolder } from '../support/gateway.ts';

/** The day on which the tests load configurations. */
export const NOW_MS = Date.UTC(2026, 10, 24, 13, 31, 0);

/** Folders with a configuration that has something wrong. */
export const CASES = readdirSync(import.meta.dirname)
  .filter((name) => existsSync(path.join(import.meta.dirname, name, 'config.yaml')))
  .sort();

/** A folder with all of the files, gone when the test file is done. */
export async function materialFolder(): Promise<string> {
  const folder = temporaryFolder();
  await writeMaterial(folder);
  return folder;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const VALID = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2046-01-01T00:00:00Z') };
const PAST = { from: new Date('2020-01-01T00:00:00Z'), to: new Date('2021-06-30T00:00:00Z') };
const FUTURE = { from: new Date('2040-01-01T00:00:00Z'), to: new Date('2046-01-01T00:00:00Z') };

type Keys = webcrypto.CryptoKeyPair;
type Issued = {
  readonly pem: string;
  readonly der: Buffer;
  readonly keys: Keys;
  readonly certificate: x509.X509Certificate;
};
type Request = { readonly name: string; readonly ca: boolean; readonly dates?: typeof VALID; readonly issuer?: Issued };

let lastSerial = 0;

async function issue({ name, ca, dates = VALID, issuer }: Request): Promise<Issued> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as Keys;
  const common = {
    serialNumber: (++lastSerial).toString(16).padStart(2, '0'),
    notBefore: dates.from,
    notAfter: dates.to,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(ca, undefined, true)],
  };
  const certificate = await x509.X509CertificateGenerator.create({
    ...common,
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    publicKey: keys.publicKey,
    signingKey: (issuer ?? { keys }).keys.privateKey,
  });
  return { pem: `${certificate.toString('pem')}\n`, der: Buffer.from(certificate.rawData), keys, certificate };
}

async function keyPem({ privateKey }: Keys): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

/** Writes pki/, secrets/ and directory.ldif below `folder`, as the recipes and the bad configurations name them. */
async function writeMaterial(folder: string): Promise<void> {
  const root = await issue({ name: 'CN=Root, O=Example', ca: true });
  const issuing = await issue({ name: 'CN=Issuing, O=Example', ca: true, issuer: root });
  const gateway = await issue({ name: 'CN=gw.example.test', ca: false, issuer: issuing });
  const expired = await issue({ name: 'CN=old.example.test', ca: false, dates: PAST, issuer: issuing });
  const early = await issue({ name: 'CN=new.example.test', ca: false, dates: FUTURE, issuer: issuing });
  const oldRoot = await issue({ name: 'CN=Old Root, O=Example', ca: true, dates: PAST });
  const selfSigned = await issue({ name: 'CN=nobody', ca: false });
  const gatewayKey = await keyPem(gateway.keys);
  const files: Record<string, string | Buffer> = {
    'pki/gateway.pem': gateway.pem + issuing.pem,
    'pki/gateway.key': gatewayKey,
    'pki/issuer-first.pem': issuing.pem + gateway.pem,
    'pki/other.key': await keyPem(expired.keys),
    'pki/expired.pem': expired.pem,
    'pki/early.pem': early.pem,
    'pki/early.key': await keyPem(early.keys),
    'pki/encrypted.key': gatewayKey.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'),
    'pki/damaged.key': gatewayKey.replace(/^M.*$/m, 'MAAA'),
    'pki/damaged.pem': gateway.pem.replace(/^M.*$/m, 'MAAA'),
    'pki/cut.pem': gateway.pem.slice(0, 200),
    'pki/gateway.crt': gateway.der,
    'pki/empty.pem': '',
    'pki/cac-ca.pem': `The anchors of the tests\n${root.pem}${issuing.pem}`,
    'pki/with-expired-ca.pem': root.pem + oldRoot.pem,
    'pki/no-anchor.pem': issuing.pem,
    'pki/self-signed-user.pem': selfSigned.pem,
    'secrets/ldap': 'gateway-secret\n',
    'secrets/empty': '\n',
    'secrets/latin1': Buffer.from([0xe9, 0x0a]),
    'directory.ldif': 'dn: dc=example,dc=test\nobjectClass: domain\ndc: example\n',
  };
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}
