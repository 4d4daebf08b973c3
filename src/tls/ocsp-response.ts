/**
 * An OCSP response as facts, read strictly from DER and bounded. Nothing here verifies its signature or says what it
 * means for a certificate (`ocsp.ts`).
 * RFC 6960 §4.2. Pure; throws DerError only.
 */
import {
  type AlgorithmIdentifier,
  type Extension,
  parseAlgorithm,
  parseExtensions,
  readWholeBits,
} from './certificate.ts';
import {
  childrenOf,
  contentOf,
  DerError,
  type DerNode,
  encodingOf,
  expectTag,
  readDer,
  readIntegerBytes,
  readOid,
  readTimeMs,
  Tag,
} from './der.ts';
import { type Name, parseName } from './distinguished-name.ts';
import { type CertId, type CertIdHash, OcspId } from './ocsp-request.ts';

/** A single answer is 2 to 5 KB with the responder's certificate. */
export const MAX_OCSP_RESPONSE_BYTES = 64 * 1024;
const MAX_SINGLE_RESPONSES = 256;
const MAX_CERTIFICATES = 16;
const MAX_SERIAL_OCTETS = 64;

/** OCSPResponseStatus other than successful. */
export type OcspError = 'malformedRequest' | 'internalError' | 'tryLater' | 'sigRequired' | 'unauthorized';

export type ResponderId =
  | { readonly kind: 'byName'; readonly name: Name }
  /** SHA-1 of the public key. */
  | { readonly kind: 'byKey'; readonly keyHash: Uint8Array };

export type SingleResponse = {
  /** Undefined: named with a hash that is not supported here. */
  readonly certId: CertId | undefined;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly revokedAtMs?: number;
  /** CRLReason as a number. */
  readonly reason?: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly extensions: ReadonlyMap<string, Extension>;
};

export type BasicResponse = {
  /** ResponseData as it was signed. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  readonly responderId: ResponderId;
  readonly producedAtMs: number;
  readonly responses: readonly SingleResponse[];
  readonly extensions: ReadonlyMap<string, Extension>;
  /** DER. */
  readonly certificates: readonly Uint8Array[];
};

const ERRORS: Readonly<Record<number, OcspError>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

const HASHES: ReadonlyMap<string, CertIdHash> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

/** The responder's error, or its answer. */
export function parseOcspResponse(der: Uint8Array): OcspError | BasicResponse {
  if (der.length > MAX_OCSP_RESPONSE_BYTES) throw new DerError('OCSP response too long');
  const [statusNode, wrapper, rest] = childrenOf(expectTag(readDer(der), Tag.sequence, 'OCSP response'), 3);
  if (rest !== undefined) throw new DerError('OCSP response: unexpected element');
  const status = readEnumerated(expectTag(statusNode, Tag.enumerated, 'OCSP response status'));
  if (status !== 0) {
    const error = ERRORS[status];
    if (error === undefined) throw new DerError(`OCSP response status ${status} unknown`);
    return error;
  }
  const bytes = onlyChild(expectTag(wrapper, Tag.context(0, true), 'response bytes'));
  const [type, octets, more] = childrenOf(expectTag(bytes, Tag.sequence, 'response bytes'), 3);
  if (readOid(expectTag(type, Tag.oid, 'response type')) !== OcspId.basicResponse)
    throw new DerError('OCSP response type is not basic');
  if (more !== undefined) throw new DerError('response bytes: unexpected element');
  return parseBasicResponse(readDer(contentOf(expectTag(octets, Tag.octetString, 'response'))));
}

function parseBasicResponse(node: DerNode): BasicResponse {
  const [data, algorithm, signature, certificates, rest] = childrenOf(
    expectTag(node, Tag.sequence, 'basic response'),
    5,
  );
  if (rest !== undefined) throw new DerError('basic response: unexpected element');
  const tbs = expectTag(data, Tag.sequence, 'response data');
  return {
    tbs: encodingOf(tbs),
    signatureAlgorithm: parseAlgorithm(expectTag(algorithm, Tag.sequence, 'signature algorithm')),
    signature: readWholeBits(expectTag(signature, Tag.bitString, 'signature')),
    certificates: certificates === undefined ? [] : parseCertificates(certificates),
    ...parseResponseData(tbs),
  };
}

function parseCertificates(wrapper: DerNode): Uint8Array[] {
  const list = onlyChild(expectTag(wrapper, Tag.context(0, true), 'certificates'));
  return childrenOf(expectTag(list, Tag.sequence, 'certificates'), MAX_CERTIFICATES).map(encodingOf);
}

type ResponseData = Pick<BasicResponse, 'responderId' | 'producedAtMs' | 'responses' | 'extensions'>;

