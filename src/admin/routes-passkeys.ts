/**
 * Passkeys: signing in with one, registering one for oneself, and what an administrator may do about them. Requests and
 * answers of browsers have the JSON forms of WebAuthn (`parseCreationOptionsFromJSON`, `toJSON`). WebAuthn Level 3
 * §5.1.8 to §5.1.10. Pure.
 */
import { z } from 'zod';
import { routesOf } from './route.ts';
import { sessionInfo } from './routes-session.ts';
import { accountName, id, label, timeMs } from './schemas.ts';

const base64Url = (maxChars: number) =>
  z
    .string()
    .max(maxChars)
    .regex(/^[A-Za-z0-9_-]*$/, 'must be base64url without padding');

const passkey = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    synced: z.boolean().meta({ description: 'A provider keeps it on several devices.' }),
    createdMs: timeMs,
    lastUsedMs: timeMs.optional(),
  })
  .meta({ id: 'Passkey' });

const passkeys = z.strictObject({ passkeys: z.array(passkey) });

const options = z.record(z.string(), z.unknown());
const MAX_BODY_BYTES = 32 * 1024;

/** Browsers add members; those that nobody reads are dropped. */
const registrationResponse = z.object({
  id,
  rawId: id,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64Url(8192),
    attestationObject: base64Url(16_384),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(10)
      .optional(),
  }),
});

const loginResponse = z.object({
  id,
  rawId: id,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64Url(8192),
    authenticatorData: base64Url(4096),
    signature: base64Url(8192),
    userHandle: base64Url(100).nullish(),
  }),
});

const path = z.strictObject({ account: accountName });
const pathId = z.strictObject({ account: accountName, id });
const ownId = z.strictObject({ id });

export const PASSKEY_ROUTES = routesOf('Passkeys')({
  'POST /api/login/passkey/options': {
    operation: 'startPasskeyLogin',
    summary: 'What `navigator.credentials.get` is asked for. Good for one login within two minutes.',
    least: 'nobody',
    body: z.strictObject({
      account: z.string().max(100).optional().meta({ description: 'Only a passkey of this account will do then.' }),
    }),
    maxBodyBytes: MAX_BODY_BYTES,
    response: z.strictObject({
      attempt: z.string().meta({ description: 'Goes back with the answer.' }),
      options: options.meta({ description: 'PublicKeyCredentialRequestOptionsJSON.' }),
    }),
    problems: ['not-possible', 'too-many-attempts'],
    asksOnly: true,
  },
  'POST /api/login/passkey': {
    operation: 'loginWithPasskey',
    summary: 'Signs in with a passkey. The answer sets the session cookie.',
    least: 'nobody',
    body: z.strictObject({
      attempt: id,
      response: loginResponse.meta({ description: 'The credential’s `toJSON()`: AuthenticationResponseJSON.' }),
    }),
    maxBodyBytes: MAX_BODY_BYTES,
    response: sessionInfo,
    problems: ['not-possible', 'login-failed', 'too-many-attempts'],
    asksOnly: true,
  },
  'POST /api/session/passkeys/options': {
    operation: 'startPasskeyRegistration',
    summary: 'What `navigator.credentials.create` is asked for. Good for one passkey within two minutes.',
    least: 'help-desk',
    response: options.meta({ description: 'PublicKeyCredentialCreationOptionsJSON.' }),
    problems: ['not-possible', 'forbidden', 'conflict'],
    asksOnly: true,
  },
  'GET /api/session/passkeys': {
    operation: 'listOwnPasskeys',
    summary: 'One’s own passkeys.',
    least: 'help-desk',
    response: passkeys,
    problems: ['forbidden'],
  },
  'POST /api/session/passkeys': {
    operation: 'registerPasskey',
    summary: 'Registers a passkey for oneself.',
    least: 'help-desk',
    body: z.strictObject({
      name: label.meta({ description: 'To tell it from others: `laptop`.' }),
      response: registrationResponse.meta({ description: 'The credential’s `toJSON()`: RegistrationResponseJSON.' }),
    }),
    maxBodyBytes: MAX_BODY_BYTES,
    response: passkey,
    status: 201,
    problems: ['not-possible', 'forbidden', 'conflict'],
    recorded: ['name'],
  },
  'PATCH /api/session/passkeys/{id}': {
    operation: 'renamePasskey',
    summary: 'Gives one’s own passkey another name.',
    least: 'help-desk',
    path: ownId,
    body: z.strictObject({ name: label }),
    problems: ['not-found', 'forbidden'],
    recorded: ['name'],
  },
  'DELETE /api/session/passkeys/{id}': {
    operation: 'deleteOwnPasskey',
    summary: 'One’s own passkey counts no more. Other sessions that began with a passkey end.',
    least: 'help-desk',
    path: ownId,
    problems: ['not-found', 'forbidden'],
  },
  'GET /api/accounts/{account}/passkeys': {
    operation: 'listPasskeys',
    summary: 'Passkeys of an account.',
    least: 'administrator',
    path,
    response: passkeys,
    problems: ['not-found'],
  },
  'DELETE /api/accounts/{account}/passkeys/{id}': {
    operation: 'deletePasskey',
    summary: 'The passkey signs the account in no more. Sessions of the account that began with a passkey end.',
    least: 'administrator',
    path: pathId,
    problems: ['not-found'],
  },
});
