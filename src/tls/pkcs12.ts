/**
 * What a PKCS#12 file holds: certificates and private keys. Card and certificate programs write these files with
 * everything from RC2 to AES; the platform opens them for itself only, so a library reads them. For the command line:
 * serving threads never see one.
 * RFC 7292; RFC 8018 (PBES2). Pure.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { parseAlgorithm, parseCertificate, readWholeBits } from './certificate.ts';
import { childrenOf, DerError, encodingOf, readDer } from './der.ts';

export type Pkcs12 =
  | {
      readonly ok: true;
      /** DER, in the file's order. */
      readonly certificates: readonly Uint8Array[];
      readonly keys: readonly KeyObject[];
    }
  | { readonly ok: false; readonly why: string };

const MAX_BYTES = 10 * 1024 * 1024;
const RSA_PSS = '1.2.840.113549.1.1.10';

type Bag = forge.pkcs12.Bag & { readonly asn1?: forge.asn1.Asn1 };

/** Never throws. */
export function readPkcs12(file: Uint8Array, password: string): Pkcs12 {
  if (file.length > MAX_BYTES) return { ok: false, why: `it is larger than ${MAX_BYTES} bytes` };
  try {
    const bags = openBags(file, password);
    const { certBag, keyBag, pkcs8ShroudedKeyBag } = forge.pki.oids;
    const certificates = bags.filter(({ type }) => type === certBag).map(certificateOf);
    const keys = bags
      .filter(({ type }) => type === keyBag || type === pkcs8ShroudedKeyBag)
      .map((bag) => keyOf(bag, certificates));
    return { ok: true, certificates, keys };
  } catch (error) {
    return { ok: false, why: wordsOf(error) };
  }
}

/** Whether it begins like one: a sequence whose first element is the version, 3, and the second a sequence. */
export function looksLikePkcs12(file: Uint8Array): boolean {
  const [tag, length = 0] = file;
  if (tag !== 0x30) return false;
  const at = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return file[at] === 0x02 && file[at + 1] === 0x01 && file[at + 2] === 0x03 && file[at + 3] === 0x30;
}

function openBags(file: Uint8Array, password: string): Bag[] {
  const parsed = (): forge.asn1.Asn1 => forge.asn1.fromDer(Buffer.from(file).toString('binary'), true);
  const open = (pfx: forge.asn1.Asn1, secret: string): Bag[] =>
    forge.pkcs12.pkcs12FromAsn1(pfx, true, secret).safeContents.flatMap(({ safeBags }) => safeBags as Bag[]);
  try {
    return open(parsed(), password);
  } catch (error) {
    const octets = Buffer.from(password, 'utf8').toString('binary');
    if (octets === password || isWrongPassword(error)) throw error;
    // RFC 8018 takes the password's octets in UTF-8, the MAC of RFC 7292 its characters in UTF-16: a password beyond
    // ASCII has passed the MAC, and is tried again as octets without it.
    const pfx = parsed();
    (pfx.value as forge.asn1.Asn1[]).splice(2);
    return open(pfx, octets);
  }
}

function certificateOf({ cert, asn1 }: Bag): Uint8Array {
  // Where the library does not know a certificate's key, it leaves the certificate as it came.
  const found = asn1 ?? (cert === undefined ? undefined : forge.pki.certificateToAsn1(cert));
  if (found === undefined) throw new Error('a certificate in it cannot be read');
  return derOf(found);
}

function keyOf({ key, asn1 }: Bag, certificates: readonly Uint8Array[]): KeyObject {
  if (asn1 !== undefined) return createPrivateKey({ key: derOf(asn1), format: 'der', type: 'pkcs8' });
  if (key === undefined) throw new Error('a private key in it cannot be read');
  const rsa = derOf(forge.pki.privateKeyToAsn1(key as forge.pki.rsa.PrivateKey));
  const plain = createPrivateKey({ key: rsa, format: 'der', type: 'pkcs1' });
  const algorithm = pssAlgorithm(plain, certificates);
  if (algorithm === undefined) return plain;
  // The library forgets that a key is for RSA-PSS alone; its certificate says so.
  const pkcs8 = tlv(0x30, Buffer.of(2, 1, 0), algorithm, tlv(0x04, rsa));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

/** AlgorithmIdentifier of the certificate with the same modulus, where it is RSA-PSS. */
function pssAlgorithm(key: KeyObject, certificates: readonly Uint8Array[]): Uint8Array | undefined {
  const wanted = createPublicKey(key).export({ type: 'pkcs1', format: 'der' });
  for (const der of certificates) {
    try {
      const [algorithm, bits] = childrenOf(readDer(parseCertificate(der).spki));
      if (algorithm === undefined || bits === undefined || parseAlgorithm(algorithm).oid !== RSA_PSS) continue;
      if (wanted.equals(readWholeBits(bits))) return encodingOf(algorithm);
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
    }
  }
  return undefined;
}

const derOf = (asn1: forge.asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...octets), content]);
}

const isWrongPassword = (error: unknown): boolean =>
  error instanceof Error && /MAC could not be verified/.test(error.message);

function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isWrongPassword(error)) return 'the password is wrong';
  // BER that is no DER, such as an octet string in parts.
  if (/is not a supported/.test(message)) return `its encoding is not supported: ${message}`;
  if (/decrypt|Cannot read encrypted/i.test(message)) return 'the password is wrong, or the file is damaged';
  return /unsupported|not supported/i.test(message)
    ? `it uses something that is not supported: ${message}`
    : `it is no PKCS#12 file that can be read: ${message}`;
}
