/**
 * What must be undone when the bench ends, however it ends: processes, mounts, folders. Steps are synchronous, because
 * nothing else runs in an exit handler. Effects: those handed in.
 */
const steps: (() => void)[] = [];

process.once('exit', () => {
  for (const step of steps.reverse()) {
    try {
      step();
    } catch {
      // The next step has to run all the same.
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

/** Runs `step` at the end, in reverse order of the calls. */
export function atExit(step: () => void): void {
  steps.push(step);
}
