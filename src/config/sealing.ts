/**
 * Encryption of one secret: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, `nonce ‖ ciphertext ‖ tag` in
 * base64. The purpose is authenticated with it, so that a box of one kind never opens as another. Pure: key and nonce
 * are handed in.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Sealing = { readonly secret: string; readonly nonce: Buffer; readonly purpose: string };

/**
 * AES-256-GCM; base64 of nonce, ciphertext and tag. `purpose` is authenticated with it: a secret that is moved
 * elsewhere does not open.
 */
export function seal(key: Buffer, { secret, nonce, purpose }: Sealing): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(purpose));
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64');
}

/** `undefined` where the box was not sealed with this key for this purpose, or was changed since. */
export function open(key: Buffer, { box, purpose }: { box: string; purpose: string }): string | undefined {
  const bytes = Buffer.from(box, 'base64');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
