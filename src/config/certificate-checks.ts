/**
 * Whether the PEM files of a configuration are what they should be: the gateway's certificate with its key, and the
 * certificates of authorities. Says what is wrong in words and never shows key material.
 * RFC 5280 §3.2, §4.2.1.9. Pure: the time is handed in.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type Fault, fault, warning } from '../core/fault.ts';
import { isCertificateLabel, type PemBlock, pemBlocks } from './pem.ts';

type Path = readonly (string | number)[];

export type GatewayCertificate = {
  readonly faults: readonly Fault[];
  readonly certificate?: { readonly certPem: string; readonly keyPem: string };
};

/** PEM text, and the key that holds it or names its file. */
type Text = { readonly path: Path; readonly text: string };

/** `certPem` comes back as its certificates alone, `keyPem` as the one key. */
export function checkGatewayCertificate(
  { path: certPath, text: certText }: Text,
  { path: keyPath, text: keyText }: Text,
  nowMs: number,
): GatewayCertificate {
  const certKey = String(certPath.at(-1));
  const read = readCertificates(certPath, certText);
  const key = readKey(keyPath, keyText);
  const faults = [...read.faults, ...key.faults];
  const [leaf, ...others] = read.certificates;
  if (leaf === undefined || key.key === undefined || faults.length > 0) return { faults };
  const { key: privateKey } = key;
  if (!leaf.checkPrivateKey(privateKey)) {
    const place = others.findIndex((certificate) => certificate.checkPrivateKey(privateKey));
    const hint =
      place < 0 ? '' : ` (it belongs to certificate ${place + 2} of ${certKey}: the gateway’s own must come first)`;
    return { faults: [fault(keyPath, `the key does not match the certificate in ${certKey}${hint}`)] };
  }
  const certPem = read.blocks.map(({ pem }) => pem).join('');
  return { faults: validityWarnings(certPath, [leaf], nowMs), certificate: { certPem, keyPem: key.pem } };
}

/** Expired ones, ones that are no CA, and a file of intermediates alone, which has no anchor, are warnings. */
export function checkAuthority(path: Path, text: string, nowMs: number): readonly Fault[] {
  const { certificates, faults } = readCertificates(path, text);
  if (faults.length > 0 || certificates.length === 0) return faults;
  const found = validityWarnings(path, certificates, nowMs);
  for (const [i, certificate] of certificates.entries()) {
    if (!certificate.ca)
      found.push(warning(path, `certificate ${i + 1} (${subjectOf(certificate)}) is not a CA certificate`));
  }
  if (!certificates.some(isSelfSigned))
    found.push(warning(path, 'has no anchor: without a self-signed certificate nobody is trusted by this file alone'));
  return found;
}

type Certificates = {
  readonly faults: readonly Fault[];
  readonly certificates: readonly X509Certificate[];
  readonly blocks: readonly PemBlock[];
};

function readCertificates(path: Path, text: string): Certificates {
  const { blocks: all, cut } = pemBlocks(text);
  const blocks = all.filter(({ label }) => isCertificateLabel(label));
  const nothing = { certificates: [], blocks: [] };
  if (cut) return { ...nothing, faults: [fault(path, 'is cut off: a PEM block has no end')] };
  if (blocks.length === 0)
    return { ...nothing, faults: [fault(path, `has no PEM certificate${insteadOf(text, all)}`)] };
  const certificates: X509Certificate[] = [];
  const faults: Fault[] = [];
  for (const [i, { pem }] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(pem));
    } catch {
      faults.push(fault(path, `certificate ${i + 1} of ${blocks.length} cannot be read: it is damaged`));
    }
  }
  return { faults, certificates, blocks };
}

function insteadOf(text: string, blocks: readonly PemBlock[]): string {
  if (text.trim() === '') return ': the file is empty';
  if (text.startsWith('0') && blocks.length === 0) return ': it looks like DER; PEM is needed';
  const [first] = blocks;
  return first === undefined ? '' : `: it holds "${first.label.slice(0, 40)}"`;
}

type Key =
  | { readonly faults: readonly Fault[]; readonly key?: undefined }
  | { readonly faults: readonly Fault[]; readonly key: KeyObject; readonly pem: string };

function readKey(path: Path, text: string): Key {
  const { blocks, cut } = pemBlocks(text);
  const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    return {
      faults: [
        fault(path, cut ? 'is cut off: a PEM block has no end' : `has no PEM private key${insteadOf(text, blocks)}`),
      ],
    };
  }
  if (block.label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(block.pem)) {
    return { faults: [fault(path, 'the private key is encrypted; only a key without a passphrase is allowed')] };
  }
  try {
    return { faults: [], key: createPrivateKey(block.pem), pem: block.pem };
  } catch {
    return { faults: [fault(path, 'the private key cannot be read: it is damaged or of an unknown kind')] };
  }
}

function validityWarnings(path: Path, certificates: readonly X509Certificate[], nowMs: number): Fault[] {
  return certificates.flatMap((certificate) => {
    const name = subjectOf(certificate);
    if (certificate.validToDate.getTime() < nowMs) {
      return [warning(path, `the certificate of ${name} expired on ${dayOf(certificate.validToDate)}`)];
    }
    if (certificate.validFromDate.getTime() > nowMs) {
      return [warning(path, `the certificate of ${name} is not valid before ${dayOf(certificate.validFromDate)}`)];
    }
    return [];
  });
}

const dayOf = (date: { toISOString(): string }): string => date.toISOString().slice(0, 10);

const subjectOf = (certificate: X509Certificate): string =>
  (certificate.subject ?? 'an empty subject').split('\n').join(', ').slice(0, 200);

function isSelfSigned(certificate: X509Certificate): boolean {
  if (certificate.subject !== certificate.issuer || !certificate.checkIssued(certificate)) return false;
  try {
    return certificate.verify(certificate.publicKey);
  } catch {
    return false; // a signature algorithm that cannot be verified makes no anchor
  }
}
