/**
 * The configuration store as administrators use it: candidates, commit, history, roll back, confirmation. Whatever
 * changes something waits for what came before it; reading never waits. AsyncOS: commit, rollbackconfig, showconfig,
 * saveconfig. Effects: through its parts.
 */
import { whyOf } from '../core/errors.ts';
import { Candidates } from './candidates.io.ts';
import { changesBetween } from './change-view.ts';
import type { CheckedDocument, ConfigurationPorts } from './configuration-ports.ts';
import type {
  Administrator,
  Answer,
  Candidate,
  Change,
  Checked,
  Choice,
  CommitOptions,
  Committed,
  ConfigurationStore,
  Edit,
  ExportOptions,
  Json,
  Loaded,
  LoadOptions,
  Path,
  RevisionInfo,
  Seen,
  StoreFault,
  StoreStatus,
  Which,
} from './configuration-store.ts';
import { ConfigurationReader, type Tree } from './configuration-reader.ts';
import { isSame } from './document.ts';
import { Installation } from './installation.io.ts';
import {
  refuseFailed,
  refuseFaults,
  refuseMissing,
  refuseNoChanges,
  refuseStale,
  refuseUnconfirmed,
} from './refusals.ts';
import type { Revision } from './schema.ts';
import type { StoredRevision } from './store-database.io.ts';
import type { StoreVault } from './store-vault.io.ts';

const MAX_PAGE = 1000;

export class CommittedConfiguration implements ConfigurationStore {
  readonly mode = 'store';
  readonly #vault: StoreVault;
  readonly #ports: ConfigurationPorts;
  readonly #candidates: Candidates;
  readonly #installation: Installation;
  readonly #reader: ConfigurationReader;
  #last: Promise<unknown> = Promise.resolve();

