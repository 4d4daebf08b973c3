/**
 * The one error class that crosses module borders, with a closed list of codes. Anything else that is thrown is a bug:
 * the walks answer `451 4.3.0` to it and never accept. Pure.
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
