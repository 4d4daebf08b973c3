/**
 * Which keywords the reply to EHLO lists now, given the session. What is listed works, and what does not work is not
 * listed: AUTH in particular never where it would be answered 530 or 538, because a client that sees it may send a
 * password in the clear. RFC 5321 §4.1.1.1, RFC 4954 §3, RFC 3207 §4. Pure.
 */
export type EhloFacts = {
  readonly tls: 'off' | 'preferred' | 'required';
  readonly tlsActive: boolean;
  readonly smtpAuth: 'off' | 'preferred' | 'required';
  readonly requireTlsToOfferSmtpAuth: boolean;
  /** The listener's profile can check a password: type ldap, or type certificate with allowSmtpAuth. */
  readonly passwordProfile: boolean;
  readonly identity: 'none' | 'certificate' | 'password';
  readonly maxMessageBytes: number;
};

/** Mechanisms on offer, in the order of the AUTH line. */
function authMechanisms(facts: Omit<EhloFacts, 'maxMessageBytes'>): readonly string[] {
  if (facts.smtpAuth === 'off') return [];
  // The client has said who it is with its certificate: EXTERNAL repeats it, a password could only contradict it.
  if (facts.identity === 'certificate') return ['EXTERNAL'];
  if (facts.identity !== 'none' || !facts.passwordProfile) return [];
  const needsTls = facts.requireTlsToOfferSmtpAuth || facts.tls === 'required';
  return needsTls && !facts.tlsActive ? [] : ['PLAIN', 'LOGIN'];
}

/** In the order in which they are listed, without the first line. */
export function ehloKeywords(facts: EhloFacts): string[] {
  const keywords = [
    'PIPELINING', // RFC 2920
    `SIZE ${facts.maxMessageBytes}`, // RFC 1870
    '8BITMIME', // RFC 6152
    'SMTPUTF8', // RFC 6531
    'ENHANCEDSTATUSCODES', // RFC 2034
    'CHUNKING', // RFC 3030
    'DSN', // RFC 3461
  ];
  if (facts.tls !== 'off' && !facts.tlsActive) keywords.push('STARTTLS');
  const mechanisms = authMechanisms(facts);
  if (mechanisms.length > 0) keywords.push(`AUTH ${mechanisms.join(' ')}`);
  return keywords;
}
