/**
 * The configuration store's contents: revisions whose secrets are encrypted one by one, and candidates that are encrypted
 * whole. Trees come out with their secrets still encrypted (`document-secrets.ts`); only `open` shows them, to what
 * checks and builds. Effects: the database, the master key, randomness.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DAY_MS } from '../core/duration.ts';
import { GatewayError } from '../core/errors.ts';
import { type CandidateInfo, SYSTEM_AUTHOR } from './configuration-store.ts';
import type { Json } from './document.ts';
import { openSecrets, resealSecrets, type SealedDocument, sealSecrets } from './document-secrets.ts';
import {
  adoptNextKey,
  makeNextKey,
  masterKeyFile,
  type MasterKey,
  readMasterKey,
  takeUpNextKey,
} from './master-key.io.ts';
import { NONCE_BYTES, open, seal } from './sealing.ts';
import { StoreDatabase, type StoredRevision } from './store-database.io.ts';

const KEY_ID = 'master key';
const LAST_VERSION = 'last candidate version';
const PURPOSE = 'candidate';
const CANDIDATE_KEPT_MS = 30 * DAY_MS;
const MAX_CANDIDATES = 1000;

export type VaultPlace = {
  readonly dataDir: string;
  readonly keyFile?: string | undefined;
  /** $CREDENTIALS_DIRECTORY of systemd. */
  readonly credentials?: string | undefined;
};

export type Draft = { readonly info: CandidateInfo; readonly document: Json };

/** What a store has before its first commit, and what candidates start from then. */
const NOTHING: StoredRevision = {
  number: 0,
  atMs: 0,
  author: SYSTEM_AUTHOR,
  comment: 'no configuration yet',
  document: {},
};

export class StoreVault {
  readonly db: StoreDatabase;
  readonly #isCredential: boolean;
  #key: MasterKey;

  private constructor(db: StoreDatabase, key: MasterKey, isCredential: boolean) {
    this.db = db;
    this.#key = key;
    this.#isCredential = isCredential;
  }

  /** Throws GatewayError `storage` with the reason: in use, damaged, no key, another key. */
  static open({ dataDir, keyFile, credentials }: VaultPlace): StoreVault {
    const db = StoreDatabase.open(dataDir);
    try {
      const needed = db.setting(KEY_ID);
      const file = masterKeyFile(dataDir, keyFile, credentials);
      let key = readMasterKey(file, { mayMake: needed === undefined });
      if (needed === undefined) db.setSetting(KEY_ID, key.id);
      else if (needed !== key.id) {
        const next = takeUpNextKey(key, needed);
        if (next === undefined)
          throw new GatewayError('storage', `${key.file} is not the master key that ${db.file} was written with`);
        key = next;
      }
      return new StoreVault(db, key, credentials !== undefined && path.dirname(file) === path.resolve(credentials));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.head() === NOTHING;
  }

  /** The revision in force. */
  head(): StoredRevision {
    return this.db.head() ?? NOTHING;
  }

  revision(number: number): StoredRevision | undefined {
    return number === 0 ? NOTHING : this.db.revision(number);
  }

  draft(session: string): Draft | undefined {
    const stored = this.db.candidate(session);
    if (stored === undefined) return undefined;
    const { sealed, ...info } = stored;
    return { info, document: this.#openDraft(sealed) };
  }

  /** Undefined where there are too many candidates. */
  putDraft(info: Omit<CandidateInfo, 'version'>, document: Json): Draft | undefined {
    this.db.removeCandidatesBefore(info.changedMs - CANDIDATE_KEPT_MS);
    const others = this.db.candidates().filter(({ session }) => session !== info.session);
    if (others.length >= MAX_CANDIDATES) return undefined;
    // Never the same number twice, or an If-Match could fit a candidate that was cleared and begun anew.
    const version = Number(this.db.setting(LAST_VERSION) ?? 0) + 1;
    const sealed = seal(this.#key.key, { secret: JSON.stringify(document), nonce: nonce(), purpose: PURPOSE });
    this.db.setSetting(LAST_VERSION, String(version));
    this.db.putCandidate({ ...info, version, sealed });
    return { info: { ...info, version }, document };
  }

  seal(document: Json, known: readonly Json[]): SealedDocument {
    return sealSecrets(document, known, { key: this.#key.key, nonce });
  }

  open(document: Json): Json {
    return openSecrets(document, { key: this.#key.key, nonce });
  }

  /**
   * Encrypts everything under another key: one that is made and takes the place of the present one, or that of the file
   * `to`, which is made where it is not there. At whatever moment this ends, one key file that is there fits the store.
   * Throws GatewayError `storage` with the reason, and has changed nothing then.
   */
  rekey(to: string | undefined): { readonly file: string; readonly secrets: number } {
    if (to === undefined && this.#isCredential)
      throw new GatewayError(
        'storage',
        `${this.#key.file} is a credential of systemd, which nobody can write: stop the gateway, config rekey --to FILE, and make FILE the credential`,
      );
    const next = to === undefined ? makeNextKey(this.#key) : readMasterKey(path.resolve(to), { mayMake: true });
    const [from, done] = [this.#key.key, new Map<string, string>()];
    const document = (tree: Json): Json => resealSecrets(tree, from, { key: next.key, nonce }, done);
    const sealed = (box: string): string => {
      const secret = JSON.stringify(document(this.#openDraft(box)));
      return seal(next.key, { secret, nonce: nonce(), purpose: PURPOSE });
    };
    this.db.rewrite({ document, sealed }, [KEY_ID, next.id]);
    this.#key = to === undefined ? adoptNextKey(this.#key) : next;
    return { file: this.#key.file, secrets: done.size };
  }

  #openDraft(box: string): Json {
    const text = open(this.#key.key, { box, purpose: PURPOSE });
    if (text === undefined) throw new GatewayError('storage', `${this.db.file} is damaged: a candidate does not open`);
    return JSON.parse(text) as Json;
  }

  /**
   * Puts the revision before an unconfirmed one in force again, before anything runs: at a start after the deadline, or
   * where the unconfirmed one cannot start. False where nothing waits for confirmation.
   */
  goBack(nowMs: number, comment: string): boolean {
    const waiting = this.db.unconfirmed();
    const former = waiting === undefined ? undefined : this.revision(waiting.backTo);
    if (waiting === undefined || former === undefined) return false;
    const { document, number: rollbackTo } = former;
    const number = this.head().number + 1;
    this.db.record({ revision: { number, atMs: nowMs, author: SYSTEM_AUTHOR, comment, rollbackTo, document } });
    return true;
  }
}

const nonce = (): Buffer => randomBytes(NONCE_BYTES);
