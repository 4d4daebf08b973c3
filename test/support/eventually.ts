/**
 * Waiting for what another process or thread will show in a moment, where it tells of no event: the state is looked at
 * again until it is as wanted. How quick a machine is decides nothing; the limit only ends what will never come.
 * Effects: timers.
 */
import { AssertionError } from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';

/** Every wait of the tests ends after this time at the latest, several times what a busy machine needs. */
export const PATIENCE_MS = 180_000;
const PAUSE_MS = 20;

/** Runs the assertions again until none of them fails; what it answers. In the end it rejects as they do. */
export async function eventually<T>(look: () => T | Promise<T>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await wait(PAUSE_MS)) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof AssertionError) || Date.now() > deadline) throw error;
    }
  }
}
