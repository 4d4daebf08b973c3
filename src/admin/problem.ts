/**
 * Every error that the API can answer, as RFC 9457 problem details: a closed table of kinds with their status, and a
 * sentence for the person at the other end. Faults of a document carry the path of the key, and line and column where it
 * came from a file. Pure.
 */
import type { StoreFault } from '../config/configuration-store.ts';
import { renderFaultPath } from '../core/fault.ts';

export const PROBLEMS = {
  malformed: { status: 400, title: 'The request cannot be read' },
  'not-possible': { status: 400, title: 'The request does not fit what is there' },
  unauthenticated: { status: 401, title: 'Nobody is signed in' },
  'login-failed': { status: 401, title: 'The login failed' },
  forbidden: { status: 403, title: 'The role does not allow this' },
  'foreign-origin': { status: 403, title: 'The request came from another site' },
  'file-mode': { status: 403, title: 'The configuration file is the only truth' },
  'not-found': { status: 404, title: 'There is no such thing' },
  'method-not-allowed': { status: 405, title: 'The path has no such method' },
  conflict: { status: 409, title: 'Something stands against this' },
  'precondition-failed': { status: 412, title: 'It has changed since it was read' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  invalid: { status: 422, title: 'Values are wrong' },
  'precondition-required': { status: 428, title: 'If-Match is needed' },
  'too-many-attempts': { status: 429, title: 'Too many failed logins' },
  internal: { status: 500, title: 'The gateway failed' },
  unavailable: { status: 503, title: 'The gateway cannot do this now' },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemKind = keyof typeof PROBLEMS;

/** One wrong value: `path` as `check` prints it, `keys` for programs. */
export type ProblemError = {
  readonly path: string;
  readonly keys: readonly (string | number)[];
  readonly detail: string;
  readonly severity: 'error' | 'warning';
  readonly line?: number;
  readonly column?: number;
};

export type Problem = {
  readonly problem: ProblemKind;
  readonly detail: string;
  readonly errors?: readonly ProblemError[];
  /** Further members of the document, as the route documents them. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
};

export const problem = (
  kind: ProblemKind,
  detail: string,
  rest: Omit<Problem, 'problem' | 'detail'> = {},
): Problem => ({
  problem: kind,
  detail,
  ...rest,
});

export const isProblem = (answer: object): answer is Problem => 'problem' in answer;

export const problemError = ({ path, message, severity, line, column }: StoreFault): ProblemError => ({
  path: path.length === 0 ? '(whole)' : renderFaultPath(path),
  keys: path,
  detail: message,
  severity,
  ...(line === undefined || column === undefined ? {} : { line, column }),
});

export const problemType = (kind: ProblemKind): string => `urn:sallyport:problem:${kind}`;

/** The body of the answer. */
export function problemDocument({ problem: kind, detail, errors, more }: Problem): Readonly<Record<string, unknown>> {
  const { status, title } = PROBLEMS[kind];
  return { type: problemType(kind), title, status, detail, ...(errors === undefined ? {} : { errors }), ...more };
}
