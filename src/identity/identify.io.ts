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
import type { PathFailure, ValidatedPath } from '../tls/path-validation.ts';
import type { RevocationVerdict, Unknown } from '../tls/revocation.ts';
import type { CertificateOwner } from './certificate-owner.ts';
import type { CertificateStanding } from './identity-verdict.ts';

/** The decisions this needs, put together by `pipeline/doors.io.ts` for a profile. */
export type CertificateStages = {
  /** Name of the profile. */
  readonly profile: string;
  readonly clock: Clock;
  /** Undefined: malformed. */
  readonly parse: (der: Uint8Array) => Certificate | undefined;
  readonly names: (certificate: Certificate) => CertificateNames;
  readonly findPaths: (leaf: Certificate, presented: () => readonly Uint8Array[], nowMs: number) => PathSearch;
  /** Of several failures the one that says most. */
  readonly bestFailure: (failures: readonly PathFailure[]) => PathFailure;
  readonly checkRevocation: (path: readonly Certificate[], nowMs: number) => RevocationVerdict;
  /**
   * Asks for what is not known about these certificates and waits a moment for it: `news` when it is worth deciding
   * again, `pending` when the answers are still on their way, `nothing` when there is nobody to ask.
   */
  readonly inquire?: (unknown: Unknown, nowMs: number) => Promise<Inquiry>;
  readonly owner: (certificate: Certificate, nowMs: number) => Promise<Answer<CertificateOwner>>;
};

/** Of a listener, in the order in which they are asked. */
export type ListenerProfiles = readonly [CertificateStages, ...CertificateStages[]];

export type Inquiry = 'news' | 'pending' | 'nothing';

type Invalid = CertificateStanding & { readonly kind: 'invalid' };

export class CertificateCheck {
  readonly names: CertificateNames | undefined;
  readonly #leaf: Certificate | undefined;
  readonly #presented: () => readonly Uint8Array[];
  readonly #profiles: ListenerProfiles;
  /** Of the profile that decides: the first whose authorities give a valid path, or the first of all. */
  #stages: CertificateStages;
  #path: ValidatedPath | undefined;
  /** What the last decision would have liked to know. */
  #unknown: Unknown = [];

  constructor(leaf: Uint8Array, presented: () => readonly Uint8Array[], profiles: ListenerProfiles) {
    const [first] = profiles;
    this.#profiles = profiles;
    this.#stages = first;
    this.#presented = presented;
    this.#leaf = first.parse(leaf);
    this.names = this.#leaf && first.names(this.#leaf);
  }

  /** Name of the profile that decided. */
  get profile(): string {
    return this.#stages.profile;
  }

  /** The whole check. `askOwner` false leaves the directory alone where its answer could change nothing. */
  async standing(askOwner: boolean): Promise<CertificateStanding> {
    const unfit = await this.#decide();
    if (unfit !== undefined) return unfit;
    const { clock, owner } = this.#stages;
    const nowMs = clock.now();
    if (this.#leaf === undefined || this.names === undefined)
      return this.#invalid('client certificate malformed', 'certificate');
    const found: Answer<CertificateOwner> = askOwner
      ? await owner(this.#leaf, nowMs)
      : { answer: 'no', why: 'the directory was not asked' };
    return { kind: 'valid', names: this.names, owner: found };
  }

  /** Path and revocation; where revocation is unknown, what can be had in a moment is waited for. */
  async #decide(): Promise<CertificateStanding | undefined> {
    const invalid = this.stillValid(this.#stages.clock.now());
    const { clock, inquire } = this.#stages;
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

  /** The profiles in their order; the first with a valid path decides, for better or worse. */
  #search(leaf: Certificate, nowMs: number): Invalid | undefined {
    this.#path = undefined;
    const failures: { readonly failure: PathFailure; readonly stages: CertificateStages }[] = [];
    for (const stages of this.#profiles) {
      const search = stages.findPaths(leaf, this.#presented, nowMs);
      const found = this.#choosePath(search, stages, nowMs);
      if (found !== 'no-path') {
        this.#stages = stages;
        return found;
      }
      failures.push({ failure: search.failure(), stages });
    }
    const failure = this.#stages.bestFailure(failures.map((each) => each.failure));
    this.#stages = failures.find((each) => each.failure === failure)?.stages ?? this.#stages;
    return this.#invalid(failure.reason, `RFC 5280 §6.1 ${failure.fault}: ${failure.detail}`);
  }

  /** Tries every valid path: with cross-certificates one may be revoked and another good. */
  #choosePath(search: PathSearch, stages: CertificateStages, nowMs: number): Invalid | undefined | 'no-path' {
    let refusal: Invalid | undefined;
    for (const path of search) {
      const verdict = stages.checkRevocation(path.certificates, nowMs);
      if (verdict.status === 'good') {
        this.#path = path;
        this.#unknown = verdict.unknown;
        return undefined;
      }
      if (verdict.status === 'refused') this.#unknown = [...this.#unknown, ...verdict.unknown];
      refusal ??= this.#invalid(verdict.words, verdict.rule);
    }
    return refusal ?? 'no-path';
  }

  #invalid(reason: string, rule: string): Invalid {
    return { kind: 'invalid', reason, rule, ...(this.names === undefined ? {} : { names: this.names }) };
  }
}

const isInForce = ({ certificates }: ValidatedPath, nowMs: number): boolean =>
  certificates.every(({ notBeforeMs, notAfterMs }) => nowMs >= notBeforeMs && nowMs <= notAfterMs);
