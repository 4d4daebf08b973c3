/**
 * A receive thread's view of the revocation lists: the set in force, and the way to lists that are not here yet. The
 * control thread is told which distribution points a session needs; the session waits a bounded moment for the set that
 * answers. Nothing is fetched on this thread. Effects: messages to the control thread, timers.
 */
import type { Inquiry } from '../identity/identify.io.ts';
import type { Certificate } from '../tls/certificate.ts';
import { openRequests, type PointRequest, type PointStates, pointKey, requestsOf } from '../tls/crl-points.ts';
import { type CrlSet, EMPTY_CRL_SET, type Unknown } from '../tls/revocation.ts';

type Fetching = { readonly allowHosts: readonly string[]; readonly wait: number };

/** How often the control thread hears that a distribution point is still in use. */
const USE_TOLD_MS = 3_600_000;
const MAX_NOTED = 4096;
const NONE: PointStates = new Map();

export class CrlSeeker {
  readonly #tell: (requests: readonly PointRequest[]) => void;
  readonly #waiting = new Set<() => void>();
  readonly #toldMs = new Map<string, number>();
  #set: CrlSet = EMPTY_CRL_SET;

  constructor(tell: (requests: readonly PointRequest[]) => void) {
    this.#tell = tell;
  }

  get set(): CrlSet {
    return this.#set;
  }
  set set(next: CrlSet) {
    this.#set = next;
    for (const look of [...this.#waiting]) look();
  }

  /** These certificates, below the anchor, are being judged: their lists are in use. */
  noteUse(path: readonly Certificate[], allowHosts: readonly string[], nowMs: number): void {
    const states = this.#set.points ?? NONE;
    const used = path.slice(0, -1).flatMap((certificate) => requestsOf(certificate, allowHosts));
    const due = used.filter((request) => {
      const key = pointKey(request);
      const toldMs = this.#toldMs.get(key);
      return states.has(key) && (toldMs === undefined || nowMs >= toldMs + USE_TOLD_MS || nowMs < toldMs);
    });
    if (due.length === 0) return;
    if (this.#toldMs.size > MAX_NOTED) this.#toldMs.clear();
    for (const request of due) this.#toldMs.set(pointKey(request), nowMs);
    this.#tell(due);
  }

  /** Asks for the lists that these certificates name and waits until each attempt is over, or as long as allowed. */
  async seek(unknown: Unknown, { allowHosts, wait }: Fetching): Promise<Inquiry> {
    const open = (): PointRequest[] => openRequests(unknown, this.#set.points ?? NONE, allowHosts);
    const first = open();
    if (first.length === 0) return 'nothing';
    this.#tell(first);
    await this.#until(() => open().length === 0, wait);
    return open().length === 0 ? 'news' : 'pending';
  }

  #until(holds: () => boolean, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => (holds() ? end() : undefined);
      const timer = setTimeout(end, waitMs);
      this.#waiting.add(look);
    });
  }
}
