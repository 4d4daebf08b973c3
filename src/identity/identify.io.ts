/**
 * Who does this client certificate belong to? Path, validity, purpose and revocation are decided by our own code in
 * every session, then the directory is asked for the owner. A session keeps its `CertificateCheck` and asks again at
 * MAIL FROM, so that a list that arrived meanwhile, and a date that passed, count.
 * Effects: the directory (through the certificate query), the time.
 */
import type { Clock } from '../core/ports.ts';
import type { Answer } from '../core/verdict.ts';
import type { CertificateNames } from '../log/mail-event.ts';
import type { Certificate } from '../tls/certificate.ts';
import type { PathSearch } from '../tls/certificate-path.ts';
import type { ValidatedPath } from '../tls/path-validation.ts';
import type { RevocationVerdict } from '../tls/revocation.ts';
import type { CertificateStanding } from './identity-verdict.ts';

/** The decisions this needs, put together by `pipeline/doors.io.ts` for a profile. */
export type CertificateStages = {
  readonly clock: Clock;
  /** Undefined: malformed. */
  readonly parse: (der: Uint8Array) => Certificate | undefined;
  readonly names: (certificate: Certificate) => CertificateNames;
  readonly findPaths: (leaf: Certificate, presented: () => readonly Uint8Array[], nowMs: number) => PathSearch;
  readonly checkRevocation: (path: readonly Certificate[], nowMs: number) => RevocationVerdict;
  readonly owner: (certificate: Certificate, nowMs: number) => Promise<Answer<string>>;
};

type Invalid = CertificateStanding & { readonly kind: 'invalid' };

export class CertificateCheck {
  readonly names: CertificateNames | undefined;
  readonly #leaf: Certificate | undefined;
  readonly #presented: () => readonly Uint8Array[];
  readonly #stages: CertificateStages;
  #path: ValidatedPath | undefined;

  constructor(leaf: Uint8Array, presented: () => readonly Uint8Array[], stages: CertificateStages) {
    this.#stages = stages;
    this.#presented = presented;
    this.#leaf = stages.parse(leaf);
    this.names = this.#leaf && stages.names(this.#leaf);
  }

  /** The whole check. `askOwner` false leaves the directory alone where its answer could change nothing. */
  async standing(askOwner: boolean): Promise<CertificateStanding> {
    const { clock, owner } = this.#stages;
    const nowMs = clock.now();
    const invalid = this.stillValid(nowMs);
    if (invalid !== undefined) return invalid;
    if (this.#leaf === undefined || this.names === undefined)
      return this.#invalid('client certificate malformed', 'certificate');
    const found: Answer<string> = askOwner
      ? await owner(this.#leaf, nowMs)
      : { answer: 'no', why: 'the directory was not asked' };
    return { kind: 'valid', names: this.names, owner: found };
  }

  /** Path and revocation as of `nowMs`; undefined when they hold. No I/O: cheap enough for every MAIL FROM. */
  stillValid(nowMs: number): Invalid | undefined {
    const leaf = this.#leaf;
    if (leaf === undefined) return this.#invalid('client certificate malformed', 'certificate');
    if (this.#path !== undefined && isInForce(this.#path, nowMs)) {
      if (this.#stages.checkRevocation(this.#path.certificates, nowMs).status === 'good') return undefined;
    }
    return this.#search(leaf, nowMs);
  }

  /** Tries every valid path: with cross-certificates one may be revoked and another good. */
  #search(leaf: Certificate, nowMs: number): Invalid | undefined {
    this.#path = undefined;
    const search = this.#stages.findPaths(leaf, this.#presented, nowMs);
    let refusal: Invalid | undefined;
    for (const path of search) {
      const verdict = this.#stages.checkRevocation(path.certificates, nowMs);
      if (verdict.status === 'good') {
        this.#path = path;
        return undefined;
      }
      refusal ??= this.#invalid(verdict.words, verdict.rule);
    }
    if (refusal !== undefined) return refusal;
    const { reason, fault, detail } = search.failure();
    return this.#invalid(reason, `RFC 5280 §6.1 ${fault}: ${detail}`);
  }

  #invalid(reason: string, rule: string): Invalid {
    return { kind: 'invalid', reason, rule, ...(this.names === undefined ? {} : { names: this.names }) };
  }
}

const isInForce = ({ certificates }: ValidatedPath, nowMs: number): boolean =>
  certificates.every(({ notBeforeMs, notAfterMs }) => nowMs >= notBeforeMs && nowMs <= notAfterMs);