  constructor(vault: StoreVault, ports: ConfigurationPorts) {
    this.#vault = vault;
    this.#ports = ports;
    this.#reader = new ConfigurationReader({
      find: async (which) => this.#tree(which),
      open: (tree) => vault.open(tree),
      ports,
    });
    this.#candidates = new Candidates(vault, ports);
    this.#installation = new Installation(vault, ports, (work) => this.#serially(work));
  }

  async status(): Promise<StoreStatus> {
    const unconfirmed = this.#vault.db.unconfirmed();
    return {
      mode: 'store',
      running: infoOf(this.#vault.head()),
      ...(unconfirmed === undefined ? {} : { unconfirmed }),
      candidates: this.#vault.db.candidates(),
    };
  }

  document(which: Which, path: Path = []): ReturnType<ConfigurationReader['document']> {
    return this.#reader.document(which, path);
  }

  async history({ before, limit = 100 }: { before?: number; limit?: number } = {}): Promise<readonly RevisionInfo[]> {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    return this.#vault.db.history(below, Math.min(MAX_PAGE, Math.max(1, limit)));
  }

  async revision(number: number): Promise<Answer<{ revision: RevisionInfo; changes: readonly Change[] }>> {
    const revision = this.#kept(number);
    const before = this.#vault.revision(number - 1);
    if (revision === undefined || number < 1) return this.#noRevision(number);
    return { ok: true, revision: infoOf(revision), changes: changesBetween(before?.document ?? {}, revision.document) };
  }

  diff(from: Which, to: Which): Promise<Answer<{ changes: readonly Change[] }>> {
    return this.#reader.diff(from, to, (which) => this.#asCommitted(which));
  }

  export(options: ExportOptions): Promise<Answer<{ text: string }>> {
    return this.#reader.export(options);
  }

  async candidate(session: string): Promise<Answer<{ candidate: Candidate }>> {
    return this.#candidates.view(session);
  }

  edit(
    who: Administrator,
    edits: readonly Edit[],
    seen: Seen = {},
  ): Promise<Answer<{ version: number; base: number }>> {
    return this.#answer(async () => this.#candidates.edit(who, edits, seen));
  }

  load(who: Administrator, options: LoadOptions): Promise<Answer<Loaded>> {
    return this.#answer(() => this.#candidates.load(who, options));
  }

  validate(session: string): Promise<Answer<Checked>> {
    return this.#answer(() => this.#candidates.validate(session));
  }

  clear(session: string): Promise<Answer<{ dropped: number }>> {
    return this.#answer(async () => this.#candidates.clear(session));
  }

  rebase(who: Administrator, choices: readonly Choice[]): Promise<Answer<{ version: number; base: number }>> {
    return this.#answer(async () => this.#candidates.rebase(who, choices));
  }

  commit(who: Administrator, options: CommitOptions): Promise<Answer<Committed>> {
    return this.#answer(() => this.#commit(who, options));
  }

  confirm(who: Administrator): Promise<Answer<{ revision: RevisionInfo }>> {
    return this.#answer(async () => this.#installation.confirm(who.name));
  }

  rollback(
    who: Administrator,
    { to, comment, confirmMs, ifRevision }: Parameters<ConfigurationStore['rollback']>[1],
  ): Promise<Answer<Committed>> {
    return this.#answer(async () => {
      const running = this.#vault.head().number;
      if (ifRevision !== undefined && ifRevision !== running) return refuseStale('the running revision', running);
      const revision = to < 1 ? undefined : this.#kept(to);
      if (revision === undefined) return this.#noRevision(to);
      const tree = revision.document;
      if (isSame(tree, this.#vault.head().document))
        return refuseNoChanges(`revision ${to} is what is in force: there is nothing to go back`);
      const said = comment ?? `back to revision ${to}`;
      return this.#installation.install({ tree, author: who.name, comment: said, rollbackTo: to, confirmMs });
    });
  }

  async compiled(which: Which): Promise<Answer<{ revision: Revision; warnings: readonly StoreFault[] }>> {
    const running = this.#ports.running();
    if (running !== undefined && (which === 'running' || which === running.number))
      return { ok: true, revision: running, warnings: [] };
    const found = this.#tree(which);
    if (!found.ok) return found;
    // A candidate as a commit would make it.
    const merged = typeof which === 'object' ? this.#candidates.merged(which.session) : undefined;
    if (merged?.ok === false && merged.refusal.kind !== 'not-found') return merged;
    const tree = merged?.ok === true ? merged.tree : found.tree;
    const checked = await this.#check(tree, merged?.ok === true ? merged.head.number + 1 : found.revision);
    if (!checked.ok) return refuseFaults(checked.found, 'this configuration cannot be compiled');
    return { ok: true, revision: checked.revision, warnings: checked.found };
  }

  rekey(who: Administrator, to?: string): Promise<Answer<{ file: string; secrets: number }>> {
    return this.#answer(async () => {
      const done = this.#vault.rekey(to);
      this.#ports.note('info', `User ${who.name} changed the master key of the configuration store: ${done.file}`);
      return { ok: true, ...done };
    });
  }

  /** SIGHUP: the files that the running revision names are read again. With faults nothing changes. */
  reload(): Promise<Answer<{ warnings: readonly StoreFault[] }>> {
    return this.#answer(async () => {
      const { number, document } = this.#vault.head();
      const checked = await this.#check(document, number);
      if (!checked.ok) return refuseFaults(checked.found, 'the files were not taken over');
      try {
        await this.#ports.apply(checked.revision, checked.found, () => undefined);
        return { ok: true, warnings: checked.found };
      } catch (error) {
        return refuseFailed(whyOf(error));
      }
    });
  }

  /** Waits for what is being done, and closes the database. */
  async close(): Promise<void> {
    this.#installation.stop();
    await this.#last;
    this.#vault.db.close();
  }

  async #commit(who: Administrator, options: CommitOptions): Promise<Answer<Committed>> {
    const { comment, confirmMs, ifRevision, ifVersion } = options;
    const merged = this.#candidates.merged(who.session);
    if (!merged.ok && merged.refusal.kind === 'not-found') return refuseNoChanges();
    const running = this.#vault.head().number;
    if (ifRevision !== undefined && ifRevision !== running) return refuseStale('the running revision', running);
    const waiting = this.#vault.db.unconfirmed();
    if (waiting !== undefined) return refuseUnconfirmed(waiting);
    if (!merged.ok) return merged;
    const { draft, head, tree } = merged;
    const { version } = draft.info;
    if (ifVersion !== undefined && ifVersion !== version) return refuseStale('the version of the candidate', version);
    if (isSame(tree, head.document)) {
      this.#vault.db.removeCandidate(who.session);
      return refuseNoChanges();
    }
    return this.#installation.install({ tree, author: who.name, comment, session: who.session, confirmMs });
  }

  #check(tree: Json, number: number): Promise<CheckedDocument> {
    return this.#ports.check(this.#vault.open(tree), number);
  }

  #tree(which: Which): Answer<Tree> {
    if (typeof which === 'object') {
      const draft = this.#vault.draft(which.session);
      if (draft !== undefined)
        return { ok: true, revision: draft.info.base, version: draft.info.version, tree: draft.document };
    }
    if (typeof which !== 'number') {
      const { number, document } = this.#vault.head();
      return { ok: true, revision: number, tree: document };
    }
    const revision = this.#kept(which);
    return revision === undefined ? this.#noRevision(which) : { ok: true, revision: which, tree: revision.document };
  }

  /** What others have committed since a candidate began is no change of the candidate. */
  async #asCommitted(which: Which): Promise<Answer<Tree>> {
    const found = this.#tree(which);
    const draft = typeof which === 'object' ? this.#vault.draft(which.session) : undefined;
    return found.ok && draft !== undefined ? { ...found, tree: this.#candidates.overHead(draft) } : found;
  }

  #kept(number: number): StoredRevision | undefined {
    return number > 0 && number < this.#vault.db.oldestKept() ? undefined : this.#vault.revision(number);
  }

  #noRevision(number: number) {
    const oldest = this.#vault.db.oldestKept();
    if (number < 1 || number >= oldest) return refuseMissing(`there is no revision ${number}`);
    return refuseMissing(
      `revision ${number} is no longer kept: the oldest is ${oldest} (system.revisionsKept says how many are kept)`,
    );
  }

  /** A disk that is full or broken is an answer, too. */
  async #answer<T>(work: () => Promise<Answer<T>>): Promise<Answer<T>> {
    try {
      return await this.#serially(work);
    } catch (error) {
      const why = whyOf(error);
      this.#ports.note('critical', `configuration store: ${why}`);
      return refuseFailed(why);
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

const infoOf = ({ number, atMs, author, comment, rollbackTo }: RevisionInfo): RevisionInfo => ({
  number,
  atMs,
  author,
  comment,
  ...(rollbackTo === undefined ? {} : { rollbackTo }),
});
