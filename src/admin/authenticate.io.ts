/**
 * Who is calling: the local account over the control socket, an API token, or a session's cookie. A session that began
 * with a client certificate is judged again each time, so that a list that arrived meanwhile ends it.
 * Effects: the accounts' database.
 */
import type { ApiContext, Caller } from './api-context.ts';
import { COOKIE } from './api-headers.ts';
import { localName } from './local-account.io.ts';
import { type Problem, problem } from './problem.ts';
import { lesserRole } from './roles.ts';
import type { CertificateChain } from './sessions.io.ts';

export type Credentials = {
  readonly channel: 'tls' | 'local';
  readonly address: string;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** The client certificate of the connection. */
  readonly chain: CertificateChain | undefined;
  /** The name the command line gives for the record; who can open the socket could change the database as well. */
  readonly localAccount: string | undefined;
};

export type Authenticated =
  | { readonly kind: 'caller'; readonly caller: Caller }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'problem'; readonly problem: Problem };

const refuse = (detail: string): Authenticated => ({
  kind: 'problem',
  problem: problem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer' } }),
});

export function authenticate(credentials: Credentials, context: ApiContext): Authenticated {
  if (credentials.channel === 'local') return { kind: 'caller', caller: localCaller(credentials.localAccount) };
  if (credentials.authorization !== undefined) return byToken(credentials.authorization, credentials, context);
  if (credentials.cookie !== undefined) return bySession(credentials.cookie, context);
  return { kind: 'nobody' };
}

function localCaller(account: string | undefined): Caller {
  const name = localName(account);
  return { name, role: 'administrator', how: 'local', session: name };
}

function byToken(authorization: string, { address, chain }: Credentials, context: ApiContext): Authenticated {
  const { accounts } = context;
  const secret = /^Bearer +([\w-]{1,200})$/i.exec(authorization)?.[1];
  const token = secret === undefined ? undefined : accounts.useToken(secret, address);
  if (token === undefined) return refuse('the token is not known, or has expired');
  const account = accounts.find(token.account);
  if (account?.enabled !== true) return refuse('the account of the token is disabled');
  const fault = certificateFault(chain, account.name, context);
  if (fault !== undefined) return refuse(fault);
  const role = lesserRole(token.role, account.role);
  return {
    kind: 'caller',
    caller: { name: account.name, role, how: 'token', session: `token:${token.id}`, sinceMs: token.createdMs },
  };
}

function bySession(cookie: string, { accounts, sessions, certificates, settings }: ApiContext): Authenticated {
  const session = sessions.find(cookie, settings());
  if (session === undefined) return refuse('the session has ended: sign in again');
  const account = accounts.find(session.account);
  if (account?.enabled !== true) return refuse('the account is disabled');
  if (session.chain === undefined && settings().clientCertificate?.required === true)
    return refuse('the session began without a client certificate, which is required now: sign in again');
  if (session.chain !== undefined) {
    const judgement = certificates.judge(session.chain);
    const owner = judgement.ok ? accounts.certificateOwner(judgement.identity) : undefined;
    if (owner !== account.name) {
      sessions.end(cookie);
      const why = judgement.ok ? 'the client certificate is not one of the account any more' : judgement.why;
      return refuse(`the session has ended: ${why}`);
    }
  }
  const { name, role } = account;
  const { how, createdMs: sinceMs } = session;
  return { kind: 'caller', caller: { name, role, how, session: `session:${session.id}`, sinceMs } };
}

/** The value of one cookie in a Cookie header. */
export function cookieOf(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === COOKIE) return part.slice(at + 1).trim();
  }
  return undefined;
}

export const sessionCookie = (secret: string, maxAgeMs: number): string =>
  `${COOKIE}=${secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(maxAgeMs / 1000)}`;

/** With `required`, nobody signs in or uses a token over TLS without a good certificate of the same account. */
export function certificateFault(
  chain: CertificateChain | undefined,
  account: string,
  { accounts, certificates, settings }: ApiContext,
): string | undefined {
  if (settings().clientCertificate?.required !== true) return undefined;
  if (chain === undefined) return 'a client certificate is required';
  const judgement = certificates.judge(chain);
  if (!judgement.ok) return judgement.why;
  return accounts.certificateOwner(judgement.identity) === account
    ? undefined
    : 'the client certificate is not one of this account';
}
