/**
 * The tokens of filter templates and what they stand for: of a login, of the time, of a client certificate. Which
 * fields a certificate has is not known here; its tokens are looked up with a function that is handed in. Pure.
 */
import { activeDirectoryTime, fileTime, generalizedTime, unixTime } from './generalized-time.ts';

/** Values of a token; undefined or none: there is nothing to put in. */
export type TokenLookup = (token: string) => readonly string[] | undefined;

export type QueryType = 'certificate' | 'smtpAuth';

const TIME: Readonly<Record<string, (ms: number) => string>> = {
  t: generalizedTime,
  't:unix': unixTime,
  't:filetime': fileTime,
  't:ad': activeDirectoryTime,
};
const TIME_TOKENS = Object.keys(TIME);

export const TOKENS: Readonly<Record<QueryType, readonly string[]>> = {
  smtpAuth: ['u', 'd', 'a', ...TIME_TOKENS],
  certificate: [
    ...['cn', 'sn', 'sn:dec', 'sn:lower', 'sn:colon', 'sn:reversed', 'o', 'ou', 'c', 'l', 'st', 'e', 'dn', 'issuer'],
    ...['upn', 'email', 'dns', 'uri', 'fascn', 'fascn:digits', 'edipi', 'sha256', 'spki'],
    ...['ski', 'sid', 'altsec', 'altsec:issuerAndSerial', 'altsec:ski', 'altsec:sha1PublicKey'],
    ...TIME_TOKENS,
  ],
};

/** An answer that depends on the time of the question must not be kept. */
export const dependsOnTime = (tokens: ReadonlySet<string>): boolean => TIME_TOKENS.some((token) => tokens.has(token));

/** The token's value at `nowMs` where it is one of time, else what `other` says. */
export const withTime =
  (other: TokenLookup, nowMs: number): TokenLookup =>
  (token) =>
    Object.hasOwn(TIME, token) ? [TIME[token]?.(nowMs) ?? ''] : other(token);

/** `{u}` as given, `{d}` the part after its `@` or the listener's default domain, `{a}` the login as an address. */
export function loginTokens(login: string, defaultDomain: string | undefined): TokenLookup {
  const at = login.lastIndexOf('@');
  const domain = at >= 0 && at < login.length - 1 ? login.slice(at + 1) : defaultDomain;
  const local = at >= 0 ? login.slice(0, at) : login;
  return (token) => {
    if (token === 'u') return [login];
    if (domain === undefined || domain === '') return undefined;
    if (token === 'd') return [domain];
    return token === 'a' ? [`${local}@${domain}`] : undefined;
  };
}
