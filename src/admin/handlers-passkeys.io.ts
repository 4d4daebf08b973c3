/**
 * Passkeys: registering, listing, renaming, deleting, and signing in. Effects: accounts, sessions, audit record,
 * randomness, the process that verifies.
 */
import { randomBytes } from 'node:crypto';
import { type Account, MAX_CREDENTIALS, type Passkey, randomId } from './accounts.io.ts';
import { type ApiContext, type Call, callerOf, type HandlersOf } from './api-context.ts';
import { credentialRefusal } from './handlers-session.io.ts';
import { addressLocked, failed, signIn, throttled } from './login.io.ts';
import { addressKey } from './login-throttle.ts';
import { loginOptions, registrationOptions } from './passkey-options.ts';
import { counterWentBack, type RelyingParty, relyingPartyOf, userHandleOf } from './passkey-rules.ts';
import { type Problem, problem } from './problem.ts';
import type { RouteInput } from './route.ts';
import type { PASSKEY_ROUTES } from './routes-passkeys.ts';

const CHALLENGE_BYTES = 32;
const NO_NAME = problem('not-possible', 'passkeys need a host name: the first of admin.origins has none');
const NO_CHALLENGE = problem(
  'not-possible',
  'this answers no challenge that was given to you, or one that was answered or is too old: begin again',
);
const NO_PASSKEY = problem('not-found', 'the account has no such passkey');
const NO_ACCOUNT = problem('not-found', 'there is no such account');
const TOO_MANY = problem('conflict', `the account has ${MAX_CREDENTIALS} passkeys already: delete one first`);

const shown = ({ id, name, synced, createdMs, lastUsedMs }: Passkey) => ({
  id,
  name,
  synced,
  createdMs,
  ...(lastUsedMs === undefined ? {} : { lastUsedMs }),
});
const newChallenge = (): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(CHALLENGE_BYTES));

export const PASSKEY_HANDLERS: HandlersOf<typeof PASSKEY_ROUTES> = {
  'POST /api/login/passkey/options': async ({ body }, call, context) => {
    const party = relyingPartyOf(context.origins());
    if (party === undefined) return NO_NAME;
    const locked = addressLocked(call, context);
    if (locked !== undefined) return locked;
    const attempt = randomId();
    const value = newChallenge();
    const owner = addressKey(call.address);
    context.challenges.add(attemptKey(attempt), { owner, account: body.account, value }, context.clock.now());
    // The same for every name, also for one that does not exist: it tells nobody who has passkeys.
    return { body: { attempt, options: loginOptions(party, value) } };
  },

  'POST /api/login/passkey': async ({ body }, call, context) => {
    const party = relyingPartyOf(context.origins());
    return party === undefined ? NO_NAME : login(body, party, call, context);
  },

  'POST /api/session/passkeys/options': async (_, call, context) => {
    const own = ownAccount(call, context);
    if ('problem' in own) return own;
    const party = relyingPartyOf(context.origins());
    if (party === undefined) return NO_NAME;
    const registered = context.accounts.passkeys(own.name);
    if (registered.length >= MAX_CREDENTIALS) return TOO_MANY;
    const value = newChallenge();
    const owner = callerOf(call).session;
    context.challenges.add(sessionKey(owner), { owner, account: own.name, value }, context.clock.now());
    const person = { name: own.name, fullName: own.fullName, handle: new Uint8Array(userHandleOf(own)) };
    return { body: registrationOptions(party, person, { challenge: value, registered }) };
  },

  'GET /api/session/passkeys': async (_, call, context) => {
    const own = ownAccount(call, context);
    return 'problem' in own ? own : { body: { passkeys: context.accounts.passkeys(own.name).map(shown) } };
  },

  'POST /api/session/passkeys': async ({ body }, call, context) => {
    const own = ownAccount(call, context);
    if ('problem' in own) return own;
    const party = relyingPartyOf(context.origins());
    return party === undefined ? NO_NAME : register(body, { party, account: own.name }, call, context);
  },

  'PATCH /api/session/passkeys/{id}': async ({ path, body }, call, context) => {
    const own = ownAccount(call, context);
    if ('problem' in own) return own;
    return context.accounts.renamePasskey(own.name, path.id, body.name) ? { body: undefined } : NO_PASSKEY;
  },

  'DELETE /api/session/passkeys/{id}': async ({ path }, call, context) => {
    const own = ownAccount(call, context);
    if ('problem' in own) return own;
    const keep = callerOf(call).session.replace(/^session:/, '');
    return context.accounts.removePasskey(own.name, path.id, keep) ? { body: undefined } : NO_PASSKEY;
  },

  'GET /api/accounts/{account}/passkeys': async ({ path }, _, { accounts }) =>
    accounts.find(path.account) === undefined
      ? NO_ACCOUNT
      : { body: { passkeys: accounts.passkeys(path.account).map(shown) } },

  'DELETE /api/accounts/{account}/passkeys/{id}': async ({ path }, _, { accounts }) =>
    accounts.removePasskey(path.account, path.id) ? { body: undefined } : NO_PASSKEY,
};

