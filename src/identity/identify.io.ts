/**
 * Who does this client certificate belong to? Path, validity, purpose and revocation are decided by our own code in
 * every session, then the directory is asked for the owner. A session keeps its `CertificateCheck` and asks again at
 * MAIL FROM, so that a list that arrived meanwhile, an answer whose time is over, and a date that passed, count.
 * Effects: the directory (through the certificate query), responders (through the desk), the time.
 */
import type { Clock } from '../core/ports.ts';
import type { Answer } from '../core/verdict.ts';
import type { CertificateNames } from '../log/mail-event.ts';
import type { Certificate } from '../tls/certificate.ts';
import type { OnChain, PathSearch } from '../tls/certificate-path.ts';
import type { FoundIssuers } from '../tls/desk.ts';
import type { ResponderFact } from '../tls/ocsp-policy.ts';
import type { PathFailure, PathFault, ValidatedPath, ValidationSettings } from '../tls/path-validation.ts';
import type { RevocationInput, RevocationVerdict, Unknown } from '../tls/revocation.ts';
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
  readonly findPaths: (
    leaf: Certificate,
    presented: () => readonly Uint8Array[],
    nowMs: number,
    onChain?: OnChain,
  ) => PathSearch;
  /** What a path is held to. */
  readonly pathSettings: (nowMs: number) => ValidationSettings;
  /** Of several failures the one that says most. */
  readonly bestFailure: (failures: readonly PathFailure[]) => PathFailure;
  /** Fetches issuers that certificates name, where no path is found without them. They are as trusted as what was sent. */
  readonly fetchIssuers?: (leaf: Certificate, presented: readonly Uint8Array[]) => Promise<FoundIssuers>;
  /** Has what OCSP responders say about this path ready for `checkRevocation`. Undefined: there is nothing to wait for. */
  readonly askResponders?: (path: readonly Certificate[], nowMs: number) => Promise<void> | undefined;
  /** What they have said, one for each certificate below the anchor. */
  readonly responderFacts?: (path: readonly Certificate[]) => readonly ResponderFact[];
  readonly checkRevocation: (path: readonly Certificate[], nowMs: number) => RevocationVerdict;
  /** What `checkRevocation` decides on. */
  readonly revocationInput: (path: readonly Certificate[], nowMs: number) => RevocationInput;
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
type Unfit = CertificateStanding & { readonly kind: 'invalid' | 'unchecked' };

/** Where one more certificate could make a path. */
const WITHOUT_ISSUER: ReadonlySet<PathFault> = new Set<PathFault>(['not-trusted', 'broken-chain']);

