/** What `crl list` and the console show of the revocation lists: plain JSON values. Pure: types only. */
import type { CrlAge } from './crl-age.ts';

/** What an administrator sees of a source. */
export type SourceProgress = {
  readonly url?: string;
  readonly lastAttemptMs?: number;
  readonly lastSuccessMs?: number;
  readonly lastError?: string;
  readonly nextRunMs?: number;
};

export type ListedCrl = {
  readonly issuer: string;
  readonly entries: number;
  readonly bytes: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  readonly crlNumber?: string;
  readonly delta: boolean;
  /** The list speaks about some certificates or reasons only. */
  readonly partial: boolean;
  readonly age: CrlAge;
};

export type ListedSource = SourceProgress & {
  readonly name: string;
  readonly enabled: boolean;
  readonly schedule: string;
  readonly everGood: boolean;
  readonly lists: readonly ListedCrl[];
};

export type CrlListing = { readonly nowMs: number; readonly sources: readonly ListedSource[] };
