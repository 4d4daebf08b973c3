/**
 * What an alert is: news about the gateway for its administrators, of a class and a severity that they subscribe to by
 * name. `key` tells duplicates from different news. AsyncOS: Alerts. Pure.
 */
export const ALERT_CLASSES = ['system', 'certificates', 'directory', 'delivery'] as const;
export type AlertClass = (typeof ALERT_CLASSES)[number];

export const ALERT_SEVERITIES = ['critical', 'warning', 'information'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export type Alert = {
  readonly class: AlertClass;
  readonly severity: AlertSeverity;
  /** A short sentence on one line, printable. */
  readonly text: string;
  readonly key: string;
};

/** `count` like alerts of the same moment, the last one in words. */
export type RaisedAlert = Alert & { readonly count: number };

export const CLASS_TITLE: Readonly<Record<AlertClass, string>> = {
  system: 'System',
  certificates: 'Certificates',
  directory: 'Directory',
  delivery: 'Message Delivery',
};

export const SEVERITY_TITLE: Readonly<Record<AlertSeverity, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  information: 'Information',
};

/** One message to one recipient; structured-clone data. */
export type AlertMail = { readonly from: string; readonly to: string; readonly text: Uint8Array };
export type AlertSent =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: string; readonly permanent: boolean };
