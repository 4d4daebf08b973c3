/**
 * Secrets in an exported file, encrypted under a passphrase: `sealed:scrypt:N:r:p:SALT:BOX`, so that each carries all
 * that opening it needs. scrypt (RFC 7914) makes the key, AES-256-GCM (`sealing.ts`) the box. Pure: salt and nonces are
 * handed in; the derivation runs on the thread pool of the platform.
 */
import { scrypt } from 'node:crypto';
import { open, seal } from './sealing.ts';

/** 128 MiB and about 0.4 s for one derivation; a file has one salt, so one derivation. */
const COST = { N: 131_072, r: 8, p: 1 } as const;
const MAX_COST_BYTES = 256 * 1024 * 1024;
const KEY_BYTES = 32;
const FORM = /^sealed:scrypt:(\d{1,7}):(\d{1,3}):(\d{1,3}):([A-Za-z0-9+/=]{8,100}):([A-Za-z0-9+/=]+)$/;
const PURPOSE = 'export';

export const isSealedForExport = (text: string): boolean => text.startsWith('sealed:scrypt:');

type Cost = { readonly N: number; readonly r: number; readonly p: number };

/** Seals any number of secrets of one file. */
export async function exportSealer(
  passphrase: string,
  salt: Buffer,
  nonce: () => Buffer,
): Promise<(secret: string) => string> {
  const key = await deriveKey(passphrase, salt, COST);
  const head = `sealed:scrypt:${COST.N}:${COST.r}:${COST.p}:${salt.toString('base64')}`;
  return (secret) => `${head}:${seal(key, { secret, nonce: nonce(), purpose: PURPOSE })}`;
}

/** Opens the secrets of one file. `undefined`: not in this form, or not under this passphrase. */
export class ExportOpener {
  readonly #passphrase: string;
  readonly #keys = new Map<string, Promise<Buffer>>();

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  async open(text: string): Promise<string | undefined> {
    const [, n, r, p, salt = '', box = ''] = FORM.exec(text) ?? [];
    const cost = { N: Number(n), r: Number(r), p: Number(p) };
    if (!costIsBearable(cost)) return undefined;
    const id = `${n}:${r}:${p}:${salt}`;
    // A forged file could name a thousand salts, and each costs half a second.
    if (!this.#keys.has(id) && this.#keys.size >= 4) return undefined;
    const key = this.#keys.get(id) ?? deriveKey(this.#passphrase, Buffer.from(salt, 'base64'), cost);
    this.#keys.set(id, key);
    return open(await key, { box, purpose: PURPOSE });
  }
}

const costIsBearable = ({ N, r, p }: Cost): boolean =>
  N >= 2 && (N & (N - 1)) === 0 && r >= 1 && p >= 1 && p <= 4 && 128 * N * r <= MAX_COST_BYTES;

function deriveKey(passphrase: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A passphrase is text: the same letters typed elsewhere may come decomposed (RFC 8265 §4.2 uses NFC).
    const text = passphrase.normalize('NFC');
    scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: 2 * MAX_COST_BYTES }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
