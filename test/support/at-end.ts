/**
 * What must be ended or removed when a test file is done. `after` of node:test belongs to the hook or test that calls
 * it, which is too early for what several tests share; this one belongs to the file.
 * Effects: those handed in.
 */
import { after } from 'node:test';

const steps: (() => unknown)[] = [];

after(async () => {
  const failures: unknown[] = [];
  // One that fails must not leave the programs of the others running.
  for (const step of steps.reverse()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
});

/** Runs `step` after the last test of the file, in reverse order of the calls. */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}
