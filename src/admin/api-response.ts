/** A request and an answer of the API apart from any server, and how a problem becomes an answer. Pure. */
import { PROBLEMS, type Problem, problemDocument } from './problem.ts';
import type { CertificateChain } from './sessions.io.ts';

export type ApiRequest = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly header: (name: string) => string | undefined;
  readonly channel: 'tls' | 'local';
  readonly address: string;
  readonly chain: CertificateChain | undefined;
  /** `too-large`: there were more than so many octets; `cut-off`: the client went away before the end. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array | 'too-large' | 'cut-off'>;
};

export type ApiResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Never rejects. */
export type Answer = (request: ApiRequest) => Promise<ApiResponse>;

export function problemResponse(found: Problem): ApiResponse {
  return {
    status: PROBLEMS[found.problem].status,
    headers: { 'content-type': 'application/problem+json', ...found.headers },
    body: `${JSON.stringify(problemDocument(found))}\n`,
  };
}