/** Deviates: X.690 §11.5 forbids to encode the default, version 1; responders do it and it says the same. */
function parseResponseData(tbs: DerNode): ResponseData {
  const fields = childrenOf(tbs, 6);
  if (fields[0]?.tag === Tag.context(0, true)) requireVersion1(onlyChild(fields.shift() as DerNode));
  const [responder, producedAt, list, extensions, rest] = fields;
  if (responder === undefined || rest !== undefined) throw new DerError('response data: unexpected element');
  const responses = childrenOf(expectTag(list, Tag.sequence, 'responses'), MAX_SINGLE_RESPONSES).map(parseSingle);
  if (responses.length === 0) throw new DerError('responses: empty');
  return {
    responderId: parseResponderId(responder),
    producedAtMs: readGeneralizedTime(producedAt, 'producedAt'),
    responses,
    extensions: parseOptionalExtensions(extensions),
  };
}

function requireVersion1(node: DerNode): void {
  const version = readIntegerBytes(expectTag(node, Tag.integer, 'version'));
  if (version.length !== 1 || version[0] !== 0) throw new DerError('OCSP version unknown');
}

function parseResponderId(node: DerNode): ResponderId {
  if (node.tag === Tag.context(1, true)) return { kind: 'byName', name: parseName(onlyChild(node)) };
  if (node.tag !== Tag.context(2, true)) throw new DerError('responder id: unknown form');
  const keyHash = contentOf(expectTag(onlyChild(node), Tag.octetString, 'responder key hash'));
  if (keyHash.length !== 20) throw new DerError('responder key hash: not SHA-1');
  return { kind: 'byKey', keyHash };
}

function parseSingle(node: DerNode): SingleResponse {
  const [certId, status, thisUpdate, ...optional] = childrenOf(expectTag(node, Tag.sequence, 'single response'), 5);
  const nextUpdate = optional[0]?.tag === Tag.context(0, true) ? optional.shift() : undefined;
  const [extensions, rest] = optional;
  if (status === undefined || rest !== undefined) throw new DerError('single response malformed');
  const thisUpdateMs = readGeneralizedTime(thisUpdate, 'thisUpdate');
  return {
    certId: parseCertId(expectTag(certId, Tag.sequence, 'CertID')),
    ...parseStatus(status),
    thisUpdateMs,
    ...(nextUpdate === undefined ? {} : { nextUpdateMs: readGeneralizedTime(onlyChild(nextUpdate), 'nextUpdate') }),
    extensions: parseOptionalExtensions(extensions),
  };
}

function parseCertId(node: DerNode): CertId | undefined {
  const [algorithm, nameHash, keyHash, serialNode, rest] = childrenOf(node, 5);
  if (rest !== undefined) throw new DerError('CertID: unexpected element');
  const hash = HASHES.get(parseAlgorithm(expectTag(algorithm, Tag.sequence, 'hash algorithm')).oid);
  const issuerNameHash = contentOf(expectTag(nameHash, Tag.octetString, 'issuer name hash'));
  const issuerKeyHash = contentOf(expectTag(keyHash, Tag.octetString, 'issuer key hash'));
  const serial = readIntegerBytes(expectTag(serialNode, Tag.integer, 'serial number'));
  if (serial.length > MAX_SERIAL_OCTETS) throw new DerError('serial number too long');
  return hash === undefined ? undefined : { hash, issuerNameHash, issuerKeyHash, serial };
}

function parseStatus(node: DerNode): Pick<SingleResponse, 'status' | 'revokedAtMs' | 'reason'> {
  if (node.tag === Tag.context(0) || node.tag === Tag.context(2)) {
    if (contentOf(node).length !== 0) throw new DerError('certificate status malformed');
    return { status: node.tag === Tag.context(0) ? 'good' : 'unknown' };
  }
  if (node.tag !== Tag.context(1, true)) throw new DerError('certificate status unknown');
  const [time, reasonNode, rest] = childrenOf(node, 3);
  if (rest !== undefined) throw new DerError('revoked info malformed');
  const revokedAtMs = readGeneralizedTime(time, 'revocation time');
  if (reasonNode === undefined) return { status: 'revoked', revokedAtMs };
  const reason = onlyChild(expectTag(reasonNode, Tag.context(0, true), 'revocation reason'));
  return { status: 'revoked', revokedAtMs, reason: readEnumerated(expectTag(reason, Tag.enumerated, 'reason')) };
}

function parseOptionalExtensions(wrapper: DerNode | undefined): ReadonlyMap<string, Extension> {
  return wrapper === undefined
    ? new Map()
    : parseExtensions(expectTag(wrapper, Tag.context(1, true), 'response extensions'));
}

const readGeneralizedTime = (node: DerNode | undefined, what: string): number =>
  readTimeMs(expectTag(node, Tag.generalizedTime, what));

function readEnumerated(node: DerNode): number {
  const content = contentOf(node);
  if (content.length !== 1 || (content[0] as number) > 0x7f) throw new DerError('enumerated out of range');
  return content[0] as number;
}

function onlyChild(wrapper: DerNode): DerNode {
  const [child, rest] = childrenOf(wrapper, 2);
  if (child === undefined || rest !== undefined) throw new DerError('exactly one element expected');
  return child;
}
