/**
 * Putting a document into force as the next revision, and going back from one that nobody confirms. The order is the
 * promise: checked, built everywhere, written down, adopted. Before the third step a crash or a failure leaves the old
 * revision, from it on the new one. AsyncOS: commit. Effects: the store's database, a timer, its ports.
 */
import { whyOf } from '../core/errors.ts';
import { isoSeconds } from '../core/time-text.ts';
import { changesBetween } from './change-view.ts';
import type { ConfigurationPorts } from './configuration-ports.ts';
import {
  type Answer,
  type Committed,
  type Json,
  MAX_CONFIRM_MS,
  type RevisionInfo,
  SYSTEM_AUTHOR,
  type Unconfirmed,
} from './configuration-store.ts';
import { refuseFailed, refuseFaults, refuseImpossible, refuseMissing } from './refusals.ts';
import type { StoreVault } from './store-vault.io.ts';

/** Far below the 2^31 - 1 ms beyond which a timer of the platform fires at once. */
const AGAIN_MS = 60_000;
const MAX_NAME_CHARS = 200;
const MAX_COMMENT_CHARS = 2000;

export type Installing = {
  readonly tree: Json;
  readonly author: string;
  readonly comment: string;
  readonly rollbackTo?: number | undefined;
  readonly session?: string;
  readonly confirmMs?: number | undefined;
};

export class Installation {
  readonly #vault: StoreVault;
  readonly #ports: ConfigurationPorts;
  /** Runs work when nothing else changes the store. */
  readonly #serially: (work: () => Promise<void>) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  constructor(vault: StoreVault, ports: ConfigurationPorts, serially: (work: () => Promise<void>) => Promise<void>) {
    this.#vault = vault;
    this.#ports = ports;
    this.#serially = serially;
    const waiting = vault.db.unconfirmed();
    if (waiting !== undefined) this.#arm(waiting.deadlineMs - ports.now());
  }

  async install(wanted: Installing): Promise<Answer<Committed>> {
    const { tree, confirmMs } = wanted;
    const head = this.#vault.head();
    if (confirmMs !== undefined) {
      if (head.number === 0) return refuseImpossible('there is no revision to go back to yet');
      if (!(confirmMs >= 1000 && confirmMs <= MAX_CONFIRM_MS))
        return refuseImpossible('the time to confirm is from 1s to 24h');
    }
    const number = head.number + 1;
    const checked = await this.#ports.check(this.#vault.open(tree), number);
    if (!checked.ok) return refuseFaults(checked.found, 'nothing was committed');
    let recorded: { info: RevisionInfo; unconfirmed: Unconfirmed | undefined } | undefined;
    try {
      await this.#ports.apply(checked.revision, checked.found, () => {
        const { revisionsKept } = checked.revision.config.system;
        recorded = this.#record({ number, backTo: head.number, keep: revisionsKept }, wanted);
      });
    } catch (error) {
      const why = whyOf(error);
      if (recorded === undefined) return refuseFailed(why);
      this.#ports.note('critical', `revision ${number} is committed and in force, but: ${why}`);
    }
    if (recorded === undefined) return refuseFailed('the revision was not written down');
    const { info, unconfirmed } = recorded;
    this.#arm(unconfirmed === undefined ? undefined : wanted.confirmMs);
    this.#ports.committed(info, unconfirmed);
    return {
      ok: true,
      revision: info,
      changes: changesBetween(head.document, tree),
      warnings: checked.found,
      ...(unconfirmed === undefined ? {} : { unconfirmed }),
    };
  }

  confirm(name: string): Answer<{ revision: RevisionInfo }> {
    if (this.#vault.db.unconfirmed() === undefined) return refuseMissing('no revision waits to be confirmed');
    this.#vault.db.confirm();
    this.#arm(undefined);
    const { document: _, ...revision } = this.#vault.head();
    this.#ports.note('info', `User ${name} confirmed revision ${revision.number}`);
    return { ok: true, revision };
  }

  stop(): void {
    this.#arm(undefined);
  }

  #record(
    { number, backTo, keep }: { readonly number: number; readonly backTo: number; readonly keep: number },
    wanted: Installing,
  ): { info: RevisionInfo; unconfirmed: Unconfirmed | undefined } {
    const { tree, rollbackTo, session, confirmMs } = wanted;
    const atMs = this.#ports.now();
    const author = wanted.author.slice(0, MAX_NAME_CHARS);
    const info: RevisionInfo = {
      number,
      atMs,
      author,
      comment: wanted.comment.slice(0, MAX_COMMENT_CHARS),
      ...(rollbackTo === undefined ? {} : { rollbackTo }),
    };
    const unconfirmed =
      confirmMs === undefined ? undefined : { revision: number, backTo, deadlineMs: atMs + confirmMs, author };
    this.#vault.db.record({
      revision: { ...info, document: tree },
      keep,
      ...(session === undefined ? {} : { session }),
      ...(unconfirmed === undefined ? {} : { unconfirmed }),
    });
    return { info, unconfirmed };
  }

  #arm(afterMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (afterMs === undefined) return;
    // A wall clock that was set back must not make the wait longer than was asked for.
    const waitMs = Math.min(MAX_CONFIRM_MS, Math.max(0, afterMs));
    this.#timer = setTimeout(() => void this.#serially(() => this.#goBack()), waitMs);
    this.#timer.unref();
  }

  async #goBack(): Promise<void> {
    const waiting = this.#vault.db.unconfirmed();
    const former = waiting === undefined ? undefined : this.#vault.revision(waiting.backTo);
    if (waiting === undefined || former === undefined) return;
    const answer = await this.install({
      tree: former.document,
      author: SYSTEM_AUTHOR,
      comment: `revision ${waiting.revision} was not confirmed before ${isoSeconds(waiting.deadlineMs)}`,
      rollbackTo: waiting.backTo,
    });
    if (answer.ok) return;
    this.#ports.note('critical', `cannot go back to revision ${waiting.backTo}: ${answer.refusal.why}`);
    this.#arm(AGAIN_MS);
  }
}