const attemptKey = (attempt: string): string => `attempt ${attempt}`;
const sessionKey = (session: string): string => `registration ${session}`;

/** The caller's account, where it may manage what it signs in with. */
function ownAccount(call: Call, { accounts }: ApiContext): Account | Problem {
  return credentialRefusal(call) ?? accounts.find(callerOf(call).name) ?? NO_ACCOUNT;
}

type Body<Key extends keyof typeof PASSKEY_ROUTES> = RouteInput<(typeof PASSKEY_ROUTES)[Key]>['body'];

async function register(
  { name, response }: Body<'POST /api/session/passkeys'>,
  { party, account }: { readonly party: RelyingParty; readonly account: string },
  call: Call,
  { challenges, clock, accounts, passkeys }: ApiContext,
) {
  const challenge = challenges.take(sessionKey(callerOf(call).session), clock.now());
  if (challenge === undefined) return NO_CHALLENGE;
  const { transports, ...rest } = response.response;
  const given = {
    ...response,
    response: { ...rest, ...(transports === undefined ? {} : { transports }) },
    clientExtensionResults: {},
  };
  const verified = await passkeys.registration({ response: given, party, challenge: challenge.value });
  if (!verified.ok) return problem('not-possible', `the passkey is not taken: ${verified.why}`);
  if (accounts.passkeys(account).length >= MAX_CREDENTIALS) return TOO_MANY;
  const { id, publicKey, counter, synced } = verified;
  const key = { id, account, name, publicKey, counter, transports: verified.transports, synced };
  if (!accounts.addPasskey(key)) return problem('conflict', 'this passkey is registered already');
  const added = accounts.passkey(id);
  return added === undefined ? NO_PASSKEY : { body: shown(added), note: `passkey ${id}` };
}

async function login(
  { attempt, response }: Body<'POST /api/login/passkey'>,
  party: RelyingParty,
  call: Call,
  context: ApiContext,
) {
  const { accounts, challenges, clock } = context;
  const challenge = challenges.take(attemptKey(attempt), clock.now());
  const passkey = accounts.passkey(response.id);
  const name = passkey?.account ?? challenge?.account ?? '';
  // Counted for an account where its passkey is at hand: with a name alone nobody shall lock it out.
  const locked = throttled(passkey?.account ?? '', call, context, 'passkey');
  if (locked !== undefined) return locked;
  const fail = (why: string) => failed({ name, how: 'passkey', why }, call, context);
  if (challenge === undefined) return fail('the challenge is not known, was answered, or is too old');
  if (passkey === undefined) return fail('no account has this passkey');
  if (challenge.account !== undefined && challenge.account !== passkey.account)
    return fail(`the passkey is not one of ${challenge.account.slice(0, 100)}`);
  const account = accounts.find(passkey.account);
  if (account === undefined) return fail('no account has this passkey');
  const { userHandle, ...rest } = response.response;
  if (userHandle !== userHandleOf(account).toString('base64url')) return fail('the passkey names another account');
  const given = { ...response, response: { ...rest, userHandle }, clientExtensionResults: {} };
  const asserted = await context.passkeys.login({ response: given, party, challenge: challenge.value, passkey });
  if (!asserted.ok) return fail(asserted.why);
  const { counter, synced } = asserted;
  // Read again: something may have come between, such as another login with the same passkey.
  const now = accounts.passkey(passkey.id);
  const accountNow = accounts.find(passkey.account);
  if (now === undefined || accountNow === undefined) return fail('no account has this passkey');
  if (counterWentBack(now.counter, counter))
    return fail(`the sign counter of ${now.name} went from ${now.counter} to ${counter}: the passkey may be a copy`);
  accounts.usedPasskey(passkey.id, counter, synced);
  return signIn(accountNow, 'passkey', call, context);
}
