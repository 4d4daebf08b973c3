/**
 * Which keys and signatures a client's certificate may have, through the running gateway: authority and client with a
 * key of each kind, the handshake done with that key, and the mail relayed or refused with the reason.
 */
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { authority, client, type Issuer, name, oid, pem, seq, tlv, type Wish } from '../pkits/certificate-writer.ts';
import { freePort } from '../support/free-port.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Kind = Required<Pick<Wish, 'keys' | 'algorithm' | 'signWith'>>;

const NULL = tlv(5);
const SHA256 = seq(oid('2.16.840.1.101.3.4.2.1'), NULL);
const PSS_SHA256 = seq(
  oid('1.2.840.113549.1.1.10'),
  seq(tlv(0xa0, SHA256), tlv(0xa1, seq(oid('1.2.840.113549.1.1.8'), SHA256)), tlv(0xa2, tlv(2, Buffer.from([32])))),
);
const plainly = (tbs: Uint8Array, key: KeyObject): Uint8Array => sign(null, tbs, key);
const withHash =
  (hash: string) =>
  (tbs: Uint8Array, key: KeyObject): Uint8Array =>
    sign(hash, tbs, key);
const withPss = (tbs: Uint8Array, key: KeyObject): Uint8Array =>
  sign('sha256', tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });

const rsa = (bits: number, hash = 'sha256', id = '1.2.840.113549.1.1.11'): Kind => ({
  keys: generateKeyPairSync('rsa', { modulusLength: bits }),
  algorithm: seq(oid(id), NULL),
  signWith: withHash(hash),
});
const ec = (namedCurve: string, hash: string, id: string): Kind => ({
  keys: generateKeyPairSync('ec', { namedCurve }),
  algorithm: seq(oid(id)),
  signWith: withHash(hash),
});
/** The type definitions lag behind the platform's kinds of key. */
const plain = (type: string, id: string): Kind => ({
  keys: generateKeyPairSync(type as 'ed25519'),
  algorithm: seq(oid(id)),
  signWith: plainly,
});
const pssKey = (): Kind => ({
  keys: generateKeyPairSync('rsa-pss' as 'rsa', { modulusLength: 2048 }),
  algorithm: PSS_SHA256,
  signWith: withPss,
});

const WEAK_SIGNATURE = '554 5.7.1 client certificate signature too weak or unsupported';
const WEAK_KEY = '554 5.7.1 client certificate key too weak or unsupported';

type Row = {
  readonly authority: Kind;
  readonly client?: Kind;
  readonly versions: readonly ('TLSv1.2' | 'TLSv1.3')[];
  readonly refused?: string;
  /** Signs the client's certificate in place of the authority's own algorithm. */
  readonly signed?: Pick<Kind, 'algorithm' | 'signWith'>;
};

const BOTH = ['TLSv1.2', 'TLSv1.3'] as const;
const MODERN = ['TLSv1.3'] as const;
const strong = rsa(2048);

