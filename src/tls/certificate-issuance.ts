/**
 * Making certificates, revocation lists and PKCS#12 files: for the demonstration certificate and the quickstart's
 * demonstration CA. Nothing here decides whom to trust. The libraries are loaded by those who make something only.
 * RFC 5280 §4.2, RFC 7292. Pure but for key generation; time and serial numbers are handed in.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import * as pkijs from 'pkijs';

x509.cryptoProvider.set(webcrypto as Crypto);
// Its type lags behind the platform's crypto by methods that nothing here calls.
pkijs.setEngine(
  'node',
  new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }) as unknown as pkijs.ICryptoEngine,
);

export type KeyPair = webcrypto.CryptoKeyPair;
export type Issued = { readonly certificate: x509.X509Certificate; readonly keys: KeyPair };

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const newKeys = (): Promise<KeyPair> =>
  webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']) as Promise<KeyPair>;

export type Kind =
  | { readonly kind: 'ca'; readonly pathLength?: number }
  | { readonly kind: 'server'; readonly hostname: string; readonly addresses?: readonly string[] }
  | { readonly kind: 'client'; readonly email: string; readonly upn?: string };

export type IssueRequest = {
  readonly commonName: string;
  readonly organization: string;
  readonly serialHex: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Absent: self-signed. */
  readonly issuer?: Issued;
} & Kind;

/** A certificate with a fresh P-256 key. */
export async function issueCertificate(request: IssueRequest): Promise<Issued> {
  const keys = await newKeys();
  const subject = [{ CN: [request.commonName] }, { O: [request.organization] }];
  const issuerKeys = request.issuer?.keys ?? keys;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: request.serialHex,
    subject: x509Name(subject),
    issuer: request.issuer?.certificate.subjectName.toJSON() ?? x509Name(subject),
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    signingAlgorithm: ECDSA,
    extensions: [
      ...extensionsOf(request),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey),
    ],
  });
  return { certificate, keys };
}

/** Least specific first, as X.500 orders a name. */
const x509Name = (parts: readonly Record<string, string[]>[]): x509.JsonName => [...parts].reverse();

function extensionsOf(kind: Kind): x509.Extension[] {
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
  if (kind.kind === 'ca') {
    return [
      new x509.BasicConstraintsExtension(true, kind.pathLength, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
    ];
  }
  const end = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(digitalSignature, true),
  ];
  if (kind.kind === 'server') {
    const names: x509.JsonGeneralNames = [
      { type: 'dns', value: kind.hostname },
      ...(kind.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ];
    return [
      ...end,
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
    ];
  }
  const names: x509.JsonGeneralNames = [
    { type: 'email', value: kind.email },
    ...(kind.upn === undefined ? [] : [{ type: 'upn' as const, value: kind.upn }]),
  ];
  return [
    ...end,
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.emailProtection]),
    new x509.SubjectAlternativeNameExtension(names),
  ];
}

export type CrlRequest = {
  readonly issuer: Issued;
  /** CRL number, 2^24 to 2^31 - 1 (four octets, so that its INTEGER is minimal): seconds since 1970 do. */
  readonly number: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly revoked: readonly { readonly serialHex: string; readonly atMs: number }[];
};

/** PEM as RFC 7468 §8 names it; the library's own label is one that OpenSSL refuses. */
export async function issueCrlPem({
  issuer,
  number,
  thisUpdateMs,
  nextUpdateMs,
  revoked,
}: CrlRequest): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.certificate.subjectName.toJSON(),
    thisUpdate: new Date(thisUpdateMs),
    nextUpdate: new Date(nextUpdateMs),
    signingAlgorithm: ECDSA,
    signingKey: issuer.keys.privateKey,
    entries: revoked.map(({ serialHex, atMs }) => ({
      serialNumber: serialHex,
      revocationDate: new Date(atMs),
      reason: x509.X509CrlReason.keyCompromise,
    })),
    extensions: [
      new x509.Extension(
        '2.5.29.20',
        false,
        Uint8Array.of(2, 4, (number >>> 24) & 0x7f, number >>> 16, number >>> 8, number),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return pem('X509 CRL', list.rawData);
}

export function pem(label: string, der: ArrayBuffer | Uint8Array): string {
  const base64 = Buffer.from(der as ArrayBuffer).toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;
}

export const certificatePem = ({ certificate }: Issued): string => pem('CERTIFICATE', certificate.rawData);
export const keyPem = async ({ keys }: Issued): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));

/** Certificate, key and chain for a mail client's "import" button: AES-256, PBKDF2 and a SHA-256 MAC. */
export async function pkcs12(owner: Issued, chain: readonly Issued[], password: string): Promise<Uint8Array> {
  const secret = new TextEncoder().encode(password).buffer;
  const key = pkijs.PrivateKeyInfo.fromBER(await webcrypto.subtle.exportKey('pkcs8', owner.keys.privateKey));
  const keyBag = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: key });
  await keyBag.makeInternalValues({
    password: secret,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as never,
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: 10_000,
  });
  // The library writes the octet string in parts, as BER may; readers of DER, ours among them, want it whole.
  const part = keyBag.encryptedData.valueBlock.value[0] as typeof keyBag.encryptedData | undefined;
  if (part !== undefined) {
    part.valueBlock.valueHexView = new Uint8Array(keyBag.encryptedData.getValue());
    keyBag.encryptedData = part;
  }
  const certificateBag = (certificate: x509.X509Certificate): pkijs.SafeBag =>
    new pkijs.SafeBag({
      bagId: '1.2.840.113549.1.12.10.1.3',
      bagValue: new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(certificate.rawData) }),
    });
  const safe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        {
          privacyMode: 0,
          value: new pkijs.SafeContents({
            safeBags: [
              new pkijs.SafeBag({ bagId: '1.2.840.113549.1.12.10.1.2', bagValue: keyBag }),
              ...[owner, ...chain].map(({ certificate }) => certificateBag(certificate)),
            ],
          }),
        },
      ],
    },
  });
  await safe.makeInternalValues({ safeContents: [{}] });
  const pfx = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe: safe } });
  await pfx.makeInternalValues({
    password: secret,
    iterations: 10_000,
    pbkdf2HashAlgorithm: { name: 'SHA-256' },
    hmacHashAlgorithm: 'SHA-256',
  });
  return new Uint8Array(pfx.toSchema().toBER());
}
