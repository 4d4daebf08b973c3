/**
 * Answers of browsers are judged in a process apart, one at a time: the library that does it would take 30 MB of the
 * gateway's memory from the first passkey on. Beyond a bound a caller is told to come back.
 * Effects: child processes.
 */
import { apart } from '../core/apart.io.ts';
import { GatewayError } from '../core/errors.ts';
import { Turns } from '../core/turns.ts';
import type { Asserted, Login, Registered, Registration } from './passkey-ceremony.ts';

const MODULE = new URL('./passkey-ceremony.ts', import.meta.url);

export class PasskeyVerification {
  readonly #turns = new Turns({ atOnce: 1, mayWait: 16 });

  registration(given: Registration): Promise<Registered> {
    return this.#judge('verifyRegistration', given);
  }

  login({ passkey: { id, publicKey }, ...given }: Login): Promise<Asserted> {
    return this.#judge('verifyLogin', { ...given, passkey: { id, publicKey } });
  }

  async #judge<T>(name: string, given: object): Promise<T> {
    const judged = this.#turns.run(() => apart<T>(MODULE, name, given));
    if (judged === undefined) throw new GatewayError('closed', 'too many passkeys at once: try again');
    return await judged;
  }
}
