/**
 * Whether the certificates of a file are the chain that a server or client presents: its own first, each followed by
 * its issuer (RFC 8446 §4.4.2). Says in words what is missing, out of order, doubled or foreign.
 * Pure.
 */
import { isoDay } from '../core/time-text.ts';
import { type Certificate, isSelfIssued, sameBytes } from './certificate.ts';
import { renderName } from './distinguished-name.ts';
import { verifySelfSignature, verifySignature } from './signature.ts';
import type { TrustStore } from './trust-store.ts';

export type ChainFinding = { readonly severity: 'fault' | 'note'; readonly words: string };

export type ChainDiagnosis = {
  /** The chain as it should be, as far as the file has it: places in the file, counted from 1. */
  readonly order: readonly number[];
  readonly findings: readonly ChainFinding[];
};

const ISSUERS_METHOD = '1.3.6.1.5.5.7.48.2';

/** `anchors`: the authorities that the chain must lead to; without them it must only be without a gap. */
export function diagnoseChain(
  certificates: readonly Certificate[],
  nowMs: number,
  anchors?: TrustStore,
): ChainDiagnosis {
  const findings: ChainFinding[] = [];
  const fault = (words: string): void => void findings.push({ severity: 'fault', words });
  const note = (words: string): void => void findings.push({ severity: 'note', words });
  const distinct = certificates.filter((each, i) => {
    const first = certificates.findIndex((other) => sameBytes(other.der, each.der));
    if (first < i) fault(`certificate ${i + 1} is the same as certificate ${first + 1}`);
    return first === i;
  });
  const place = (certificate: Certificate): number => certificates.indexOf(certificate) + 1;
  const chain = chainFrom(leafOf(distinct), distinct);
  const order = chain.map(place);
  if (order.some((at, i) => i > 0 && at < (order[i - 1] as number)) || order[0] !== 1) {
    fault(`out of order: the chain is ${order.map((at) => `certificate ${at}`).join(', then ')}`);
  }
  for (const stranger of distinct.filter((each) => !chain.includes(each))) {
    fault(`certificate ${place(stranger)} (${renderName(stranger.subject)}) is not part of the chain`);
  }
  for (const certificate of chain) {
    const [name, expired] = [`certificate ${place(certificate)}`, nowMs > certificate.notAfterMs];
    if (expired) fault(`${name} has expired on ${isoDay(certificate.notAfterMs)}`);
    else if (nowMs < certificate.notBeforeMs) fault(`${name} is not valid before ${isoDay(certificate.notBeforeMs)}`);
  }
  const end = endOf(chain, anchors);
  if (end.fault !== undefined) fault(end.fault);
  if (end.note !== undefined) note(end.note);
  return { order, findings };
}

/** The first in the file that issued none of the others: in a file that is in order, the first of all. */
function leafOf(certificates: readonly Certificate[]): Certificate {
  const issuesNone = (each: Certificate): boolean =>
    !certificates.some((other) => other !== each && isIssuedBy(other, each));
  return certificates.find(issuesNone) ?? (certificates[0] as Certificate);
}

function chainFrom(leaf: Certificate, certificates: readonly Certificate[]): Certificate[] {
  const chain = [leaf];
  for (;;) {
    const top = chain[chain.length - 1] as Certificate;
    const issuer = certificates.find((each) => !chain.includes(each) && isIssuedBy(top, each));
    if (issuer === undefined) return chain;
    chain.push(issuer);
  }
}

/** By name and key. A signature that is too weak to be believed still shows where a certificate belongs. */
function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (certificate.issuer.key !== issuer.subject.key) return false;
  const { tbs, signatureAlgorithm, signature } = certificate;
  return verifySignature(tbs, signatureAlgorithm, signature, issuer.spki) !== 'bad';
}

type End = { readonly fault?: string; readonly note?: string };

function endOf(chain: readonly Certificate[], anchors: TrustStore | undefined): End {
  const top = chain[chain.length - 1] as Certificate;
  const selfSigned = isSelfIssued(top) && verifySelfSignature(top) !== 'bad';
  const rootNote = selfSigned && chain.length > 1 ? { note: ROOT_IS_NEEDLESS } : {};
  const issuer = renderName(top.issuer);
  const where = issuerAddress(top);
  const hint = where === undefined ? '' : `; its authority offers it at ${where}`;
  if (anchors !== undefined) {
    const known = anchors.anchorsBySubject.get(top.issuer.key) ?? [];
    const trusted = known.some((anchor) => (selfSigned ? sameBytes(anchor.der, top.der) : isIssuedBy(top, anchor)));
    if (trusted) return rootNote;
    if (selfSigned) return { fault: `the chain ends at ${issuer}, which is none of the authorities` };
    const namesake = known.length > 0 ? ', and the authority of that name has another key' : '';
    return { fault: `missing: the certificate of ${issuer}, which issued the last of the chain${namesake}${hint}` };
  }
  if (selfSigned) return rootNote;
  if (chain.length === 1) return { fault: `missing: the certificate of its issuer, ${issuer}${hint}` };
  return {
    note: `the chain ends at a certificate of ${issuer}: nothing is missing if that is a root that others have${hint}`,
  };
}

const ROOT_IS_NEEDLESS = 'the root at the end need not be sent: who trusts it has it';

/** Where the authority says its own certificate can be had. */
function issuerAddress({ authorityInfoAccess = [] }: Certificate): string | undefined {
  const found = authorityInfoAccess.find(
    ({ method, location }) => method === ISSUERS_METHOD && location.kind === 'uri',
  );
  return found?.location.kind === 'uri' ? found.location.text : undefined;
}
