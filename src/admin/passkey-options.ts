/**
 * What a browser is asked for in the two ceremonies of WebAuthn: `navigator.credentials.create` and `get`. Every passkey is
 * discoverable, so that a login names nobody's passkeys, and every use verifies the person (PIN, finger). No attestation
 * is asked for. WebAuthn Level 3 §5.4, §5.5, as JSON §5.1.8, §5.1.9. Pure: challenges are handed in.
 */
import type { Passkey } from './accounts.io.ts';
import { CHALLENGE_MS } from './passkey-challenges.ts';
import type { RelyingParty } from './passkey-rules.ts';

/** COSE algorithms: EdDSA, ES256, RS256. RFC 9053. */
export const ALGORITHMS: readonly number[] = [-8, -7, -257];

export type Person = { readonly name: string; readonly fullName: string; readonly handle: Uint8Array };
export type Registering = {
  readonly challenge: Uint8Array;
  /** The person's, so that no device registers twice. */
  readonly registered: readonly Pick<Passkey, 'id' | 'transports'>[];
};

const base64Url = (octets: Uint8Array): string => Buffer.from(octets).toString('base64url');

export const registrationOptions = (
  { id }: Pick<RelyingParty, 'id'>,
  { name, fullName, handle }: Person,
  { challenge, registered }: Registering,
) => ({
  challenge: base64Url(challenge),
  rp: { name: 'Sallyport', id },
  user: { id: base64Url(handle), name, displayName: fullName === '' ? name : fullName },
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ alg, type: 'public-key' })),
  timeout: CHALLENGE_MS,
  attestation: 'none',
  excludeCredentials: registered.map((each) => ({
    id: each.id,
    transports: [...each.transports],
    type: 'public-key',
  })),
  authenticatorSelection: { residentKey: 'required', userVerification: 'required', requireResidentKey: true },
  extensions: { credProps: true },
  hints: [],
});

export const loginOptions = ({ id }: Pick<RelyingParty, 'id'>, challenge: Uint8Array) => ({
  rpId: id,
  challenge: base64Url(challenge),
  timeout: CHALLENGE_MS,
  userVerification: 'required',
});
