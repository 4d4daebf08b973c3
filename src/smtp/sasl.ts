/**
 * SASL exchanges as pure steps: PLAIN (RFC 4616), LOGIN (as all clients speak it), EXTERNAL (RFC 4422 appendix A), in the
 * lines of RFC 4954 §4. A step either asks for another line or ends with what the client claims; whether the claim is
 * true is decided elsewhere. Base64 must be exact (RFC 4648 §3.3, §3.5), text must be UTF-8 without NUL. Pure.
 */
import { isUtf8 } from 'node:buffer';

export type SaslStep =
  /** Send `334 challenge`; hand the next line (without CRLF) to `next`. */
  | { readonly kind: 'challenge'; readonly challenge: string; readonly next: (line: Buffer) => SaslStep }
  | {
      readonly kind: 'credentials';
      readonly mechanism: 'PLAIN' | 'LOGIN';
      /** '' where the client gave none. */
      readonly authzid: string;
      readonly login: string;
      readonly password: string;
    }
  | { readonly kind: 'external'; readonly authzid: string }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'cancelled' };

const MALFORMED: SaslStep = { kind: 'malformed' };
const CANCELLED: SaslStep = { kind: 'cancelled' };
const USERNAME = 'VXNlcm5hbWU6'; // Username:
const PASSWORD = 'UGFzc3dvcmQ6'; // Password:

/** Octets of base64 text, or undefined where it is anything but the canonical spelling. */
function decode(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function decodeText(text: string): string | undefined {
  const bytes = decode(text);
  return bytes !== undefined && isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

/** One line from the client: `*` alone gives up (RFC 4954 §4). */
const answered =
  (then: (text: string) => SaslStep) =>
  (line: Buffer): SaslStep => {
    const text = line.toString('latin1');
    return text === '*' ? CANCELLED : then(text);
  };

/** `=` is how a command line says "an initial response, and it is empty" (RFC 4954 §4). */
const initialText = (initial: string): string => (initial === '=' ? '' : initial);

function plain(base64: string): SaslStep {
  const fields = decodeText(base64)?.split('\0');
  if (fields?.length !== 3) return MALFORMED;
  const [authzid = '', login = '', password = ''] = fields;
  // RFC 4616 §2: authcid has at least one character. An empty password is the directory stage's to refuse.
  return login === '' ? MALFORMED : { kind: 'credentials', mechanism: 'PLAIN', authzid, login, password };
}

function loginName(base64: string): SaslStep {
  const login = decodeText(base64);
  if (login === undefined || login.includes('\0')) return MALFORMED;
  return { kind: 'challenge', challenge: PASSWORD, next: answered((text) => loginPassword(login, text)) };
}

function loginPassword(login: string, base64: string): SaslStep {
  const password = decodeText(base64);
  if (password === undefined || password.includes('\0')) return MALFORMED;
  return { kind: 'credentials', mechanism: 'LOGIN', authzid: '', login, password };
}

function external(text: string): SaslStep {
  const authzid = decodeText(initialText(text));
  return authzid === undefined || authzid.includes('\0') ? MALFORMED : { kind: 'external', authzid };
}

/** The first step of an AUTH command. The caller has checked that the mechanism is on offer. */
export function startAuth(mechanism: string, initialResponse?: string): SaslStep {
  const initial = initialResponse === undefined ? undefined : initialText(initialResponse);
  switch (mechanism) {
    case 'PLAIN':
      return initial === undefined ? { kind: 'challenge', challenge: '', next: answered(plain) } : plain(initial);
    case 'LOGIN':
      return initial === undefined
        ? { kind: 'challenge', challenge: USERNAME, next: answered(loginName) }
        : loginName(initial);
    case 'EXTERNAL':
      return initial === undefined ? { kind: 'challenge', challenge: '', next: answered(external) } : external(initial);
    default:
      return MALFORMED;
  }
}
