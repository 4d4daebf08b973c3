/**
 * Candidates: what administrator sessions have changed and not committed. Edits, loading a whole configuration or a
 * section, checking, and the merge with what others have committed meanwhile. AsyncOS: the pending changes of a session,
 * loadconfig, clearchanges. Effects: the store's database; checks through the ports.
 */
import { changesBetween } from './change-view.ts';
import type { CheckedDocument, ConfigurationPorts } from './configuration-ports.ts';
import type {
  Administrator,
  Answer,
  Candidate,
  CandidateInfo,
  Checked,
  Choice,
  Conflict,
  Edit,
  Json,
  Loaded,
  LoadOptions,
  Path,
  RevisionInfo,
  Seen,
  StoreFault,
} from './configuration-store.ts';
import { isSame, MAX_DOCUMENT_CHARS, treeFault } from './document.ts';
import { differences, overlap } from './document-diff.ts';
import { applyEdits, EditError } from './document-edits.ts';
import { merge, type MergeConflict } from './document-merge.ts';
import { maskSecrets, strayedSecret } from './document-secrets.ts';
import {
  refuseConflicts,
  refuseFaults,
  refuseImpossible,
  refuseMissing,
  type Refused,
  refuseStale,
} from './refusals.ts';
import type { StoredRevision } from './store-database.io.ts';
import type { Draft, StoreVault } from './store-vault.io.ts';

const MAX_NAME_CHARS = 200;

/** A candidate as a commit would put it into force. */
export type Merged = { readonly draft: Draft; readonly head: StoredRevision; readonly tree: Json };
type Version = { readonly version: number; readonly base: number };

export class Candidates {
  readonly #vault: StoreVault;
  readonly #ports: ConfigurationPorts;

  constructor(vault: StoreVault, ports: ConfigurationPorts) {
    this.#vault = vault;
    this.#ports = ports;
  }

