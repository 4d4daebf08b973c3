/**
 * What a PKCS#12 file holds: certificates and private keys. Card and certificate programs write these files with
 * everything from RC2 to AES; the platform opens them for itself only, so a library reads them. For the command line:
 * serving threads never see one.
 * RFC 7292; RFC 8018 (PBES2). Pure.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { whyOf } from '../core/errors.ts';
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

/** Its own type leaves out what the library keeps beside `constructed`. */
type Asn1 = forge.asn1.Asn1 & { composed?: boolean };
type Bag = forge.pkcs12.Bag & { readonly asn1?: Asn1 };

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
  const pfx = (): Asn1 => read(Buffer.from(file).toString('binary'));
  const open = (from: Asn1, secret: string): Bag[] =>
    forge.pkcs12.pkcs12FromAsn1(from, true, secret).safeContents.flatMap(({ safeBags }) => safeBags as Bag[]);
  try {
    return open(pfx(), password);
  } catch (error) {
    if (isAboutMac(error)) throw error;
    // The password has passed the MAC. RFC 8018 takes its octets in UTF-8, the MAC of RFC 7292 its characters in UTF-16:
    // one beyond ASCII is tried again as octets. The MAC is left out, for the octets it was made of change.
    const again = pfx();
    partsOf(again).splice(2);
    partsOf(again).forEach(rejoin);
    try {
      return open(again, Buffer.from(password, 'utf8').toString('binary'));
    } catch {
      throw error;
    }
  }
}

const read = (octets: string): Asn1 => forge.asn1.fromDer(octets, true);
const partsOf = ({ value }: Asn1): Asn1[] => (typeof value === 'string' ? [] : (value as Asn1[]));
const isOctetString = ({ tagClass, type }: Asn1): boolean =>
  tagClass === forge.asn1.Class.UNIVERSAL && type === forge.asn1.Type.OCTETSTRING;

/** X.690 §8.7.3: in BER an octet string may come in parts. The library joins those of content, and not those of keys. */
function joinParts(node: Asn1): void {
  partsOf(node).forEach(joinParts);
  if (!node.constructed || !isOctetString(node)) return;
  node.value = partsOf(node)
    .map(({ value }) => value as string)
    .join('');
  node.constructed = node.composed = false;
}

/** A ContentInfo of type data: what its octets hold is read and written again without parts, and what that holds too. */
function rejoin(info: Asn1): void {
  const [, wrapper] = partsOf(info);
  const [octets] = wrapper === undefined ? [] : partsOf(wrapper);
  if (octets === undefined || !isOctetString(octets)) return;
  joinParts(octets);
  const inner = read(octets.value as string);
  joinParts(inner);
  partsOf(inner).forEach(rejoin);
  octets.value = forge.asn1.toDer(inner).getBytes();
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

const derOf = (asn1: Asn1): Buffer => Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'binary');

function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...octets), content]);
}

const isAboutMac = (error: unknown): boolean => error instanceof Error && /MAC/i.test(error.message);
const isWrongPassword = (error: unknown): boolean => isAboutMac(error) && /could not be verified/.test(String(error));

function wordsOf(error: unknown): string {
  const message = whyOf(error);
  if (isWrongPassword(error)) return 'the password is wrong';
  // BER that is no DER, within what is encrypted.
  if (/is not a supported/.test(message)) return `its encoding is not supported: ${message}`;
  if (/decrypt|Cannot read encrypted/i.test(message)) return 'the password is wrong, or the file is damaged';
  return /unsupported|not supported/i.test(message)
    ? `it uses something that is not supported: ${message}`
    : `it is no PKCS#12 file that can be read: ${message}`;
}
