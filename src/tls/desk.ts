/**
 * What receive threads ask the control thread about certificates, and what it answers: the desk keeps one copy of every
 * answer for all of them, so that a responder hears a question once. Structured-clone data. Pure: types only.
 */
import type { OcspConfig } from '../config/schema.ts';
import type { OcspStanding } from './ocsp-policy.ts';

export type OcspDeskQuestion = {
  readonly kind: 'ocsp';
  /** DER. */
  readonly certificate: Uint8Array;
  readonly issuer: Uint8Array;
  readonly responders: readonly string[];
  readonly settings: Pick<OcspConfig, 'timeout' | 'hash' | 'nonce' | 'maxAge' | 'allowHosts'>;
};

export type IssuerDeskQuestion = {
  readonly kind: 'issuers';
  readonly urls: readonly string[];
  readonly allowHosts: readonly string[];
  readonly timeoutMs: number;
};

export type DeskQuestion = OcspDeskQuestion | IssuerDeskQuestion;
export type DeskAnswer =
  | { readonly kind: 'ocsp'; readonly standing: OcspStanding }
  | ({ readonly kind: 'issuers' } & FoundIssuers);

export type FoundIssuers = {
  /** DER of every certificate that was found. */
  readonly certificates: readonly Uint8Array[];
  /** A server could not be asked now: there may be more. */
  readonly unanswered: boolean;
};

/** A receive thread's way to the desk. Undefined: no answer in time. Never rejects. */
export type AskDesk = {
  readonly ask: <Q extends DeskQuestion>(question: Q, limitMs: number) => Promise<AnswerOf<Q> | undefined>;
};

export type AnswerOf<Q extends DeskQuestion> = Extract<DeskAnswer, { kind: Q['kind'] }>;
