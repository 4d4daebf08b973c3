/**
 * What attackers' octets reach: each reader with everything that is asked of what it read. A reader may refuse with its
 * own error and with nothing else. Certificates and lists of other implementations keep these targets honest.
 * Effects: none; throws what a reader throws.
 */
import { CERTIFICATE_TOKENS, certificateToken } from '../../src/identity/certificate-fields.ts';
import { isSelfIssued, parseCertificate } from '../../src/tls/certificate.ts';
import { findPaths } from '../../src/tls/certificate-path.ts';
import { parseCrl } from '../../src/tls/crl.ts';
import { splitBundle } from '../../src/tls/crl-bundle.ts';
import { findRevoked } from '../../src/tls/crl-index.ts';
import { pointsOf } from '../../src/tls/crl-scope.ts';
import {
  childrenOf,
  contentOf,
  DerError,
  type DerNode,
  readBoolean,
  readDer,
  readIntegerBytes,
  readOid,
  readTimeMs,
  Tag,
} from '../../src/tls/der.ts';
import { parseName } from '../../src/tls/distinguished-name.ts';
import { checkNameConstraints } from '../../src/tls/name-constraints.ts';
import { decodePem } from '../../src/tls/pem.ts';
import { publicKeyFacts, verifySelfSignature } from '../../src/tls/signature.ts';
import { buildTrustStore } from '../../src/tls/trust-store.ts';
import { CERTIFICATE_LABEL } from '../../src/tls/trust-store.ts';
import { readAccess, readIssuers, readOcspResponse } from './status-targets.ts';

export type Target = {
  /** Everything that came out, for comparison. Throws DerError where the octets are refused. */
  readonly read: (bytes: Uint8Array) => unknown;
};

const NOW_MS = Date.UTC(2026, 10, 25);
/** The caller's recursion, not the reader's: deeper elements are left unread. */
const WALK_DEPTH = 100;

/** Every element, and each primitive one as every type it could be taken for. */
function walk(node: DerNode, depth = 0): unknown {
  if ((node.tag & 0x20) !== 0) {
    return depth < WALK_DEPTH ? [node.tag, childrenOf(node).map((child) => walk(child, depth + 1))] : 'deep';
  }
  return [node.tag, contentOf(node), ...READ_AS.map((read) => orRefusal(() => read(node)))];
}

const READ_AS: readonly ((node: DerNode) => unknown)[] = [
  (node) => readIntegerBytes({ ...node, tag: Tag.integer }),
  (node) => readOid({ ...node, tag: Tag.oid }),
  (node) => readBoolean({ ...node, tag: Tag.boolean }),
  (node) => readTimeMs({ ...node, tag: Tag.utcTime }),
  (node) => readTimeMs({ ...node, tag: Tag.generalizedTime }),
];

function orRefusal(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return `refused: ${error.message}`;
    throw error;
  }
}

/** As a session treats what a client presents: tokens, key, signature, names, every path. None of it may throw. */
function readCertificate(bytes: Uint8Array): unknown {
  const certificate = parseCertificate(bytes);
  const der = Buffer.from(bytes).toString('base64');
  const trustStore = buildTrustStore([`-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`]);
  const search = findPaths({ leaf: certificate, trustStore, presented: () => [bytes], nowMs: NOW_MS });
  return {
    certificate,
    tokens: CERTIFICATE_TOKENS.map((token) => certificateToken(certificate, token)),
    key: publicKeyFacts(certificate.spki),
    signature: verifySelfSignature(certificate),
    selfIssued: isSelfIssued(certificate),
    names: certificate.nameConstraints && checkNameConstraints(certificate, [certificate.nameConstraints]),
    points: pointsOf(certificate),
    anchors: trustStore.anchors.length,
    paths: [...search].length,
    failure: search.failure(),
  };
}

function readList(bytes: Uint8Array): unknown {
  const list = parseCrl(bytes);
  const { table } = list.facts;
  return { list, found: [Uint8Array.of(1), Uint8Array.of(0x10, 0x02)].map((serial) => findRevoked(table, serial)) };
}

export const TARGETS: Readonly<Record<string, Target>> = {
  der: { read: (bytes) => walk(readDer(bytes)) },
  name: { read: (bytes) => parseName(readDer(bytes)) },
  certificate: { read: readCertificate },
  crl: { read: readList },
  ocsp: { read: readOcspResponse },
  issuers: { read: readIssuers },
  access: { read: readAccess },
  pem: {
    read: (bytes) => [
      decodePem(bytes, CERTIFICATE_LABEL),
      splitBundle(bytes, 'pem'),
      splitBundle(bytes, 'asn1'),
      buildTrustStore([Buffer.from(bytes).toString('latin1')]),
    ],
  },
};

export const isRefusal = (error: unknown): error is DerError => error instanceof DerError;
