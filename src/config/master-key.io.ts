/**
 * The key under which the configuration store encrypts secrets: 32 random octets in a file of their own, outside the
 * store, so that a copy of the store alone shows none. `--key-file FILE`, else the systemd credential `master.key`,
 * else `master.key` in the data folder, which is made with the first store. Effects: files, randomness.
 */
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { codeOf, GatewayError } from '../core/errors.ts';

const NAME = 'master.key';
const KEY_BYTES = 32;
const OTHERS_MAY_READ = 0o007;

export type MasterKey = {
  readonly file: string;
  readonly key: Buffer;
  /** Names the key and tells nothing of it: the store says with it which key it needs. */
  readonly id: string;
};

/** `--key-file`, else a systemd credential, else the one in the data folder. */
export function masterKeyFile(dataDir: string, given: string | undefined, credentials: string | undefined): string {
  if (given !== undefined) return path.resolve(given);
  const credential = credentials === undefined ? undefined : path.join(credentials, NAME);
  return credential !== undefined && fs.existsSync(credential) ? credential : path.join(dataDir, NAME);
}

/** `mayMake`: the store is new and no secret depends on a key yet. Throws GatewayError `storage` with the reason. */
export function readMasterKey(file: string, { mayMake }: { mayMake: boolean }): MasterKey {
  if (mayMake && !fs.existsSync(file)) makeKey(file);
  let text: string;
  try {
    if ((fs.statSync(file).mode & OTHERS_MAY_READ) !== 0)
      throw new GatewayError('storage', `${file} is open to everybody: chmod 600 it, and change the secrets`);
    text = fs.readFileSync(file, 'latin1');
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const why = codeOf(error) === 'ENOENT' ? 'is missing' : String(error);
    throw new GatewayError(
      'storage',
      `${file} ${why}: without the master key the secrets of the configuration store cannot be read; put it back, or name it with --key-file`,
    );
  }
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) throw new GatewayError('storage', `${file} is not a master key: 32 octets in base64`);
  return { file, key, id: idOf(key) };
}

const idOf = (key: Buffer): string =>
  createHmac('sha256', key).update('sallyport master key id').digest('hex').slice(0, 16);

/** On stable storage, under its name, before anything is encrypted with it. */
function makeKey(file: string, like?: string): void {
  const draft = `${file}.new`;
  const handle = fs.openSync(draft, 'w', 0o600);
  try {
    fs.writeSync(handle, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    if (like !== undefined && process.getuid?.() === 0) {
      const { uid, gid } = fs.statSync(like);
      fs.fchownSync(handle, uid, gid);
    }
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
  renameDurably(draft, file);
}

/** Where a new key lies until the store is encrypted with it. */
const nextOf = (file: string): string => `${file}.next`;

/** A key to change to, beside the one that it will replace, of the same owner. */
export function makeNextKey({ file }: MasterKey): MasterKey {
  const next = nextOf(file);
  fs.rmSync(next, { force: true });
  makeKey(next, file);
  return readMasterKey(next, { mayMake: false });
}

/** The store is encrypted with the next key: it takes the place of the one before. */
export function adoptNextKey({ file }: MasterKey): MasterKey {
  renameDurably(nextOf(file), file);
  return readMasterKey(file, { mayMake: false });
}

/** The key that the store needs, where a change of keys was cut short after the store had the next one. */
export function takeUpNextKey(key: MasterKey, needed: string): MasterKey | undefined {
  if (!fs.existsSync(nextOf(key.file))) return undefined;
  return readMasterKey(nextOf(key.file), { mayMake: false }).id === needed ? adoptNextKey(key) : undefined;
}

function renameDurably(from: string, file: string): void {
  fs.renameSync(from, file);
  const folder = fs.openSync(path.dirname(file), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
