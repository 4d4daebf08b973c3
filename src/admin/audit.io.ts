/**
 * The audit record: who did what, when, from where, how they had proved who they are, and what came of it. An entry is
 * on disk before the change it tells of begins, its outcome after; an entry without an outcome is a change during which
 * the gateway ended. Where an entry cannot be written, the change does not happen. Nothing is ever altered or removed.
 * AsyncOS: audit logs. Effects: the accounts' database, the mail log.
 */
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { type AccountsDatabase, number, optionalNumber, type Row, text } from './accounts-database.io.ts';

/** `local`: the control socket. `none`: nobody was signed in. */
export type How = 'password' | 'passkey' | 'certificate' | 'token' | 'local' | 'none';

export type AuditFacts = {
  readonly actor: string;
  readonly how: How;
  readonly address: string;
  /** The operation of the route table: `commit`, `login`. */
  readonly action: string;
  /** What it was about: the path's parameters. */
  readonly target: string;
  /** What the route table says is kept of the request. */
  readonly facts: Readonly<Record<string, unknown>>;
};

export type AuditEntry = AuditFacts & {
  readonly id: number;
  readonly atMs: number;
  readonly endedMs?: number;
  /** `done`, or the kind of the problem. */
  readonly outcome?: string;
  readonly detail?: string;
};

const MAX_FACTS_CHARS = 16_384;
const MAX_TEXT_CHARS = 1000;

export class AuditRecord {
  readonly #db: AccountsDatabase;
  readonly #clock: Clock;
  readonly #log: MailLog;

  constructor(db: AccountsDatabase, clock: Clock, log: MailLog) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns when the entry is on disk; the id for `ended`. */
  began(facts: AuditFacts): number {
    const { actor, how, address, action, target } = facts;
    const values = [actor, how, address, action, target].map(cut);
    return this.#db.insert('insertAudit', this.#clock.now(), ...values, renderFacts(facts.facts));
  }

  ended(id: number, facts: AuditFacts, outcome: string, detail: string): void {
    this.#db.run('insertOutcome', id, this.#clock.now(), outcome, cut(detail));
    this.#tell(facts, outcome, detail);
  }

  /** Something that has happened already: a login. */
  record(facts: AuditFacts, outcome: string, detail: string): void {
    this.#db.transaction(() => {
      const id = this.began(facts);
      this.#db.run('insertOutcome', id, this.#clock.now(), outcome, cut(detail));
    });
    this.#tell(facts, outcome, detail);
  }

  /** Newest first. */
  read(page: {
    readonly before?: number | undefined;
    readonly actor?: string | undefined;
    readonly action?: string | undefined;
    readonly limit: number;
  }): AuditEntry[] {
    const { before = Number.MAX_SAFE_INTEGER, actor = null, action = null, limit } = page;
    return this.#db.all('audit', before, actor, action, limit).map(entryOf);
  }

  #tell({ actor, how, address, action, target }: AuditFacts, outcome: string, detail: string): void {
    this.#log.emit({
      event: 'audit',
      actor,
      how,
      address,
      action,
      target,
      outcome,
      ...(detail === '' ? {} : { detail }),
    });
  }
}

const cut = (value: string): string => value.slice(0, MAX_TEXT_CHARS);

function renderFacts(facts: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(facts);
  return json.length <= MAX_FACTS_CHARS ? json : JSON.stringify({ tooLong: json.slice(0, MAX_FACTS_CHARS) });
}

function entryOf(row: Row): AuditEntry {
  const endedMs = optionalNumber(row['ended_ms']);
  return {
    id: number(row['id']),
    atMs: number(row['at_ms']),
    actor: text(row['actor']),
    how: text(row['how']) as How,
    address: text(row['address']),
    action: text(row['action']),
    target: text(row['target']),
    facts: JSON.parse(text(row['facts'])) as Record<string, unknown>,
    ...(endedMs === undefined ? {} : { endedMs, outcome: text(row['outcome']), detail: text(row['detail']) }),
  };
}
