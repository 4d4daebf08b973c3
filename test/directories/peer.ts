/**
 * What the directories have in common here: the cards, the entries whose values are those of the cards' tokens, entries
 * beside them that come near, and how a profile of the gateway asks.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Config, LdapServerConfig, MappingRule, Material, StaticMapConfig } from '../../src/config/schema.ts';
import type { Answer } from '../../src/core/verdict.ts';
import { type CertificateOwner, certificateOwner } from '../../src/identity/certificate-owner.ts';
import { openQueries } from '../../src/ldap/queries.io.ts';
import { parseCertificate } from '../../src/tls/certificate.ts';
import { serverConfig } from '../contract/directory-server.ts';
import type { Issuer } from '../pkits/certificate-writer.ts';
import { atEnd } from '../support/at-end.ts';
import { card, cardAuthority, NEGATIVE, NEGATIVE_VALUES, VALUES } from '../support/piv.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 1, 30);

export type Peer = {
  readonly server: Partial<LdapServerConfig>;
  readonly password: string;
  readonly userIdAttribute: string;
  /** A multi-valued attribute for text. */
  readonly attribute: string;
};

export type Asking = {
  readonly filter?: string;
  readonly condition?: string;
  readonly mapping?: readonly MappingRule[];
  readonly compareCertificate?: boolean;
  readonly nowMs?: number;
  readonly staticMap?: StaticMapConfig;
};

/** As a session asks whose card it is. */
export function ask(peer: Peer, { der }: Pick<Issuer, 'der'>, asking: Asking): Promise<Answer<CertificateOwner>> {
  const { filter, condition, mapping = ['filter'], compareCertificate = false, nowMs = NOW_MS } = asking;
  const query = { server: 'corp', type: 'certificate', filter, condition, userIdAttribute: peer.userIdAttribute };
  const config = {
    ldap: { servers: { corp: serverConfig(peer.server) }, queries: { card: query } },
  } as unknown as Config;
  const material: Material = { certificates: {}, authorities: {}, bindPasswords: { corp: peer.password }, ldif: {} };
  const parts = { clock: { now: () => nowMs }, log: { emit: () => undefined }, receiveThreads: 1 };
  const queries = openQueries(config, material, parts);
  atEnd(() => queries.close());
  const owner = certificateOwner({
    profile: 'cac',
    config: { query: 'card', staticMap: undefined },
    ask: queries.certificate('card', { rules: mapping, compareCertificate }),
  });
  return owner(parseCertificate(der), nowMs);
}

export type Cards = {
  readonly authority: Issuer;
  readonly alice: Issuer;
  /** The same with a negative serial number. */
  readonly negative: Issuer;
  /** By token: what the certificate of alice has, seen by openssl where openssl sees it. */
  readonly values: Readonly<Record<string, string>>;
};

export function makeCards(sid?: string): Cards {
  const authority = cardAuthority();
  const alice = card({ issuer: authority, ...(sid === undefined ? {} : { sid }) });
  const negative = card({ issuer: authority, serial: NEGATIVE });
  return { authority, alice, negative, values: { ...VALUES, ...valuesByOpenssl(alice.der) } };
}

function valuesByOpenssl(der: Uint8Array): Record<string, string> {
  const x509 = (...args: string[]): Buffer =>
    execFileSync('openssl', ['x509', '-inform', 'der', '-noout', ...args], { input: der });
  const afterEquals = (output: Buffer): string => output.toString().trim().replace(/^.*=/, '');
  const publicKey = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: x509('-pubkey') });
  const thumbprint = afterEquals(x509('-fingerprint', '-sha1')).replaceAll(':', '');
  return {
    sn: afterEquals(x509('-serial')),
    sha256: afterEquals(x509('-fingerprint', '-sha256')).replaceAll(':', '').toLowerCase(),
    spki: createHash('sha256').update(publicKey).digest('hex'),
    'altsec:sha1PublicKey': `X509:<SHA1-PUKEY>${thumbprint}`,
    altsec: `X509:<SHA1-PUKEY>${thumbprint}`,
  };
}

const line = (attribute: string, value: string | Uint8Array): string =>
  `${attribute}:: ${Buffer.from(value as string).toString('base64')}`;

export type EntryText = { readonly dn: string; readonly lines: readonly string[] };

export const ldifOf = (entries: readonly EntryText[]): string =>
  entries.map(({ dn, lines }) => `dn: ${dn}\n${lines.join('\n')}\n`).join('\n');

/** `sn ABCDEF`: by its token, so that no value can stand for another. */
export const valueLines = (attribute: string, values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([token, value]) => line(attribute, `${token} ${value}`));

/** Each value with its last character changed. */
export const nearValues = (values: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(values).map(([token, value]) => [token, value.slice(0, -1) + (value.endsWith('7') ? '8' : '7')]),
  );

export const certificateLine = (attribute: string, { der }: Pick<Issuer, 'der'>): string => line(attribute, der);
export const textLine = line;
export { NEGATIVE_VALUES };
