/** A mail log that nobody reads: for decisions without a session, which say their reasons themselves. Pure. */
import type { MailLog } from './mail-event.ts';

export const SILENT: MailLog = { emit: () => undefined };
