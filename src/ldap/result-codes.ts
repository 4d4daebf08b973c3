/**
 * LDAP result codes as answers. Every code that is not an answer to the question means that the question was not
 * answered, and leads to `unknown`; nothing here turns a fault of the directory into "no".
 * RFC 4511 §4.1.9 and appendix A. Pure.
 */
const NAMES: Readonly<Record<number, string>> = {
  0: 'success',
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  14: 'saslBindInProgress',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  18: 'inappropriateMatching',
  19: 'constraintViolation',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  33: 'aliasProblem',
  34: 'invalidDNSyntax',
  36: 'aliasDereferencingProblem',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  54: 'loopDetect',
  80: 'other',
};

export const SUCCESS = 0;
const SIZE_LIMIT_EXCEEDED = 4;
const NO_SUCH_OBJECT = 32;
const INAPPROPRIATE_AUTHENTICATION = 48;
const INVALID_CREDENTIALS = 49;
const BUSY = 51;
const UNAVAILABLE = 52;

/** As AsyncOS prints it: `LDAP Error "invalidCredentials" [0x31]`. */
export const ldapError = (code: number): string => `LDAP Error "${NAMES[code] ?? 'unknown'}" [0x${code.toString(16)}]`;

export type SearchMeaning = 'entries' | 'more-entries' | 'no-entries' | 'unanswered';

/** RFC 4511 §4.1.9, appendix A. */
export function meaningOfSearch(code: number): SearchMeaning {
  switch (code) {
    case SUCCESS:
      return 'entries';
    case SIZE_LIMIT_EXCEEDED:
      return 'more-entries';
    case NO_SUCH_OBJECT:
      return 'no-entries';
    default:
      return 'unanswered';
  }
}

export type BindMeaning = 'right' | 'wrong' | 'unanswered';

/** Of a user's own bind. For the gateway's service account only `right` counts. */
export function meaningOfBind(code: number): BindMeaning {
  switch (code) {
    case SUCCESS:
      return 'right';
    // 48: the entry has no password; 32: the entry has just been removed.
    case INVALID_CREDENTIALS:
    case INAPPROPRIATE_AUTHENTICATION:
    case NO_SUCH_OBJECT:
      return 'wrong';
    default:
      return 'unanswered';
  }
}

/** The server says of itself that it cannot work now, so that the next questions go elsewhere too. */
export const serverIsUnavailable = (code: number): boolean => code === BUSY || code === UNAVAILABLE;
