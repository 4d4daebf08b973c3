/**
 * What the configuration store takes and answers; the HTTP API, the command line and the console speak these types.
 * A candidate is what one administrator session has changed and not committed; it survives a restart. `commit` checks
 * all, builds all on every thread, records durably, then swaps; on any failure the running revision goes on. AsyncOS:
 * commit, clearchanges, showchanges, rollbackconfig, loadconfig, saveconfig.
 * With `run --config FILE` the mode is `file`: everything can be read, every change is refused with kind `file-mode`.
 * Documents are the configuration as it is written (`15m`, not 900000), without defaults. Secrets never leave the
 * store but in an export that asks for them: everywhere else a secret reads as MASK, and MASK written back at the place
 * of a secret keeps the secret that is there. Paths are keys and list indexes from the root; [] is the whole.
 * Pure: types, and the texts and the bound that callers compare with.
 */
import { DAY_MS } from '../core/duration.ts';
import type { Fault } from '../core/fault.ts';
import type { Position } from './located-fault.ts';
import type { Revision } from './schema.ts';

/** Nobody waits longer for `commit --confirm`. */
export const MAX_CONFIRM_MS = DAY_MS;

export type Path = Fault['path'];
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a secret reads as. */
export const MASK = '(masked)';
/** Author of what the gateway commits by itself: going back from a revision that nobody confirmed. */
export const SYSTEM_AUTHOR = 'system';

export type ConfigurationMode = 'store' | 'file';

/** The name stands in the history; the session owns the candidate. Local command line: `cli:` and the account. */
export type Administrator = { readonly name: string; readonly session: string };

/** A revision by number, the one in force, or a session's candidate (the running revision where it has none). */
export type Which = 'running' | number | { readonly session: string };

export type Edit =
  /** Makes the mappings on the way; the index behind a list's last entry appends. */
  | { readonly op: 'set'; readonly path: Path; readonly value: Json }
  | { readonly op: 'delete'; readonly path: Path }
  /** A new entry of a list before the one that has this index. */
  | { readonly op: 'insert'; readonly path: Path; readonly value: Json }
  /** The list entry at the path gets another index: the order of a host access table. */
  | { readonly op: 'move'; readonly path: Path; readonly to: number }
  /** Another name for a named object; what refers to it follows. */
  | { readonly op: 'rename'; readonly path: Path; readonly to: string };

/** One difference. `before` is missing where something was added, `after` where it was removed; secrets are masked. */
export type Change = {
  readonly path: Path;
  readonly op: 'add' | 'remove' | 'change';
  readonly before?: Json;
  readonly after?: Json;
  /** A secret changed: both sides read MASK. */
  readonly secret?: true;
};

export type RevisionInfo = {
  readonly number: number;
  readonly atMs: number;
  readonly author: string;
  readonly comment: string;
  /** The revision whose document this one repeats: a roll back. */
  readonly rollbackTo?: number;
};

/** A revision in force that goes back by itself at `deadlineMs` unless it is confirmed. */
export type Unconfirmed = {
  readonly revision: number;
  readonly backTo: number;
  readonly deadlineMs: number;
  readonly author: string;
};

export type CandidateInfo = {
  readonly session: string;
  readonly author: string;
  /** The revision it started from, or was last rebased on. */
  readonly base: number;
  /** Grows with every edit: an entity tag for If-Match. */
  readonly version: number;
  readonly changedMs: number;
};

export type Candidate = CandidateInfo & {
  /** Against its base: what the administrator did. */
  readonly changes: readonly Change[];
  /** What others have committed meanwhile at the same keys; empty: a commit would merge. */
  readonly conflicts: readonly Conflict[];
};

/** Somebody else has committed a change of the same key since the candidate's base. */
export type Conflict = {
  readonly path: Path;
  readonly mine?: Json;
  readonly theirs?: Json;
  /** The commit that changed it last. */
  readonly revision: RevisionInfo;
};

/** For every conflict one: `mine` overwrites what the other committed, `theirs` gives up one's own change. */
export type Choice = { readonly path: Path; readonly keep: 'mine' | 'theirs' };

/** The place in a file where the text came from one. */
export type StoreFault = Fault & Partial<Position>;

/** Each with a sentence for the administrator. In brackets the HTTP status that fits. */
export type Refusal = { readonly why: string } & (
  | { readonly kind: 'file-mode'; readonly file: string } // 403
  | { readonly kind: 'faults'; readonly faults: readonly StoreFault[] } // 422; warnings may be among them
  | { readonly kind: 'conflict'; readonly conflicts: readonly Conflict[] } // 409: rebase with a choice for each
  | { readonly kind: 'stale'; readonly actual: number } // 412: ifRevision or ifVersion is not what is there
  | { readonly kind: 'unconfirmed'; readonly unconfirmed: Unconfirmed } // 409: confirm it or roll back first
  | { readonly kind: 'not-found'; readonly path?: Path } // 404: no such revision, path, candidate
  | { readonly kind: 'no-changes' } // 409
  | { readonly kind: 'not-possible' } // 400: an edit that does not fit the document, a wrong passphrase
  | { readonly kind: 'failed' } // 503: could not be built or recorded; the old revision goes on
);

export type Answer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly refusal: Refusal };

