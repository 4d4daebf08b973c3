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
import type { RevocationVerdict, Unknown } from '../tls/revocation.ts';
import type { CertificateStanding } from './identity-verdict.ts';

/** The decisions this needs, put together by `pipeline/doors.io.ts` for a profile. */
export type CertificateStages = {
  readonly clock: Clock;
  /** Undefined: malformed. */
  readonly parse: (der: Uint8Array) => Certificate | undefined;
  readonly names: (certificate: Certificate) => CertificateNames;
  readonly findPaths: (leaf: Certificate, presented: () => readonly Uint8Array[], nowMs: number) => PathSearch;
  readonly checkRevocation: (path: readonly Certificate[], nowMs: number) => RevocationVerdict;
  /**
   * Asks for what is not known about these certificates and waits a moment for it: `news` when it is worth deciding
   * again, `pending` when the answers are still on their way, `nothing` when there is nobody to ask.
   */
  readonly inquire?: (unknown: Unknown, nowMs: number) => Promise<Inquiry>;
  readonly owner: (certificate: Certificate, nowMs: number) => Promise<Answer<string>>;
};

export type Inquiry = 'news' | 'pending' | 'nothing';

type Invalid = CertificateStanding & { readonly kind: 'invalid' };

export class CertificateCheck {
  readonly names: CertificateNames | undefined;
  readonly #leaf: Certificate | undefined;
  readonly #presented: () => readonly Uint8Array[];
  readonly #stages: CertificateStages;
  #path: ValidatedPath | undefined;
  /** What the last decision would have liked to know. */
  #unknown: Unknown = [];

  constructor(leaf: Uint8Array, presented: () => readonly Uint8Array[], stages: CertificateStages) {
    this.#stages = stages;
    this.#presented = presented;
    this.#leaf = stages.parse(leaf);
    this.names = this.#leaf && stages.names(this.#leaf);
  }

  /** The whole check. `askOwner` false leaves the directory alone where its answer could change nothing. */
  async standing(askOwner: boolean): Promise<CertificateStanding> {
    const { clock, owner } = this.#stages;
    const unfit = await this.#decide();
    if (unfit !== undefined) return unfit;
    const nowMs = clock.now();
    if (this.#leaf === undefined || this.names === undefined)
      return this.#invalid('client certificate malformed', 'certificate');
    const found: Answer<string> = askOwner
      ? await owner(this.#leaf, nowMs)
      : { answer: 'no', why: 'the directory was not asked' };
    return { kind: 'valid', names: this.names, owner: found };
  }

  /** Path and revocation; where revocation is unknown, what can be had in a moment is waited for. */
  async #decide(): Promise<CertificateStanding | undefined> {
    const { clock, inquire } = this.#stages;
    const invalid = this.stillValid(clock.now());
    if (inquire === undefined || this.#unknown.length === 0) return invalid;
    const inquiry = await inquire(this.#unknown, clock.now());
    if (inquiry === 'nothing') return invalid;
    const again = this.stillValid(clock.now());
    if (again === undefined || inquiry !== 'pending' || this.#unknown.length === 0) return again;
    const { reason, rule, names } = again;
    return { kind: 'unchecked', reason, rule, ...(names === undefined ? {} : { names }) };
  }

  /** Whether a refusal of `stillValid` is one that asking again could change. */
  get inquirable(): boolean {
    return this.#stages.inquire !== undefined && this.#unknown.length > 0;
  }

  /** Path and revocation as of `nowMs`; undefined when they hold. No I/O: cheap enough for every MAIL FROM. */
  stillValid(nowMs: number): Invalid | undefined {
    const leaf = this.#leaf;
    this.#unknown = [];
    if (leaf === undefined) return this.#invalid('client certificate malformed', 'certificate');
    if (this.#path !== undefined && isInForce(this.#path, nowMs)) {
      const verdict = this.#stages.checkRevocation(this.#path.certificates, nowMs);
      if (verdict.status === 'good') {
        this.#unknown = verdict.unknown;
        return undefined;
      }
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
        this.#unknown = verdict.unknown;
        return undefined;
      }
      if (verdict.status === 'refused') this.#unknown = [...this.#unknown, ...verdict.unknown];
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
