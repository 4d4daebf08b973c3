/** The last alerts and what became of them, as `displayalerts` and the API show them. Structured-clone data. Pure: types only. */
import type { AlertClass, AlertSeverity } from '../core/alert.ts';

export type AlertDelivery = {
  readonly address: string;
  /** `waiting`: on its way, or to be tried again. */
  state: 'waiting' | 'sent' | 'failed';
  attempts: number;
  /** Of the last attempt that failed. */
  why?: string;
  nextAttemptMs?: number;
};

export type AlertRecord = {
  readonly atMs: number;
  readonly class: AlertClass;
  readonly severity: AlertSeverity;
  readonly text: string;
  /** How often it was raised since the last message of its kind. */
  readonly raised: number;
  readonly recipients: readonly AlertDelivery[];
  /** Why it was sent to nobody. */
  readonly notSent?: 'no-recipient' | 'too-many';
};

/** Newest first. */
export type AlertListing = { readonly nowMs: number; readonly alerts: readonly AlertRecord[] };
