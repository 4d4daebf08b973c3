/**
 * The two ceremonies of WebAuthn by @simplewebauthn/server: what a browser is asked for, and whether its answer is good.
 * Every passkey is discoverable, so that a login names nobody's passkeys, and every use verifies the person (PIN,
 * finger). No attestation is asked for, and none with certificates is taken: judging one would fetch lists from
 * addresses that the authenticator names. Whether a counter went back is decided by the caller, after the signature.
 * WebAuthn Level 3 §7.1, §7.2. Pure: challenges are handed in.
 */
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { COSEALG, decodeAttestationObject, decodeClientDataJSON, isoBase64URL } from '@simplewebauthn/server/helpers';
import type { Passkey } from './accounts.io.ts';
import { CHALLENGE_MS } from './passkey-challenges.ts';
import type { RelyingParty } from './passkey-rules.ts';

type Octets = Uint8Array<ArrayBuffer>;

const ALGORITHMS: number[] = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256];

export function registrationOptions(
  party: RelyingParty,
  person: { readonly name: string; readonly fullName: string; readonly handle: Octets },
  { challenge, registered }: { readonly challenge: Octets; readonly registered: readonly Passkey[] },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName: 'Sallyport',
    rpID: party.id,
    userName: person.name,
    userDisplayName: person.fullName === '' ? person.name : person.fullName,
    userID: person.handle,
    challenge,
    timeout: CHALLENGE_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: registered.map(({ id, transports }) => ({ id, transports: [...transports] })),
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

export const loginOptions = (party: RelyingParty, challenge: Octets): Promise<PublicKeyCredentialRequestOptionsJSON> =>
  generateAuthenticationOptions({ rpID: party.id, challenge, timeout: CHALLENGE_MS, userVerification: 'required' });

type Refused = { readonly ok: false; readonly why: string };
export type Registered =
  | ({ readonly ok: true } & Pick<Passkey, 'id' | 'publicKey' | 'counter' | 'transports' | 'synced'>)
  | Refused;
export type Asserted = { readonly ok: true; readonly counter: number; readonly synced: boolean } | Refused;

export async function verifyRegistration(
  response: RegistrationResponseJSON,
  party: RelyingParty,
  challenge: Octets,
): Promise<Registered> {
  try {
    const fault = registrationFault(response);
    if (fault !== undefined) return refuse(fault);
    const result = await verifyRegistrationResponse({
      response,
      ...expected(party, challenge),
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
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

export async function verifyLogin(
  response: AuthenticationResponseJSON,
  {
    party,
    challenge,
    passkey,
  }: { readonly party: RelyingParty; readonly challenge: Octets; readonly passkey: Passkey },
): Promise<Asserted> {
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
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);
