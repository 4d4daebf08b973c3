/**
 * A fault in a configuration: where, and what is wrong and what is allowed. `check` prints it with line and column.
 * Every part that compiles a piece of configuration reports its faults this way instead of throwing. Pure.
 */
export type Fault = {
  /** Keys and indexes from the root: ['listeners', 'submission', 'hat', 0, 'policy']. */
  readonly path: readonly (string | number)[];
  readonly severity: 'error' | 'warning';
  readonly message: string;
};

export const fault = (path: readonly (string | number)[], message: string): Fault => ({
  path,
  severity: 'error',
  message,
});
export const warning = (path: readonly (string | number)[], message: string): Fault => ({
  path,
  severity: 'warning',
  message,
});

/** `listeners.submission.hat[0].policy`; a key that is no plain word is quoted: `smtpRoutes[".example.com"]`. */
export function renderFaultPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
