/**
 * How a certificate profile finds a certificate's owner beyond the query's filter: mapping rules for directories that
 * keep altSecurityIdentities or certificates, and a static map for a few services. No AsyncOS term: there is only the
 * certificate query. Pure.
 */
import { z } from 'zod';
import { didYouMean, listed } from './suggestion.ts';

export type MappingRule = 'issuerAndSerial' | 'ski' | 'sha1PublicKey' | 'sid' | 'userCertificate' | 'filter';

const RULES: readonly string[] = ['issuerAndSerial', 'ski', 'sha1PublicKey', 'sid', 'userCertificate', 'filter'];

/** Active Directory refuses them too since KB5014754: another certificate may carry the same name. */
const WEAK: Readonly<Record<string, string>> = {
  issuerAndSubject: 'X509:<I>...<S>',
  subject: 'X509:<S>',
  rfc822: 'X509:<RFC822>',
};

const rule = z
  .string()
  .superRefine((word, context) => {
    if (RULES.includes(word)) return;
    const form = Object.hasOwn(WEAK, word) ? WEAK[word] : undefined;
    const hint = didYouMean(word, RULES);
    const message =
      form === undefined
        ? `${JSON.stringify(word.slice(0, 60))} is no mapping rule${hint}${hint === '' ? ';' : ''} allowed: ${listed(RULES)}`
        : `${word} (${form}) is a weak mapping, which names and not certificates decide; use issuerAndSerial, ski or sha1PublicKey`;
    context.addIssue({ code: 'custom', message });
  })
  .transform((word) => word as MappingRule)
  .meta({ value: RULES.map((word) => `\`${word}\``).join(', ') });

export const mapping = z
  .array(rule)
  .min(1)
  .max(RULES.length)
  .refine((rules) => new Set(rules).size === rules.length, 'names a rule twice')
  .prefault(['filter'])
  .meta({
    description:
      'Rules that are asked of the query’s directory; together they must find exactly one entry. issuerAndSerial, ski, sha1PublicKey: the strong forms of altSecurityIdentities; sid: objectSid; userCertificate: the certificate itself; filter: the query’s filter.',
    otherwise: '`filter`',
  });

const HEX = 'a SHA-256 hash is 64 hexadecimal digits, with or without colons';
const PIN = `${HEX}, or sha256// and 44 characters of base64`;
const PIN_BASE64 = /^sha256\/\/([A-Za-z0-9+/]{43}=)$/;
const DIGITS = /^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31})$/;

const digitsOf = (text: string): string => text.replaceAll(':', '').toLowerCase();

const staticMapEntry = z.strictObject({
  uri: z
    .string()
    .max(2048)
    .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, 'a URI has a scheme, such as spiffe://example.com/scanner')
    .optional()
    .meta({
      description: 'A URI of the certificate’s subjectAltName, such as a SPIFFE ID; compared exactly.',
      value: 'URI',
    }),
  sha256: z.string().regex(DIGITS, HEX).transform(digitsOf).optional().meta({
    description: 'Fingerprint: SHA-256 of the certificate.',
    value: '64 hexadecimal digits, colons allowed',
  }),
  spki: z
    .string()
    .refine((text) => DIGITS.test(text) || PIN_BASE64.test(text), PIN)
    .transform((text) => {
      const base64 = PIN_BASE64.exec(text)?.[1];
      return base64 === undefined ? digitsOf(text) : Buffer.from(base64, 'base64').toString('hex');
    })
    .optional()
    .meta({
      description: 'Pin: SHA-256 of the certificate’s SubjectPublicKeyInfo; it outlives a renewal with the same key.',
      value: '64 hexadecimal digits, or sha256//BASE64',
    }),
  user: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'a user id has no control characters')
    .refine((text) => text === '' || text.trim() !== '', 'a user id is not blank')
    .meta({ description: 'User id of a certificate that has it.' }),
});

export const staticMap = z.array(staticMapEntry).min(1).max(1000).optional().meta({
  description:
    'Users of a few certificates, without a directory: each entry has exactly one of uri, sha256 and spki. Looked at first; path and revocation are checked as for all others.',
});
