/**
 * The configuration of a gateway that runs with `--config FILE`: the file is the only truth. Everything can be read and
 * compared, nothing changed; SIGHUP reads the file again. A session's candidate is, here, the file as it is on disk now.
 * Revisions are counted from the start of the process, and the last ones kept in memory. Effects: through its ports.
 */
import { whyOf } from '../core/errors.ts';
import { changesBetween } from './change-view.ts';
import type { CheckedDocument, ConfigurationPorts } from './configuration-ports.ts';
import { ConfigurationReader, type Tree } from './configuration-reader.ts';
import type {
  Answer,
  Candidate,
  Change,
  Checked,
  ConfigurationStore,
  ExportOptions,
  Json,
  Path,
  RevisionInfo,
  StoreFault,
  StoreStatus,
  Which,
} from './configuration-store.ts';
import { refuseFailed, refuseFaults, refuseFileMode, refuseMissing, type Refused } from './refusals.ts';
import type { Revision } from './schema.ts';

const KEPT = 20;

export type FilePorts = Omit<ConfigurationPorts, 'check' | 'committed'> & {
  readonly file: string;
  readonly check: (number: number) => Promise<CheckedDocument>;
};

type Held = RevisionInfo & { readonly document: Json };

export class FileConfiguration implements ConfigurationStore {
  readonly mode = 'file';
  readonly #ports: FilePorts;
  readonly #reader: ConfigurationReader;
  #held: readonly Held[];
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: FilePorts, document: Json) {
    this.#ports = ports;
    this.#held = [{ ...this.#info(1, 'read at the start'), document }];
    this.#reader = new ConfigurationReader({ find: (which) => this.#tree(which), open: (tree) => tree, ports });
  }

  async status(): Promise<StoreStatus> {
    return { mode: 'file', file: this.#ports.file, running: infoOf(this.#head()), candidates: [] };
  }

  document(which: Which, path: Path = []): ReturnType<ConfigurationReader['document']> {
    return this.#reader.document(which, path);
  }

  async history({ before, limit = KEPT }: { before?: number; limit?: number } = {}): Promise<readonly RevisionInfo[]> {
    const newestFirst = this.#held.toReversed().map(infoOf);
    return newestFirst.filter(({ number }) => before === undefined || number < before).slice(0, limit);
  }

  async revision(number: number): Promise<Answer<{ revision: RevisionInfo; changes: readonly Change[] }>> {
    const revision = this.#held.find((held) => held.number === number);
    if (revision === undefined) return noRevision(number);
    const before = this.#held.find((held) => held.number === number - 1);
    return { ok: true, revision: infoOf(revision), changes: changesBetween(before?.document ?? {}, revision.document) };
  }

  diff(from: Which, to: Which): Promise<Answer<{ changes: readonly Change[] }>> {
    return this.#reader.diff(from, to);
  }

  export(options: ExportOptions): Promise<Answer<{ text: string }>> {
    return this.#reader.export(options);
  }

  async candidate(): Promise<Answer<{ candidate: Candidate }>> {
    return refuseMissing('the file is the only truth: there are no uncommitted changes');
  }

  /** What SIGHUP would say to the file as it is now. */
  async validate(): Promise<Answer<Checked>> {
    const checked = await this.#ports.check(this.#head().number + 1);
    if (!checked.ok) return refuseFaults(checked.found, 'the file is not right');
    return { ok: true, warnings: checked.found, changes: changesBetween(this.#head().document, checked.document) };
  }

  async compiled(which: Which): Promise<Answer<{ revision: Revision; warnings: readonly StoreFault[] }>> {
    if (typeof which !== 'object') {
      const revision = this.#ports.running();
      const isRunning = which === 'running' || which === revision?.number;
      return revision !== undefined && isRunning ? { ok: true, revision, warnings: [] } : noRevision(which);
    }
    const checked = await this.#ports.check(this.#head().number + 1);
    if (!checked.ok) return refuseFaults(checked.found, 'the file is not right');
    return { ok: true, revision: checked.revision, warnings: checked.found };
  }

  readonly edit = (): Promise<Refused> => this.#refuse();
  readonly load = (): Promise<Refused> => this.#refuse();
  readonly clear = (): Promise<Refused> => this.#refuse();
  readonly rebase = (): Promise<Refused> => this.#refuse();
  readonly commit = (): Promise<Refused> => this.#refuse();
  readonly confirm = (): Promise<Refused> => this.#refuse();
  readonly rollback = (): Promise<Refused> => this.#refuse();
  readonly rekey = (): Promise<Refused> => this.#refuse();

  /** SIGHUP. With faults, or where a thread cannot build it, nothing changes. */
  reload(): Promise<Answer<{ warnings: readonly StoreFault[] }>> {
    const next = this.#last.then(() => this.#reload());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async close(): Promise<void> {
    await this.#last;
  }

  async #reload(): Promise<Answer<{ warnings: readonly StoreFault[] }>> {
    try {
      const number = this.#head().number + 1;
      const checked = await this.#ports.check(number);
      if (!checked.ok) return refuseFaults(checked.found, 'the file is not right');
      const { revision, document, found } = checked;
      await this.#ports.apply(revision, found, () => {
        this.#held = [...this.#held, { ...this.#info(number, 'read again'), document }].slice(-KEPT);
      });
      return { ok: true, warnings: found };
    } catch (error) {
      return refuseFailed(whyOf(error));
    }
  }

  async #refuse(): Promise<Refused> {
    return refuseFileMode(this.#ports.file);
  }

  async #tree(which: Which): Promise<Answer<Tree>> {
    if (typeof which === 'object') {
      const checked = await this.#ports.check(this.#head().number + 1);
      if (!checked.ok) return refuseFaults(checked.found, 'the file is not right');
      return { ok: true, revision: this.#head().number, version: 0, tree: checked.document };
    }
    const held = which === 'running' ? this.#head() : this.#held.find(({ number }) => number === which);
    return held === undefined ? noRevision(which) : { ok: true, revision: held.number, tree: held.document };
  }

  #head(): Held {
    const head = this.#held.at(-1);
    if (head === undefined) throw new Error('a configuration of a file has at least one revision');
    return head;
  }

  #info(number: number, comment: string): RevisionInfo {
    return { number, atMs: this.#ports.now(), author: this.#ports.file, comment };
  }
}

const infoOf = ({ number, atMs, author, comment }: RevisionInfo): RevisionInfo => ({ number, atMs, author, comment });
const noRevision = (number: number | 'running'): Refused => refuseMissing(`there is no revision ${number}`);
