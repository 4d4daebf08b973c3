/**
 * Why a directory host did not answer a question. Messages hold no secrets and go to the log and to `ldaptest`, in the
 * words that AsyncOS uses for them. Pure.
 */
import { codeOf, whyOf } from '../core/errors.ts';
export type FailureKind =
  | 'unreachable' // no connection: name, network, TLS
  | 'refused' // the gateway's own bind was refused
  | 'timeout' // silence until the time limit
  | 'slow' // this question took too long, others were answered
  | 'lost' // the connection ended before the answer
  | 'unavailable' // the server says it cannot work now
  | 'crowded' // every connection was busy until the time limit
  | 'closed'; // the directory is being closed

export class DirectoryFailure extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string) {
    super(message.slice(0, 300));
    this.name = 'DirectoryFailure';
    this.kind = kind;
  }
}

/** Whether the next question should leave this host alone for a while. */
export const meansHostIsDown = (kind: FailureKind): boolean =>
  kind === 'unreachable' || kind === 'refused' || kind === 'timeout' || kind === 'unavailable';

const DNS_CODES: readonly unknown[] = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME'];

/** What a socket or TLS error means, in words. */
export function connectFailure(error: unknown): DirectoryFailure {
  if (error instanceof DirectoryFailure) return error;
  const code = codeOf(error);
  const message = whyOf(error);
  if (DNS_CODES.includes(code)) return new DirectoryFailure('unreachable', 'Server unreachable: DNS lookup failure');
  const network = code !== undefined && /^E[A-Z]+$/.test(code);
  return new DirectoryFailure(
    'unreachable',
    network ? `Server unreachable: unable to connect (${code})` : `Server unreachable: TLS failed: ${message}`,
  );
}
