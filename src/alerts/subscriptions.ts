/**
 * Who gets an alert: the recipients by class and severity. The entry of a class counts before that of `all`. Pure.
 */
import type { AlertsConfig } from '../config/schema.ts';
import type { Alert } from '../core/alert.ts';

/** The addresses whose entry for the alert's class, else for `all`, lists its severity. */
export function subscribersOf(
  alert: Pick<Alert, 'class' | 'severity'>,
  recipients: AlertsConfig['recipients'],
): string[] {
  return Object.entries(recipients).flatMap(([address, classes]) => {
    const wanted = classes[alert.class] ?? classes.all ?? [];
    return wanted.includes(alert.severity) ? [address] : [];
  });
}
