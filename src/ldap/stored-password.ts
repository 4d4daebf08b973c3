/**
 * Does a password fit what the directory stores? Plain text and the hashed forms of RFC 2307 §5.3 with its later kin.
 * An unknown form never fits: compared as plain text, whoever can read the hash could log in with it.
 * Pure (hashing only; PBKDF2 runs on the thread pool).
 */
import { createHash, pbkdf2, timingSafeEqual } from 'node:crypto';

export type PasswordCheck = {
  readonly fits: boolean /** The form where nothing here can check it. */;
  readonly unsupported?: string;
};

const DIGESTS: Readonly<Record<string, { readonly hash: string; readonly bytes: number }>> = {
  SHA: { hash: 'sha1', bytes: 20 },
  SHA256: { hash: 'sha256', bytes: 32 },
  SHA384: { hash: 'sha384', bytes: 48 },
  SHA512: { hash: 'sha512', bytes: 64 },
  MD5: { hash: 'md5', bytes: 16 },
};
const MAX_ITERATIONS = 2_000_000;
const MAX_STORED_OCTETS = 4096;

export async function checkStoredPassword(stored: string | Uint8Array, password: string): Promise<PasswordCheck> {
  if (stored.length === 0 || stored.length > MAX_STORED_OCTETS || password === '') return { fits: false };
  const text = typeof stored === 'string' ? stored : undefined;
  const tagged = text === undefined ? null : /^\{([A-Za-z0-9_-]{1,32})\}(.*)$/s.exec(text);
  if (tagged === null) return { fits: equal(octets(stored), octets(password)) };
  const scheme = (tagged[1] ?? '').toUpperCase();
  const rest = tagged[2] ?? '';
  if (scheme === 'CLEARTEXT' || scheme === 'PLAIN') return { fits: equal(octets(rest), octets(password)) };
  const iterated = /^PBKDF2(?:-SHA(1|256|512))?$/.exec(scheme);
  if (iterated !== null) return { fits: await fitsPbkdf2(rest, password, `sha${iterated[1] ?? '1'}`) };
  const digest = /^(S?)(SHA|SHA256|SHA384|SHA512|MD5)$/.exec(scheme.replace('-', ''));
  // {SHA} itself begins with an S that is no salt.
  if (digest === null) return { fits: false, unsupported: `{${scheme}}` };
  return { fits: fitsDigest(rest, password, { name: digest[2] ?? '', salted: digest[1] === 'S' }) };
}

/** The salt follows the digest. */
function fitsDigest(
  base64: string,
  password: string,
  form: { readonly name: string; readonly salted: boolean },
): boolean {
  const kind = DIGESTS[form.name];
  const bytes = Buffer.from(base64, 'base64');
  if (kind === undefined || bytes.length < kind.bytes || (!form.salted && bytes.length > kind.bytes)) return false;
  const digest = createHash(kind.hash).update(password).update(bytes.subarray(kind.bytes)).digest();
  return timingSafeEqual(digest, bytes.subarray(0, kind.bytes));
}

/** `iterations$salt$hash` in base64 with "." for "+" and without padding, as OpenLDAP's pw-pbkdf2 writes it. */
async function fitsPbkdf2(text: string, password: string, digest: string): Promise<boolean> {
  const [, count, salt = '', hash = ''] = /^(\d{1,7})\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)$/.exec(text) ?? [];
  const iterations = Number(count);
  const wanted = fromAdapted(hash);
  if (count === undefined || iterations < 1 || iterations > MAX_ITERATIONS || wanted.length < 16) return false;
  const key = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, fromAdapted(salt), iterations, wanted.length, digest, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    );
  });
  return timingSafeEqual(key, wanted);
}

const fromAdapted = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64');
const octets = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? Buffer.from(value) : value);

/** Over digests, so that the time says nothing about the length either. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}
