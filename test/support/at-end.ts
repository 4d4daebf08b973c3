/**
 * What must be ended or removed when a test file is done. `after` of node:test belongs to the hook or test that calls
 * it, which is too early for what several tests share; this one belongs to the file.
 * Effects: those handed in.
 */
import { after } from 'node:test';

const steps: (() => unknown)[] = [];

after(async () => {
  for (const step of steps.reverse()) await step();
});

/** Runs `step` after the last test of the file, in reverse order of the calls. */
export function atEnd(step: () => unknown): void {
  steps.push(step);
}
