/**
 * The revocation lists that a command line judges with when no gateway is asked: copies of those in a data folder, and
 * what is missing there is fetched now, or when a certificate names it. Nothing is written back: the folder belongs to a
 * gateway. Effects: a temporary folder until it is closed or the process ends, downloads.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config, Material } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import { CrlSeeker } from '../pipeline/crl-seeker.io.ts';
import { pointProfilesOf } from '../tls/crl-points.ts';
import { openCrlStore } from '../tls/crl-store.io.ts';

export type OfflineRevocation = {
  readonly config: Config;
  readonly material: Material;
  /** Where relative file: URLs start. */
  readonly baseDir: string;
  /** A gateway's data folder; undefined fetches every list. */
  readonly dataDir: string | undefined;
  readonly clock: Clock;
  readonly log: MailLog;
};

export class OfflineLists extends CrlSeeker {
  readonly #onClose: () => void;

  constructor(want: ConstructorParameters<typeof CrlSeeker>[0], onClose: () => void) {
    super(want);
    this.#onClose = onClose;
  }

  /** Ends the downloads that nobody waits for any more. */
  close(): void {
    this.#onClose();
  }
}

/** Takes at most 10 s; a source that gave nothing by then counts as one that has never had a good copy. */
export async function offlineRevocation(options: OfflineRevocation): Promise<OfflineLists> {
  const { config, material, baseDir, dataDir, clock, log } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  for (const name of dataDir === undefined ? [] : ['crl', 'crl-points']) {
    const kept = path.join(dataDir ?? '', name);
    if (existsSync(kept)) await cp(kept, path.join(folder, name), { recursive: true });
  }
  const close = (): void => {
    store.stop();
    remove();
    process.removeListener('exit', remove);
  };
  const crls = new OfflineLists((requests) => store.want(requests), close);
  const store = openCrlStore({
    settings: { ...config.crl, sources: fetchedOnce(config.crl.sources) },
    authorities: Object.values(material.authorities),
    baseDir,
    points: pointProfilesOf(config),
    dataDir: folder,
    clock,
    log,
    publish: (next) => {
      crls.set = next;
    },
  });
  await store.start();
  return crls;
}

/** With a copy at hand a source on a `manual` schedule is not asked again. */
const fetchedOnce = (sources: Config['crl']['sources']): Config['crl']['sources'] =>
  Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, { ...source, schedule: 'manual' }]));