/** Whether there is a path is not known: a refusal for good would be a guess. */
const ISSUER_UNKNOWN = 'client certificate chain incomplete: its issuer cannot be fetched now';

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
  #fetched: readonly Uint8Array[] = [];
  #responders: readonly ResponderFact[] = [];

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
  async #decide(): Promise<Unfit | undefined> {
    const { clock, inquire } = this.#stages;
    const unfit = await this.stillValid();
    if (inquire === undefined || this.#unknown.length === 0) return unfit;
    const inquiry = await inquire(this.#unknown, clock.now());
    if (inquiry === 'nothing') return unfit;
    const again = await this.stillValid();
    if (again === undefined || inquiry !== 'pending' || this.#unknown.length === 0) return again;
    const { reason, rule, names } = again;
    return { kind: 'unchecked', lacks: 'revocation', reason, rule, ...(names === undefined ? {} : { names }) };
  }

  /** Whether a refusal of `stillValid` is one that asking again could change. */
  get inquirable(): boolean {
    return this.#stages.inquire !== undefined && this.#unknown.length > 0;
  }

  /** What OCSP responders said about the certificates of the path that was decided last; empty without OCSP. */
  get responders(): readonly ResponderFact[] {
    return this.#responders;
  }

  /** Issuers that were fetched because no path was found without them. */
  get fetched(): readonly Uint8Array[] {
    return this.#fetched;
  }

  /** Path and revocation as of now; undefined when they hold. Waits only where a responder's answer is not fresh. */
  async stillValid(): Promise<Unfit | undefined> {
    const leaf = this.#leaf;
    this.#unknown = [];
    this.#responders = [];
    if (leaf === undefined) return this.#invalid('client certificate malformed', 'certificate');
    if (this.#path !== undefined && isInForce(this.#path, this.#stages.clock.now())) {
      const verdict = await this.#checkRevocation(this.#path, this.#stages);
      if (verdict.status === 'good') {
        this.#unknown = verdict.unknown;
        return undefined;
      }
    }
    return this.#search(leaf);
  }

  /** The profiles in their order; the first with a valid path decides, for better or worse. */
  async #search(leaf: Certificate): Promise<Unfit | undefined> {
    this.#path = undefined;
    const failures: { readonly failure: PathFailure; readonly stages: CertificateStages }[] = [];
    let unanswered: CertificateStages | undefined;
    for (const stages of this.#profiles) {
      this.#fetched = [];
      let search = this.#findPaths(leaf, stages);
      let found = await this.#choosePath(search, stages);
      const fetched = found === 'no-path' ? await this.#fetchIssuers(leaf, search, stages) : undefined;
      if (fetched !== undefined && fetched.certificates.length > 0) {
        search = this.#findPaths(leaf, stages);
        found = await this.#choosePath(search, stages);
      }
      if (found !== 'no-path') {
        this.#stages = stages;
        return found;
      }
      const failure = search.failure();
      failures.push({ failure, stages });
      if (fetched?.unanswered && WITHOUT_ISSUER.has(failure.fault)) unanswered ??= stages;
    }
    if (unanswered !== undefined) {
      this.#stages = unanswered;
      const rule = `smtpAuthProfiles.${unanswered.profile}.aia`;
      return { ...this.#invalid(ISSUER_UNKNOWN, rule), kind: 'unchecked', lacks: 'issuer' };
    }
    const failure = this.#stages.bestFailure(failures.map((each) => each.failure));
    this.#stages = failures.find((each) => each.failure === failure)?.stages ?? this.#stages;
    return this.#invalid(failure.reason, `RFC 5280 §6.1 ${failure.fault}: ${failure.detail}`);
  }

  /** Tries every valid path: with cross-certificates one may be revoked and another good. */
  async #choosePath(search: PathSearch, stages: CertificateStages): Promise<Unfit | undefined | 'no-path'> {
    let refusal: Unfit | undefined;
    for (const path of search) {
      const verdict = await this.#checkRevocation(path, stages);
      if (verdict.status === 'good') {
        this.#path = path;
        this.#unknown = verdict.unknown;
        return undefined;
      }
      if (verdict.status !== 'revoked') this.#unknown = [...this.#unknown, ...verdict.unknown];
      // A path that may turn out good is worth more than one that will not.
      if (verdict.status === 'unchecked')
        refusal = { ...this.#invalid(verdict.words, verdict.rule), kind: 'unchecked', lacks: 'revocation' };
      else refusal ??= this.#invalid(verdict.words, verdict.rule);
    }
    return refusal ?? 'no-path';
  }

  #findPaths(leaf: Certificate, stages: CertificateStages): PathSearch {
    const presented = (): readonly Uint8Array[] =>
      this.#fetched.length === 0 ? this.#presented() : [...this.#fetched, ...this.#presented()];
    return stages.findPaths(leaf, presented, stages.clock.now());
  }

  /** Undefined: nothing to fetch. */
  async #fetchIssuers(
    leaf: Certificate,
    search: PathSearch,
    { fetchIssuers }: CertificateStages,
  ): Promise<FoundIssuers | undefined> {
    if (fetchIssuers === undefined || !WITHOUT_ISSUER.has(search.failure().fault)) return undefined;
    const found = await fetchIssuers(leaf, this.#presented());
    this.#fetched = found.certificates;
    return found;
  }

  async #checkRevocation({ certificates }: ValidatedPath, stages: CertificateStages): Promise<RevocationVerdict> {
    const { clock, askResponders, responderFacts, checkRevocation } = stages;
    await askResponders?.(certificates, clock.now());
    const verdict = checkRevocation(certificates, clock.now());
    this.#responders = responderFacts?.(certificates) ?? [];
    return verdict;
  }

  #invalid(reason: string, rule: string): Invalid {
    return { kind: 'invalid', reason, rule, ...(this.names === undefined ? {} : { names: this.names }) };
  }
}

const isInForce = ({ certificates }: ValidatedPath, nowMs: number): boolean =>
  certificates.every(({ notBeforeMs, notAfterMs }) => nowMs >= notBeforeMs && nowMs <= notAfterMs);
