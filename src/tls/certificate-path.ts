/**
 * Certification paths from a client's certificate to an anchor: which chains there are, best first, and which are
 * valid. Signatures are checked while a chain grows, so that every certificate above a link has vouched for it before
 * its content is looked at. The trust store's intermediates are tried before what the client presented.
 * RFC 5280 §6.1; RFC 4158 (path building). Pure.
 */
import { createHash } from 'node:crypto';
import { type Certificate, parseCertificate, sameBytes } from './certificate.ts';
import type { NameConstraints } from './certificate-extensions.ts';
import type { PolicySettings } from './certificate-policies.ts';
import { DerError } from './der.ts';
import { renderName } from './distinguished-name.ts';
import { CLIENT_AUTHENTICATION } from './key-purpose.ts';
import { type PathFailure, type Purpose, pathFailure, type ValidatedPath, validatePath } from './path-validation.ts';
import { publicKeyFacts, type SignatureVerdict, verifySignature } from './signature.ts';
import type { TrustStore } from './trust-store.ts';

export type CertificatePathRequest = {
  /** DER, or the parsed certificate. */
  readonly leaf: Uint8Array | Certificate;
  /** DER of the other certificates that the client sent, in any order; asked for at most once, and only if needed. */
  readonly presented?: () => readonly Uint8Array[];
  readonly trustStore: TrustStore;
  readonly nowMs: number;
  /** Default: clientAuth, or no extended key usage at all. */
  readonly purpose?: Purpose;
  /** RFC 5280 §6.1.1 (c), (e), (f), (g). Default: any policy, or none. */
  readonly policies?: PolicySettings;
  /** RFC 5280 §6.1.1 (h), (i). */
  readonly initialSubtrees?: NameConstraints;
  /** Saves verifying the signature of a client that comes again. */
  readonly signatures?: SignatureCache;
  /** For explanations: hears of every chain that was tried. */
  readonly onChain?: OnChain;
};

/** Leaf first; `anchored`: up to an anchor. `failure` says why it is no valid path. */
export type TriedChain = {
  readonly chain: readonly Certificate[];
  readonly anchored: boolean;
  readonly failure: PathFailure | undefined;
};
export type OnChain = (tried: TriedChain) => void;

/** Valid paths, best first, found as they are asked for. `failure()`: why none was valid, once all were asked for. */
export type PathSearch = Iterable<ValidatedPath> & { readonly failure: () => PathFailure };

/** Certificates below the anchor. */
const MAX_PATH_LENGTH = 8;
const MAX_SIGNATURE_CHECKS = 100;
const MAX_LINKS = 1000;
const MAX_PRESENTED = 16;

/** Never throws. */
export function findPaths(request: CertificatePathRequest): PathSearch {
  const failures: PathFailure[] = [];
  return {
    *[Symbol.iterator]() {
      failures.length = 0;
      const leaf = readLeaf(request.leaf);
      if (leaf instanceof DerError) failures.push(pathFailure('malformed', leaf.message));
      else yield* new PathBuilder(request, failures).from(leaf);
    },
    failure: () => bestFailure(failures),
  };
}

function readLeaf(leaf: Uint8Array | Certificate): Certificate | DerError {
  if (!(leaf instanceof Uint8Array)) return leaf;
  try {
    return parseCertificate(leaf);
  } catch (error) {
    if (error instanceof DerError) return error;
    throw error;
  }
}

/** A chain that reached an anchor says more than one that did not; what stopped the work says more than its result. */
export function bestFailure(failures: readonly PathFailure[]): PathFailure {
  const rank = ({ fault }: PathFailure): number => {
    if (fault === 'not-trusted') return 4;
    if (fault === 'broken-chain') return 3;
    return fault === 'weak-signature' || fault === 'too-complex' ? 2 : 1;
  };
  let best: PathFailure | undefined;
  for (const failure of failures) if (best === undefined || rank(failure) < rank(best)) best = failure;
  return best ?? pathFailure('not-trusted', 'no path to a trusted authority');
}

