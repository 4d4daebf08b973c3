/**
 * An authenticator and its browser in a few lines, written from the standard and not from the library under test: makes
 * passkeys, signs challenges, and can do each thing wrong. ES256; WebAuthn Level 3 §6.1, §6.5; CBOR by hand.
 * Effects: randomness.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

type Options = Readonly<Record<string, unknown>>;

/** What is done otherwise than it should be. */
export type Otherwise = {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly crossOrigin?: boolean;
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  readonly userHandle?: string | null;
  readonly spoilSignature?: boolean;
  readonly attestation?: 'none' | 'packed' | 'certificate';
};

const b64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64url');
const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  return Buffer.from([(major << 5) | 25, length >> 8, length & 0xff]);
}

/** RFC 8949, as much of it as there is here. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  const entries = [...(value as Map<unknown, unknown>)];
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, inner]) => [cbor(key), cbor(inner)])]);
}

export class Authenticator {
  readonly #origin: string;
  readonly #key: KeyObject;
  readonly #publicKey: Buffer;
  readonly id = randomBytes(32);
  counter = 0;
  userHandle = '';

  constructor(origin: string) {
    this.#origin = origin;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    // COSE_Key: EC2, ES256, P-256 (RFC 9053).
    const pairs: [number, unknown][] = [
      [1, 2],
      [3, -7],
      [-1, 1],
    ];
    this.#publicKey = cbor(new Map([...pairs, [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]));
  }

  /** As `navigator.credentials.create` answers, in JSON. */
  create(options: Options, otherwise: Otherwise = {}) {
    const { rp, user, challenge } = options as { rp: { id: string }; user: { id: string }; challenge: string };
    this.userHandle = user.id;
    const clientDataJSON = this.#clientData('webauthn.create', challenge, otherwise);
    const aaguidAndId = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id]);
    const authData = Buffer.concat([this.#authData(rp.id, 0x40, otherwise), aaguidAndId, this.#publicKey]);
    const { attestation = 'none' } = otherwise;
    const signature = sign('sha256', Buffer.concat([authData, sha256(clientDataJSON)]), this.#key);
    const statement = new Map<string, unknown>(
      attestation === 'none'
        ? []
        : [
            ['alg', -7],
            ['sig', signature],
          ],
    );
    if (attestation === 'certificate') statement.set('x5c', [Buffer.from('3003020101', 'hex')]);
    const format = attestation === 'none' ? 'none' : 'packed';
    const object = cbor(
      new Map<string, unknown>([
        ['fmt', format],
        ['attStmt', statement],
        ['authData', authData],
      ]),
    );
    const response = { clientDataJSON: b64(clientDataJSON), attestationObject: b64(object), transports: ['internal'] };
    return { id: b64(this.id), rawId: b64(this.id), type: 'public-key', response, clientExtensionResults: {} };
  }

  /** As `navigator.credentials.get` answers, in JSON. */
  get(options: Options, otherwise: Otherwise = {}) {
    const { rpId, challenge } = options as { rpId: string; challenge: string };
    const clientDataJSON = this.#clientData('webauthn.get', challenge, otherwise);
    const authenticatorData = this.#authData(rpId, 0, { counter: this.counter + 1, ...otherwise });
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientDataJSON)]), this.#key);
    if (otherwise.spoilSignature === true) signature.writeUInt8((signature.at(-1) ?? 0) ^ 1, signature.length - 1);
    const { userHandle = this.userHandle } = otherwise;
    const response = {
      clientDataJSON: b64(clientDataJSON),
      authenticatorData: b64(authenticatorData),
      signature: b64(signature),
      userHandle,
    };
    return { id: b64(this.id), rawId: b64(this.id), type: 'public-key', response, clientExtensionResults: {} };
  }

  #clientData(type: string, challenge: string, otherwise: Otherwise): Buffer {
    const { origin = this.#origin, challenge: given = challenge, crossOrigin = false } = otherwise;
    return Buffer.from(JSON.stringify({ type, challenge: given, origin, crossOrigin }));
  }

  #authData(rpId: string, more: number, otherwise: Otherwise): Buffer {
    const { userPresent = true, userVerified = true, counter = this.counter } = otherwise;
    this.counter = counter;
    const flags = (userPresent ? 1 : 0) | (userVerified ? 4 : 0) | more;
    const tail = Buffer.alloc(5);
    tail.writeUInt8(flags, 0);
    tail.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(otherwise.rpId ?? rpId), tail]);
  }
}
