/**
 * What the store puts right before it takes requests. A crash can leave spool files that no message refers to: they
 * were never promised to anyone and are removed. A message whose spool file is gone or cut short (a disk that lied, a
 * person with rm) is held: reported, kept in the list, not delivered; it is let go when the file is back.
 * Leases need no care: they live in memory.
 * Effects: the spool folder, the database.
 */
import fs from 'node:fs';
import path from 'node:path';
import { COUNTER_BLOCK, type CounterValues } from './id-counters.ts';
import type { QueueDatabase } from './queue-database.io.ts';
import { isSpoolName, isTemporarySpoolName } from './spool.io.ts';

export type RecoveryReport = {
  readonly orphansRemoved: number;
  readonly temporaryRemoved: number;
  /** MIDs that are held because their body is missing or incomplete; newly so, and since before. */
  readonly held: readonly number[];
  /** MIDs whose body is back. */
  readonly letGo: readonly number[];
  /** The first numbers to give, beyond every number that may have been given before. */
  readonly ids: CounterValues;
  /** Numbers below these are set aside now. */
  readonly reserved: CounterValues;
};

/** Throws what the file system and SQLite throw. */
export function recover(db: QueueDatabase, spoolDir: string): RecoveryReport {
  const files = new Set(fs.readdirSync(spoolDir));
  const temporaryRemoved = removeAll(spoolDir, [...files].filter(isTemporarySpoolName));
  const orphans = new Set([...files].filter(isSpoolName));
  const highestFile = [...orphans].reduce((highest, file) => Math.max(highest, Number.parseInt(file, 10)), 0);
  const held: number[] = [];
  const letGo: number[] = [];
  db.begin();
  for (const { mid, size, file } of db.spooled()) {
    orphans.delete(file);
    const whole = isSpoolName(file) && sizeOf(path.join(spoolDir, file)) === size;
    if (!whole) held.push(mid);
    if (db.hold(mid, !whole) > 0 && whole) letGo.push(mid);
  }
  const { ids, reserved } = reserveIds(db, highestFile);
  db.commit();
  const orphansRemoved = removeAll(spoolDir, [...orphans]);
  return { orphansRemoved, temporaryRemoved, held, letGo, ids, reserved };
}

function reserveIds(db: QueueDatabase, highestFile: number): { ids: CounterValues; reserved: CounterValues } {
  const stored = db.readIds();
  const ids = { ...stored, mid: Math.max(stored.mid, db.highestMid() + 1, highestFile + 1) };
  const reserved = { icid: ids.icid + COUNTER_BLOCK, mid: ids.mid + COUNTER_BLOCK, dcid: ids.dcid + COUNTER_BLOCK };
  db.writeIds(reserved);
  return { ids, reserved };
}

function removeAll(folder: string, files: readonly string[]): number {
  for (const file of files) fs.rmSync(path.join(folder, file), { force: true });
  return files.length;
}

const sizeOf = (file: string): number | undefined => {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() === true ? stat.size : undefined;
};

/** Makes the names in a folder durable. */
export function syncFolderNow(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