  view(session: string): Answer<{ candidate: Candidate }> {
    const draft = this.#vault.draft(session);
    if (draft === undefined) return noCandidate();
    const { info, document } = draft;
    const changes = changesBetween(this.#document(info.base), document);
    return { ok: true, candidate: { ...info, changes, conflicts: this.#merge(draft).conflicts } };
  }

  edit(who: Administrator, edits: readonly Edit[], seen: Seen): Answer<Version> {
    const begun = this.#begin(who, seen);
    if (!begun.ok) return begun;
    const { draft } = begun;
    try {
      return this.#put(who, draft, applyEdits(draft.document, edits));
    } catch (error) {
      if (error instanceof EditError) return refuseImpossible(error.message);
      throw error;
    }
  }

  /** What differs from the base is the administrator's change: a candidate that is put back whole is still based where it was. */
  async load(who: Administrator, options: LoadOptions): Promise<Answer<Loaded>> {
    const read = 'text' in options ? await this.#ports.texts.read(options) : documentOrFault(options.document);
    if (!read.ok) return refuseFaults(read.faults, 'nothing was loaded');
    const { at = [] } = options;
    const head = this.#vault.head();
    const begun = this.#begin(who, options, at.length === 0);
    if (!begun.ok) return begun;
    const { draft } = begun;
    let tree: Json;
    try {
      tree = applyEdits(draft.document, [{ op: 'set', path: at, value: read.document }]);
    } catch (error) {
      if (error instanceof EditError) return refuseImpossible(error.message);
      throw error;
    }
    const sealed = this.#vault.seal(tree, [draft.document, this.#document(draft.info.base), head.document]);
    const checked = sealed.faults.length > 0 ? undefined : await this.#check(sealed.document);
    const faults = checked === undefined ? sealed.faults : checked.ok ? [] : checked.found;
    if (faults.length > 0) return refuseFaults(await this.#located(options, faults), 'nothing was loaded');
    const put = this.#put(who, draft, sealed.document);
    if (!put.ok) return put;
    const now = { ...draft, document: sealed.document };
    const merged = this.overHead(now);
    return {
      ...put,
      warnings: checked?.found ?? [],
      changes: changesBetween(head.document, merged),
      conflicts: this.#merge(now).conflicts,
      stays: changesBetween(now.document, merged),
    };
  }

  async validate(session: string): Promise<Answer<Checked>> {
    const merged = this.merged(session);
    if (!merged.ok) return merged;
    const { head, tree } = merged;
    const checked = await this.#check(tree);
    if (!checked.ok) return refuseFaults(checked.found, 'the changes are not right');
    return { ok: true, warnings: checked.found, changes: changesBetween(head.document, tree) };
  }

  clear(session: string): Answer<{ dropped: number }> {
    const draft = this.#vault.draft(session);
    if (draft === undefined) return noCandidate();
    this.#vault.db.removeCandidate(session);
    return { ok: true, dropped: differences(this.#document(draft.info.base), draft.document).length };
  }

  rebase(who: Administrator, choices: readonly Choice[]): Answer<Version> {
    const draft = this.#vault.draft(who.session);
    if (draft === undefined) return noCandidate();
    const { tree, head, conflicts } = this.#merge(draft, choices);
    if (conflicts.length > 0) return refuseConflicts(conflicts);
    return this.#put(who, { ...draft, info: { ...draft.info, base: head.number } }, tree);
  }

  merged(session: string): Answer<Merged> {
    const draft = this.#vault.draft(session);
    if (draft === undefined) return noCandidate();
    const { tree, head, conflicts } = this.#merge(draft);
    return conflicts.length > 0 ? refuseConflicts(conflicts) : { ok: true, draft, head, tree };
  }

  /** What a commit would put into force, with one's own value where it would ask first. */
  overHead(draft: Draft): Json {
    const { tree, conflicts } = this.#merge(draft);
    if (conflicts.length === 0) return tree;
    return this.#merge(
      draft,
      conflicts.map(({ path }): Choice => ({ path, keep: 'mine' })),
    ).tree;
  }

  #merge(draft: Draft, choices: readonly Choice[] = []): { tree: Json; head: StoredRevision; conflicts: Conflict[] } {
    const head = this.#vault.head();
    const { base } = draft.info;
    if (base === head.number) return { tree: draft.document, head, conflicts: [] };
    const sides = { base: this.#document(base), mine: draft.document, theirs: head.document };
    const { merged, conflicts } = merge(sides, choices);
    return { tree: merged, head, conflicts: conflicts.map((each) => this.#conflictOf(each, base, head)) };
  }

  #conflictOf({ path, mine, theirs }: MergeConflict, base: number, head: StoredRevision): Conflict {
    return {
      path,
      ...(mine === undefined ? {} : { mine: maskSecrets(mine, path) }),
      ...(theirs === undefined ? {} : { theirs: maskSecrets(theirs, path) }),
      revision: this.#lastToChange(path, base, head),
    };
  }

  /** The newest revision since the base that changed something at the path. */
  #lastToChange(path: Path, base: number, head: StoredRevision): RevisionInfo {
    let newer = head;
    while (newer.number > base + 1) {
      const older = this.#vault.revision(newer.number - 1);
      if (older === undefined || touches(path, older, newer)) break;
      newer = older;
    }
    const { document: _, ...info } = newer;
    return info;
  }

  /** The session's candidate, or a new one from the revision that was seen on. `anew`: another base may be named. */
  #begin(who: Administrator, { ifVersion, base }: Seen, anew = false): Answer<{ draft: Draft }> {
    const there = this.#vault.draft(who.session);
    const version = there?.info.version ?? 0;
    if (ifVersion !== undefined && ifVersion !== version) return refuseStale('the version of the candidate', version);
    if (there !== undefined && (base === undefined || base === there.info.base)) return { ok: true, draft: there };
    if (there !== undefined && !anew) return refuseStale('the base of the candidate', there.info.base);
    const from = base === undefined ? this.#vault.head() : this.#kept(base);
    if (from === undefined) return refuseMissing(`there is no revision ${base}`);
    const info: CandidateInfo = { ...named(who), base: from.number, version, changedMs: this.#ports.now() };
    return { ok: true, draft: { info, document: there?.document ?? from.document } };
  }

  #kept(number: number): StoredRevision | undefined {
    return number > 0 && number < this.#vault.db.oldestKept() ? undefined : this.#vault.revision(number);
  }

  /** Encrypts what is new, and keeps the candidate. */
  #put(who: Administrator, draft: Draft, tree: Json): Answer<Version> {
    const sealed = this.#vault.seal(tree, [draft.document, this.#vault.head().document]);
    if (sealed.faults.length > 0) return refuseFaults(sealed.faults, 'nothing was changed');
    const strayed = strayedSecret(sealed.document);
    if (strayed !== undefined) return refuseImpossible('a secret cannot be moved to where none is kept');
    if (JSON.stringify(sealed.document).length > MAX_DOCUMENT_CHARS)
      return refuseImpossible(`a configuration has at most ${MAX_DOCUMENT_CHARS} characters`);
    const info = { ...named(who), base: draft.info.base, changedMs: this.#ports.now() };
    const put = this.#vault.putDraft(info, sealed.document);
    if (put === undefined) return refuseImpossible('too many sessions have uncommitted changes');
    return { ok: true, version: put.info.version, base: put.info.base };
  }

  #check(tree: Json): Promise<CheckedDocument> {
    return this.#ports.check(this.#vault.open(tree), this.#vault.head().number + 1);
  }

  async #located(options: LoadOptions, faults: readonly StoreFault[]): Promise<readonly StoreFault[]> {
    if (!('text' in options) || (options.at ?? []).length > 0) return faults;
    return this.#ports.texts.locate({ text: options.text, faults });
  }

  #document(number: number): Json {
    return this.#vault.revision(number)?.document ?? {};
  }
}

const named = ({ name, session }: Administrator): { author: string; session: string } => ({
  author: name.slice(0, MAX_NAME_CHARS),
  session,
});

const touches = (path: Path, older: StoredRevision, newer: StoredRevision): boolean =>
  !isSame(older.document, newer.document) &&
  differences(older.document, newer.document).some((change) => overlap(change.path, path));

const noCandidate = (): Refused => refuseMissing('there are no changes in this session');

function documentOrFault(document: Json): { ok: true; document: Json } | { ok: false; faults: StoreFault[] } {
  const found = treeFault(document);
  return found === undefined ? { ok: true, document } : { ok: false, faults: [found] };
}