const ROWS: Readonly<Record<string, Row>> = {
  'RSA 2048 with SHA-256': { authority: strong, versions: BOTH },
  'RSA 3072 with SHA-512': { authority: rsa(3072, 'sha512', '1.2.840.113549.1.1.13'), versions: BOTH },
  'RSA key, signatures by RSA-PSS': {
    authority: { ...strong, algorithm: PSS_SHA256, signWith: withPss },
    versions: BOTH,
  },
  'RSA-PSS key': { authority: pssKey(), versions: BOTH },
  'ECDSA P-256': { authority: ec('P-256', 'sha256', '1.2.840.10045.4.3.2'), versions: BOTH },
  'ECDSA P-384': { authority: ec('P-384', 'sha384', '1.2.840.10045.4.3.3'), versions: BOTH },
  'ECDSA P-521': { authority: ec('P-521', 'sha512', '1.2.840.10045.4.3.4'), versions: BOTH },
  Ed25519: { authority: plain('ed25519', '1.3.101.112'), versions: BOTH },
  Ed448: { authority: plain('ed448', '1.3.101.113'), versions: BOTH },
  'ML-DSA-44': { authority: plain('ml-dsa-44', '2.16.840.1.101.3.4.3.17'), versions: MODERN },
  'ML-DSA-65': { authority: plain('ml-dsa-65', '2.16.840.1.101.3.4.3.18'), versions: MODERN },
  'ML-DSA-87': { authority: plain('ml-dsa-87', '2.16.840.1.101.3.4.3.19'), versions: MODERN },
  'an ECDSA key signed by ML-DSA': {
    authority: plain('ml-dsa-65', '2.16.840.1.101.3.4.3.18'),
    client: ec('P-256', 'sha256', '1.2.840.10045.4.3.2'),
    versions: BOTH,
  },
  'a signature with SHA-1': {
    authority: strong,
    signed: { algorithm: seq(oid('1.2.840.113549.1.1.5'), NULL), signWith: withHash('sha1') },
    versions: BOTH,
    refused: WEAK_SIGNATURE,
  },
  'an ECDSA signature with SHA-1': {
    authority: ec('P-256', 'sha256', '1.2.840.10045.4.3.2'),
    signed: { algorithm: seq(oid('1.2.840.10045.4.1')), signWith: withHash('sha1') },
    versions: BOTH,
    refused: WEAK_SIGNATURE,
  },
  'a signature with MD5': {
    authority: strong,
    signed: { algorithm: seq(oid('1.2.840.113549.1.1.4'), NULL), signWith: withHash('md5') },
    versions: BOTH,
    refused: WEAK_SIGNATURE,
  },
  'an RSA key of 1024 bits': { authority: strong, client: rsa(1024), versions: BOTH, refused: WEAK_KEY },
};

const made = Object.entries(ROWS).map(([title, row], index) => {
  const ca = authority(name('O=Example', `CN=Key kind ${index}`), row.authority);
  const signer = row.signed ?? { algorithm: row.authority.algorithm, signWith: row.authority.signWith };
  // The client has the authority's key where no other is named: another of its kind would show no more.
  const leaf = client(ca, { keys: (row.client ?? row.authority).keys, ...signer });
  return { title, row, ca, leaf };
});

let site: Site;
let port: number;

before(async () => {
  site = await Site.open();
  const folder = site.copy();
  port = await freePort();
  writeFileSync(join(folder, 'kinds.pem'), made.map(({ ca }) => pem(ca.der)).join(''));
  const base = site.base();
  const ldap = base['ldap'] as { servers: object };
  const config = {
    ...base,
    certificateAuthorities: { kinds: { file: 'kinds.pem' } },
    ldap: {
      servers: ldap.servers,
      queries: { owner: { server: 'corp', type: 'certificate', filter: '(uid=alice)' } },
    },
    smtpAuthProfiles: { kinds: { type: 'certificate', query: 'owner', trust: ['kinds'] } },
    crl: {},
  };
  const listener = {
    port,
    profile: 'kinds',
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
  };
  await site.start(withListener(config, 'submission', listener), { folder });
});

const keyPem = ({ keys }: Issuer): string => keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

for (const { title, row, leaf } of made) {
  for (const version of row.versions) {
    test(`${title} over ${version} is ${row.refused === undefined ? 'relayed' : 'refused'}`, async () => {
      const session = await SmtpSession.open({ port });
      await session.startTls({ cert: pem(leaf.der), key: keyPem(leaf), version });
      const reply = await session.command('EHLO client.example.test');
      if (row.refused === undefined) {
        assert.equal(reply.code, 250, session.talk());
        assert.equal((await session.send({ text: `Subject: ${title} ${version}\r\n\r\n\r\n` })).code, 250);
        await site.nextHop.messageWith(`Subject: ${title} ${version}\r\n`);
      } else assert.ok(reply.text.startsWith(row.refused), session.talk());
      await session.quit();
    });
  }
}
