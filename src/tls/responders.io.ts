/**
 * A certificate profile's OCSP on a receive thread: what is known about the certificates of a path is at hand without
 * waiting while it is fresh, and asked for at the control thread's desk where it is not.
 * Effects: the desk.
 */
import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import type { AskDesk } from './desk.ts';
import {
  NO_RESPONDER,
  type OcspRules,
  type OcspStanding,
  type ResponderFact,
  responderFact,
  respondersOf,
} from './ocsp-policy.ts';
import type { OcspQuestion } from './ocsp-request.ts';
import { isFresh, OcspCache, RETRY_MS } from './ocsp-standing.ts';
import type { OcspView } from './revocation.ts';

const MAX_KNOWN = 5000;
/** The desk keeps to the profile's time limit itself; this is for one that does not answer at all. */
const DESK_SLACK_MS = 1000;

export class Responders implements OcspView {
  readonly rules: OcspRules;
  readonly #desk: AskDesk;
  readonly #known = new OcspCache(MAX_KNOWN);

  constructor(rules: OcspRules, desk: AskDesk) {
    this.rules = rules;
    this.#desk = desk;
  }

  readonly standing = (question: OcspQuestion): OcspStanding | undefined =>
    this.#responders(question).length === 0 ? NO_RESPONDER : this.#known.get(keyOf(question));

  /** All certificates below the anchor at the same time. Undefined: everything is fresh. */
  ask(path: readonly Certificate[], nowMs: number): Promise<void> | undefined {
    const open = questionsOf(path).filter((question) => !isFresh(this.standing(question), nowMs));
    if (open.length === 0) return undefined;
    return Promise.all(open.map((question) => this.#ask(question, nowMs))).then(() => undefined);
  }

  facts(path: readonly Certificate[]): ResponderFact[] {
    return questionsOf(path).map((question) => responderFact(question.certificate, this.standing(question)));
  }

  async #ask(question: OcspQuestion, nowMs: number): Promise<void> {
    const { timeout, hash, nonce, maxAge, allowHosts } = this.rules;
    const answered = await this.#desk.ask(
      {
        kind: 'ocsp',
        // Views would drag the whole file they are a part of along.
        certificate: Uint8Array.from(question.certificate.der),
        issuer: Uint8Array.from(question.issuer.der),
        responders: this.#responders(question),
        settings: { timeout, hash, nonce, maxAge, ...(allowHosts === undefined ? {} : { allowHosts }) },
      },
      timeout + DESK_SLACK_MS,
    );
    const silent: OcspStanding = {
      kind: 'none',
      cause: 'unavailable',
      why: 'the answer did not come in time',
      askAgainMs: nowMs + RETRY_MS,
    };
    this.#known.set(keyOf(question), answered?.standing ?? silent);
  }

  readonly #responders = ({ certificate }: OcspQuestion): string[] => respondersOf(certificate, this.rules);
}

const questionsOf = (path: readonly Certificate[]): OcspQuestion[] =>
  path.slice(0, -1).map((certificate, i) => ({ certificate, issuer: path[i + 1] as Certificate }));

const keys = new WeakMap<Certificate, WeakMap<Certificate, string>>();

/** The certificate is one DER element, so that its end cannot be moved into the issuer. */
function keyOf({ certificate, issuer }: OcspQuestion): string {
  const known = keys.get(certificate) ?? new WeakMap<Certificate, string>();
  let key = known.get(issuer);
  if (key === undefined) {
    key = createHash('sha256').update(certificate.der).update(issuer.der).digest('base64');
    known.set(issuer, key);
    keys.set(certificate, known);
  }
  return key;
}