export type StoreStatus = {
  readonly mode: ConfigurationMode;
  /** Mode `file`: the file that is the truth. */
  readonly file?: string;
  readonly running: RevisionInfo;
  readonly unconfirmed?: Unconfirmed;
  readonly candidates: readonly CandidateInfo[];
};

export type CommitOptions = {
  readonly comment: string;
  /** `commit --confirm 10m`: the revision goes back by itself unless confirmed within this time. */
  readonly confirmMs?: number;
  /** If-Match: refused as `stale` where another revision is running, even if it would merge. */
  readonly ifRevision?: number;
  readonly ifVersion?: number;
};

export type Committed = {
  readonly revision: RevisionInfo;
  readonly changes: readonly Change[];
  readonly warnings: readonly StoreFault[];
  readonly unconfirmed?: Unconfirmed;
};

export type Checked = { readonly warnings: readonly StoreFault[]; readonly changes: readonly Change[] };

export type ExportOptions = {
  readonly which: Which;
  /** `sealed`: encrypted under the passphrase; `clear` only on explicit demand. */
  readonly secrets: 'masked' | 'sealed' | 'clear';
  readonly passphrase?: string;
};

/** What a change was made from, so that what others have done since is not overwritten. */
export type Seen = {
  /** If-Match: refused as `stale` where the candidate has another version; 0: there was none. */
  readonly ifVersion?: number;
  /** The revision that was looked at: a candidate that begins now begins there, and a commit merges. */
  readonly base?: number;
};

/** YAML or JSON text as `export` or a person wrote it, or the document itself. */
export type LoadOptions = ({ readonly text: string } | { readonly document: Json }) &
  Seen & {
    /** For a text that was exported with sealed secrets. */
    readonly passphrase?: string;
    /** A section instead of the whole: what is at the path is replaced. */
    readonly at?: Path;
  };

/** `changes` is what a commit would change, with one's own value where it would ask first. */
export type Loaded = Checked & {
  readonly version: number;
  readonly base: number;
  readonly conflicts: readonly Conflict[];
  /** Committed by others since the base, and otherwise in what was loaded: it stays. */
  readonly stays: readonly Change[];
};

export interface ConfigurationStore {
  readonly mode: ConfigurationMode;

  status(): Promise<StoreStatus>;
  /** The document or a part of it, masked. `version` where it is a candidate. */
  document(which: Which, path?: Path): Promise<Answer<{ revision: number; version?: number; value: Json }>>;
  /** Newest first; `before` is a revision number to page on. */
  history(page?: { readonly before?: number; readonly limit?: number }): Promise<readonly RevisionInfo[]>;
  /** A revision and what it changed against the one before it. */
  revision(number: number): Promise<Answer<{ revision: RevisionInfo; changes: readonly Change[] }>>;
  /** A candidate counts as a commit would put it into force: what others have committed meanwhile is in it. */
  diff(from: Which, to: Which): Promise<Answer<{ changes: readonly Change[] }>>;
  /** YAML text with a heading that says what it is. */
  export(options: ExportOptions): Promise<Answer<{ text: string }>>;

  /** `not-found` where the session has changed nothing. */
  candidate(session: string): Promise<Answer<{ candidate: Candidate }>>;
  /** All or none. Not checked against the schema yet: `validate` and `commit` do. */
  edit(who: Administrator, edits: readonly Edit[], seen?: Seen): Promise<Answer<{ version: number; base: number }>>;
  /**
   * Replaces the candidate's document, which keeps its base unless another one is named. Checked at once: with faults
   * nothing is loaded.
   */
  load(who: Administrator, options: LoadOptions): Promise<Answer<Loaded>>;
  /** Checks the candidate, merged with what is running, as a commit would, and builds nothing. */
  validate(session: string): Promise<Answer<Checked>>;
  /** Gives the candidate up. */
  clear(session: string): Promise<Answer<{ dropped: number }>>;
  /** Puts the candidate onto the running revision; conflicts need a choice each. */
  rebase(who: Administrator, choices: readonly Choice[]): Promise<Answer<{ version: number; base: number }>>;

  commit(who: Administrator, options: CommitOptions): Promise<Answer<Committed>>;
  /** Keeps the revision that was committed with `confirmMs`. */
  confirm(who: Administrator): Promise<Answer<{ revision: RevisionInfo }>>;
  /** Commits the document of an earlier revision as a new one. Candidates stay. */
  rollback(
    who: Administrator,
    options: {
      readonly to: number;
      readonly comment?: string;
      readonly confirmMs?: number;
      readonly ifRevision?: number;
    },
  ): Promise<Answer<Committed>>;

  /**
   * Encrypts every secret, in every revision and candidate, under another master key. `to` names a file for it, which the
   * gateway must be started with from then on: for a store that no gateway runs on.
   */
  rekey(who: Administrator, to?: string): Promise<Answer<{ file: string; secrets: number }>>;

  /**
   * What SIGHUP does. Mode `store`: the files that the running revision names are read again; mode `file`: the file, too.
   * With faults nothing changes.
   */
  reload(): Promise<Answer<{ warnings: readonly StoreFault[] }>>;

  /**
   * A revision or candidate as the threads would get it: for `trace`, dry runs and replays. Holds secrets: it must not
   * leave the process.
   */
  compiled(which: Which): Promise<Answer<{ revision: Revision; warnings: readonly StoreFault[] }>>;
}
