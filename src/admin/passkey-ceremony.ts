/**
 * Whether a browser's answer to a ceremony of WebAuthn is good, by @simplewebauthn/server. Every use verifies the person
 * (PIN, finger). No attestation was asked for (`passkey-options.ts`), and none with certificates is taken: judging one
 * would fetch lists from addresses that the authenticator names. Whether a counter went back is decided by the caller,
 * after the signature. The library takes 30 MB and runs in a process apart (`passkey-verification.io.ts`).
 * WebAuthn Level 3 §7.1, §7.2. Pure: challenges are handed in.
 */
import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject, decodeClientDataJSON, isoBase64URL } from '@simplewebauthn/server/helpers';
import { whyOf } from '../core/errors.ts';
import type { Passkey } from './accounts.io.ts';
import { ALGORITHMS } from './passkey-options.ts';
import type { RelyingParty } from './passkey-rules.ts';

type Octets = Uint8Array<ArrayBuffer>;

export type Registration = {
  readonly response: RegistrationResponseJSON;
  readonly party: RelyingParty;
  readonly challenge: Octets;
};

export type Login = {
  readonly response: AuthenticationResponseJSON;
  readonly party: RelyingParty;
  readonly challenge: Octets;
  readonly passkey: Pick<Passkey, 'id' | 'publicKey'>;
};

type Refused = { readonly ok: false; readonly why: string };
export type Registered =
  | ({ readonly ok: true } & Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'synced'>)
  | Refused;
export type Asserted = { readonly ok: true; readonly counter: number; readonly synced: boolean } | Refused;

export async function verifyRegistration({ response, party, challenge }: Registration): Promise<Registered> {
  try {
    const fault = registrationFault(response);
    if (fault !== undefined) return refuse(fault);
    const result = await verifyRegistrationResponse({
      response,
      ...expected(party, challenge),
      requireUserVerification: true,
      supportedAlgorithmIDs: [...ALGORITHMS],
    });
    if (!result.verified) return refuse('the attestation is not good');
    const { credential, credentialBackedUp } = result.registrationInfo;
    const { id, publicKey, counter } = credential;
    if (id !== response.id) return refuse('the answer names another passkey than it attests');
    // What the browser says of transports helps it later and proves nothing.
    return { ok: true, id, publicKey, counter, transports: credential.transports ?? [], synced: credentialBackedUp };
  } catch (error) {
    return refuse(reasonOf(error));
  }
}

export async function verifyLogin({ response, party, challenge, passkey }: Login): Promise<Asserted> {
  try {
    if (isFramed(response.response.clientDataJSON)) return refuse(FRAMED);
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      ...expected(party, challenge),
      // The library would look at the counter before it looks at the signature.
      credential: { id: passkey.id, publicKey: passkey.publicKey, counter: 0 },
      requireUserVerification: true,
    });
    if (!verified) return refuse('the signature is not good');
    return { ok: true, counter: authenticationInfo.newCounter, synced: authenticationInfo.credentialBackedUp };
  } catch (error) {
    return refuse(reasonOf(error));
  }
}

const expected = (party: RelyingParty, challenge: Octets) => ({
  expectedChallenge: isoBase64URL.fromBuffer(challenge),
  expectedOrigin: [...party.origins],
  expectedRPID: party.id,
});

function registrationFault({ response }: RegistrationResponseJSON): string | undefined {
  if (isFramed(response.clientDataJSON)) return FRAMED;
  const object = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject));
  const format = object.get('fmt');
  if (format === 'none') return undefined;
  // Self attestation, signed with the passkey's own key: some authenticators know no other.
  if (format === 'packed' && object.get('attStmt').get('x5c') === undefined) return undefined;
  return 'an attestation with certificates was not asked for';
}

const FRAMED = 'the answer came from a frame of another site';
const isFramed = (clientDataJson: string): boolean => decodeClientDataJSON(clientDataJson).crossOrigin === true;

const refuse = (why: string): Refused => ({ ok: false, why });

/** The library says in words what does not fit; they repeat a piece of the answer, which may have any length. */
const reasonOf = (error: unknown): string => whyOf(error).slice(0, 300);
