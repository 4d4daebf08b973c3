/**
 * The one error class that crosses module borders, with a closed list of codes. Anything else that is thrown is a bug:
 * the walks answer `451 4.3.0` to it and never accept. And the words of whatever was thrown, for logs and people. Pure.
 */
export type GatewayErrorCode =
  | 'config' // a configuration that `check` should have refused
  | 'storage-full' // ENOSPC, EDQUOT, SQLITE_FULL: answered 452 4.3.1
  | 'storage' // any other failure of the store: answered 451 4.3.0
  | 'closed'; // the part is stopping

export class GatewayError extends Error {
  readonly code: GatewayErrorCode;
  constructor(code: GatewayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }
}

/** What went wrong, in words; whatever was thrown. */
export const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For a bug: with the place in the code, where there is one. */
export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** `ENOENT`, `ERR_OSSL_BAD_DECRYPT`: the code that Node gives to an error of its own; undefined where it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