class PathBuilder {
  readonly #request: CertificatePathRequest;
  readonly #failures: PathFailure[];
  #presented: readonly Certificate[] | undefined;
  #signatureChecks = 0;
  #links = 0;

  constructor(request: CertificatePathRequest, failures: PathFailure[]) {
    this.#request = request;
    this.#failures = failures;
  }

  *from(leaf: Certificate): Generator<ValidatedPath> {
    // A certificate that the administrator listed as an anchor is trusted for itself.
    const { anchorsBySubject } = this.#request.trustStore;
    const listed = anchorsBySubject.get(leaf.subject.key)?.some((anchor) => sameBytes(anchor.der, leaf.der));
    if (listed === true) yield* this.#validated([leaf]);
    yield* this.#extend([leaf]);
  }

  /** `chain`: leaf first, every link verified. */
  *#extend(chain: readonly Certificate[]): Generator<ValidatedPath> {
    const top = chain[chain.length - 1] as Certificate;
    const { anchorsBySubject, intermediatesBySubject } = this.#request.trustStore;
    let linked = false;
    for (const anchor of byLikelihood(top, anchorsBySubject.get(top.issuer.key))) {
      if (isOnChain(chain, anchor) || !this.#isIssuedBy(top, anchor)) continue;
      linked = true;
      yield* this.#validated([...chain, anchor]);
    }
    const sources = [() => intermediatesBySubject.get(top.issuer.key), () => this.#presentedBy(top)];
    for (const source of sources) {
      for (const issuer of byLikelihood(top, source())) {
        if (isOnChain(chain, issuer) || !this.#isIssuedBy(top, issuer)) continue;
        linked = true;
        if (chain.length < MAX_PATH_LENGTH) yield* this.#extend([...chain, issuer]);
        else
          this.#failures.push(pathFailure('too-complex', `more than ${MAX_PATH_LENGTH} certificates below an anchor`));
      }
    }
    if (linked) return;
    const failure = this.#withoutIssuer(chain);
    this.#failures.push(failure);
    this.#request.onChain?.({ chain, anchored: false, failure });
  }

  *#validated(certificates: readonly Certificate[]): Generator<ValidatedPath> {
    const { nowMs, purpose = CLIENT_AUTHENTICATION, policies = {}, initialSubtrees } = this.#request;
    const settings = { nowMs, purpose, policies, ...(initialSubtrees === undefined ? {} : { initialSubtrees }) };
    const outcome = validatePath(certificates, settings);
    const failure = outcome.ok ? undefined : outcome.failure;
    this.#request.onChain?.({ chain: certificates, anchored: true, failure });
    if (outcome.ok) yield outcome.path;
    else this.#failures.push(outcome.failure);
  }

  /** RFC 5280 §6.1.3 (a) (1), (4): the names chain and the signature verifies. */
  #isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
    if (certificate.issuer.key !== issuer.subject.key) return false;
    if (this.#links++ >= MAX_LINKS) return this.#stop();
    const verdict = linkVerdicts.get(certificate)?.get(issuer) ?? this.#verify(certificate, issuer);
    if (verdict === 'weak' || verdict === 'unsupported') {
      const { oid } = certificate.signatureAlgorithm;
      const key = publicKeyFacts(issuer.spki);
      const detail = 'why' in key ? `issuer's ${key.why}` : `signature algorithm ${oid}`;
      this.#failures.push(pathFailure('weak-signature', `${detail} (issuer ${renderName(issuer.subject)})`));
    }
    return verdict === 'good';
  }

  #verify(certificate: Certificate, issuer: Certificate): SignatureVerdict | 'stopped' {
    const cache = this.#request.signatures;
    const key = cache === undefined ? '' : linkKey(certificate, issuer);
    let verdict: SignatureVerdict = 'good';
    if (cache?.has(key) !== true) {
      if (this.#signatureChecks++ >= MAX_SIGNATURE_CHECKS) {
        this.#stop();
        return 'stopped';
      }
      const { tbs, signatureAlgorithm, signature } = certificate;
      verdict = verifySignature(tbs, signatureAlgorithm, signature, issuer.spki);
      if (verdict === 'good') cache?.add(key);
    }
    remember(certificate, issuer, verdict);
    return verdict;
  }

  #stop(): false {
    const known = this.#failures.some(({ fault }) => fault === 'too-complex');
    if (!known) this.#failures.push(pathFailure('too-complex', 'too many possible chains'));
    return false;
  }

  #presentedBy(top: Certificate): readonly Certificate[] {
    this.#presented ??= readPresented(this.#request.presented?.() ?? []);
    return this.#presented.filter((certificate) => certificate.subject.key === top.issuer.key);
  }

  /** The chain ends below any anchor: broken where the administrator's own intermediate lacks its issuer. */
  #withoutIssuer(chain: readonly Certificate[]): PathFailure {
    const top = chain[chain.length - 1] as Certificate;
    const { anchorsBySubject, intermediates, intermediatesBySubject } = this.#request.trustStore;
    const ours = intermediates.includes(top);
    const namesake = anchorsBySubject.has(top.issuer.key) || intermediatesBySubject.has(top.issuer.key);
    const what = namesake ? 'the signature does not verify with the key of issuer' : 'no certificate of issuer';
    return pathFailure(ours ? 'broken-chain' : 'not-trusted', `${what} ${renderName(top.issuer)}`);
  }
}

// Found by the identity of both certificates and gone with them: links inside a trust store are verified once.
const linkVerdicts = new WeakMap<Certificate, WeakMap<Certificate, SignatureVerdict>>();

function remember(certificate: Certificate, issuer: Certificate, verdict: SignatureVerdict): void {
  const known = linkVerdicts.get(certificate);
  if (known === undefined) linkVerdicts.set(certificate, new WeakMap([[issuer, verdict]]));
  else known.set(issuer, verdict);
}

/** The certificate is one DER element, so that its end cannot be moved into the key. */
const linkKey = (certificate: Certificate, issuer: Certificate): string =>
  createHash('sha256').update(certificate.der).update(issuer.spki).digest('base64');

/** RFC 5280 §6.1: no certificate twice; nor another one that says the same key has the same name. */
const isOnChain = (chain: readonly Certificate[], candidate: Certificate): boolean =>
  chain.some(({ subject, spki }) => subject.key === candidate.subject.key && sameBytes(spki, candidate.spki));

function readPresented(encodings: readonly Uint8Array[]): Certificate[] {
  const certificates: Certificate[] = [];
  for (const der of encodings.slice(0, MAX_PRESENTED)) {
    if (certificates.some((known) => sameBytes(known.der, der))) continue;
    const certificate = readLeaf(der);
    if (!(certificate instanceof DerError)) certificates.push(certificate);
  }
  return certificates;
}

/** Key identifiers are hints only (RFC 4158 §3.5.12): they order the candidates and exclude none. */
function byLikelihood(certificate: Certificate, issuers: readonly Certificate[] = []): readonly Certificate[] {
  if (issuers.length < 2) return issuers;
  const wanted = certificate.authorityKeyId?.keyId;
  const rank = ({ subjectKeyId }: Certificate): number => {
    if (wanted === undefined || subjectKeyId === undefined) return 1;
    return sameBytes(wanted, subjectKeyId) ? 0 : 2;
  };
  // Of equals the one that is valid longer: after a renewal both are in the file.
  return issuers.toSorted((a, b) => rank(a) - rank(b) || b.notAfterMs - a.notAfterMs);
}

/** Good signatures only, so that bad ones cannot push them out. Each thread has its own. */
export type SignatureCache = { readonly has: (key: string) => boolean; readonly add: (key: string) => void };

/** Keeps the latest `maxEntries` signatures that verified; about 150 bytes each. What is kept never changes its truth. */
export function createSignatureCache(maxEntries: number): SignatureCache {
  const keys = new Set<string>();
  return {
    has: (key) => keys.has(key),
    add: (key) => {
      keys.add(key);
      if (keys.size > maxEntries) keys.delete(keys.values().next().value as string);
    },
  };
}
