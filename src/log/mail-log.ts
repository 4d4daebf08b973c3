/**
 * A mail event as a line of mail_logs in AsyncOS wording, or as one JSON object. Whatever a client controls is made
 * printable and bounded, so that no value can add a line, hide one, or fill the disk.
 * AsyncOS: mail_logs. Pure: time and zone are handed in.
 */
import { type AlertClass, type AlertSeverity, CLASS_TITLE, SEVERITY_TITLE } from '../core/alert.ts';
import { printable } from '../core/reply.ts';
import type { CertificateNames, MailEvent, Refusal } from './mail-event.ts';
import { isoTime, mailLogTime } from './timestamp.ts';

export const MAX_VALUE_CHARS = 1000;

type Name = MailEvent['event'];
type Event<N extends Name> = Extract<MailEvent, { event: N }>;
export type LogLevel = 'info' | 'warning' | 'critical';

/** `Tue Nov 24 13:31:00 2026 Info: …` without a line end. `zoneOffsetMinutes` is minutes east of UTC. */
export const renderText = (event: MailEvent, atMs: number, zoneOffsetMinutes = 0): string =>
  `${mailLogTime(atMs, zoneOffsetMinutes)} ${renderMessage(event)}`;

/** `Info: …`: the line without its time, which a writer can keep for a whole second. */
export const renderMessage = (event: MailEvent): string => `${LEVEL_TEXT[levelOf(event)]}: ${messageOf(event)}`;

/** `{"time":"…","level":"info","event":"connection","icid":5,…}` without a line end. Strings are cut, numbers are kept. */
export function renderJson(event: MailEvent, atMs: number): string {
  const { event: name, ...facts } = event;
  const json = JSON.stringify({ time: isoTime(atMs), level: levelOf(event), event: name, ...facts }, cutStrings);
  // Readers that split lines the Unicode way would take these for line ends, and terminals would turn what follows round;
  // JSON allows them raw.
  return json.replace(/[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, escapeUnit);
}

const cutStrings = (_key: string, value: unknown): unknown => (typeof value === 'string' ? cut(value) : value);
const cut = (text: string): string => (text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}...` : text);
const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const LEVEL_TEXT: Readonly<Record<LogLevel, string>> = { info: 'Info', warning: 'Warning', critical: 'Critical' };
const WARNINGS: ReadonlySet<Name> = new Set<Name>([
  'certificate-deferred',
  'auth-unavailable',
  'crl-failed',
  'ocsp-failed',
  'staple-failed',
  'issuer-failed',
  'double-bounce',
  'route-down',
  'destination-without-tls',
  'alert-failed',
]);

export function levelOf(event: MailEvent): LogLevel {
  if (event.event === 'system') return event.level;
  if (event.event === 'directory') return event.up ? 'info' : 'warning';
  if (event.event === 'crl-alert') return event.age === 'expired' ? 'critical' : 'warning';
  if (event.event === 'expiry') return event.days < 0 ? 'critical' : 'warning';
  if (event.event === 'suspension') return event.suspended ? 'warning' : 'info';
  if (event.event === 'audit') return event.outcome === 'done' ? 'info' : 'warning';
  return WARNINGS.has(event.event) ? 'warning' : 'info';
}

/** A value on one line. Signs that turn the reading direction could make a line look like another. */
function v(text: string): string {
  return printable(cut(text)).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}

/** A value between double quotes, which it cannot leave. */
const q = (text: string): string => `"${v(text).replace(/["\\]/g, '\\$&')}"`;

const yesNo = (flag: boolean): string => (flag ? 'yes' : 'no');
const because = (why: string | undefined): string => (why === undefined ? '' : `: ${v(why)}`);
const nextUpdate = (ms: number | undefined): string => (ms === undefined ? 'none' : isoTime(ms));
const ridSet = (rids: readonly number[]): string =>
  `[${rids.slice(0, 200).join(', ')}${rids.length > 200 ? ', ...' : ''}]`;
const names = ({ subject, issuer, serial }: CertificateNames): string =>
  `subject ${q(subject)} issuer ${q(issuer)} serial ${v(serial)}`;

/** The line without time and level. */
export function messageOf(event: MailEvent): string {
  return (TEXT[event.event] as (each: MailEvent) => string)(event);
}

const TEXT: { readonly [N in Name]: (event: Event<N>) => string } = {
  connection: (e) =>
    `New SMTP ICID ${e.icid} interface ${v(e.listener)} (${v(e.localAddress)}) address ${v(e.remoteAddress)} reverse dns host ${v(e.hostname ?? 'unknown')} verified ${yesNo(e.verified)}`,
  hat: (e) =>
    `ICID ${e.icid} ${e.behavior} SG ${v(e.senderGroup)} match ${v(e.match)} SBRS None policy ${v(e.policy)} revision ${e.revision}`,
  'listener-full': (e) =>
    `ICID 0 Connection from ${v(e.remoteAddress)} on interface ${v(e.listener)} refused: Connection limit exceeded`,
  refused: (e) => `ICID ${e.icid}${e.mid === undefined ? '' : ` MID ${e.mid}`} refused ${refusalText(e.refusal)}`,
  'icid-close': (e) => `ICID ${e.icid} ${e.how}${because(e.why)}`,
  'tls-success': (e) =>
    `ICID ${e.icid} TLS success protocol ${v(e.protocol)} cipher ${v(e.cipher)}${e.resumed ? ' resumed' : ''}`,
  'tls-failed': (e) => `ICID ${e.icid} TLS failed: ${v(e.why)}`,
  'tls-required': (e) => `ICID ${e.icid} TLS was required but remote host did not initiate it`,
  'certificate-ok': (e) =>
    `ICID ${e.icid} client certificate ok: user ${v(e.user)} profile ${v(e.profile)} by ${q(e.by)} ${names(e.certificate)}`,
  'certificate-not-used': (e) =>
    `ICID ${e.icid} client certificate not used: ${v(e.reason)}, rule ${q(e.rule)}${e.certificate === undefined ? '' : ` ${names(e.certificate)}`}`,
  'certificate-deferred': (e) =>
    `ICID ${e.icid} client certificate undecided, asked again at MAIL FROM: ${v(e.reason)} ${names(e.certificate)}`,
  'certificate-status': (e) =>
    e.status === 'none'
      ? `ICID ${e.icid} OCSP: serial ${v(e.serial)} no answer${because(e.why)}`
      : `ICID ${e.icid} OCSP: serial ${v(e.serial)} ${v(e.status)} responder ${v(e.responder ?? '')} signer ${q(e.signer ?? '')} next update ${nextUpdate(e.nextUpdateMs)}`,
  'auth-success': (e) =>
    `SMTP Auth: (ICID ${e.icid}) succeeded for user: ${v(e.user)} using AUTH mechanism: ${v(e.mechanism)} with profile: ${v(e.profile)}`,
  'auth-failed': (e) =>
    `SMTP Auth: (ICID ${e.icid}) failed for user: ${v(e.user)} using AUTH mechanism: ${v(e.mechanism)} with profile: ${v(e.profile)}, reason: ${v(e.reason)}`,
  'auth-not-allowed': (e) =>
    `SMTP Auth: (ICID ${e.icid}) user ${v(e.user)} is not allowed to use SMTP AUTH, ${e.action === 'monitor' ? 'monitored' : 'rejected'}, profile ${v(e.profile)}`,
  'auth-unavailable': (e) =>
    `SMTP Auth: (ICID ${e.icid}) LDAP query/user lookup failed for user: ${v(e.user)} with profile: ${v(e.profile)}, reason: ${v(e.reason)}`,
  'auth-required': (e) => `SMTP Auth: (ICID ${e.icid}) was required but remote host did not initiate it`,
  'message-start': (e) => `Start MID ${e.mid} ICID ${e.icid}`,
  from: (e) => `MID ${e.mid} ICID ${e.icid} From: <${v(e.sender)}>`,
  to: (e) => `MID ${e.mid} ICID ${e.icid} RID ${e.rid} To: <${v(e.recipient)}>`,
  'to-rejected': (e) => `MID ${e.mid} ICID ${e.icid} To: <${v(e.recipient)}> Rejected by ${v(e.by)}`,
  'message-id': (e) => `MID ${e.mid} Message-ID '${v(e.messageId)}'`,
  subject: (e) => `MID ${e.mid} Subject '${v(e.subject)}'`,
  'message-ready': (e) => `MID ${e.mid} ready ${e.bytes} bytes from <${v(e.sender)}>`,
  'message-queued': (e) => `MID ${e.mid} queued for delivery`,
  'message-aborted': (e) => `Message aborted MID ${e.mid} ${v(e.why)}`,
  'dcid-open': (e) =>
    `New SMTP DCID ${e.dcid} interface ${v(e.localAddress)} address ${v(e.remoteAddress)} port ${e.port} host ${v(e.host)}`,
  'dcid-failed': (e) =>
    `Connection Error: DCID: ${e.dcid} IP: ${v(e.remoteAddress)} host: ${v(e.host)} details: ${v(e.why)}`,
  'dcid-tls': (e) =>
    `DCID ${e.dcid} TLS success protocol ${v(e.protocol)} cipher ${v(e.cipher)} peer ${q(e.peer)} verified ${yesNo(e.verified)}`,
  'dcid-tls-failed': (e) => `DCID ${e.dcid} TLS failed: ${v(e.why)}`,
  'dcid-tls-required': (e) =>
    `DCID ${e.dcid} IP ${v(e.remoteAddress)} TLS was required but could not be successfully negotiated: ${v(e.why)}`,
  'delivery-start': (e) => `Delivery start DCID ${e.dcid} MID ${e.mid} to RID ${ridSet(e.rids)}`,
  delivered: (e) => `Message done DCID ${e.dcid} MID ${e.mid} to RID ${ridSet(e.rids)} Response '${v(e.response)}'`,
  delayed: (e) =>
    `Delayed: DCID ${e.dcid} MID ${e.mid} to RID ${ridSet(e.rids)} - ${v(e.status)} - ${v(e.why)}, next attempt ${isoTime(e.nextAttemptMs)}`,
  bounced: (e) =>
    `Bounced: DCID ${e.dcid} MID ${e.mid} to RID ${ridSet(e.rids)} - ${v(e.status)} - ${v(e.why)}${e.by === undefined ? '' : ` by ${v(e.by)}`}`,
  deleted: (e) => `Deleted: MID ${e.mid} to RID ${ridSet(e.rids)} by ${v(e.by)}${because(e.reason)}`,
  'deliver-now': (e) =>
    `User ${v(e.by)} scheduled ${e.recipients} ${e.recipients === 1 ? 'recipient' : 'recipients'} for delivery now: ${v(e.selection)}`,
  'listener-suspended': (e) =>
    `ICID 0 Connection from ${v(e.remoteAddress)} on interface ${v(e.listener)} refused: Receiving is suspended`,
  suspension: (e) => suspensionText(e),
  discarded: (e) => `MID ${e.mid} to RID ${ridSet(e.rids)} discarded: SMTP route ${v(e.route)} is /dev/null`,
  'bounce-generated': (e) => `MID ${e.mid} was generated for bounce of MID ${e.of}`,
  'double-bounce': (e) => `Double bounce: MID ${e.mid} dropped: ${v(e.why)}`,
  pending: (e) =>
    `MID ${e.mid} to RID ${ridSet(e.rids)} pending till ${isoTime(e.untilMs)} [${v(e.domain)}], rule ${q(e.rule)}`,
  'destination-without-tls': (e) =>
    `TLS was required for the domain ${v(e.domain)} but could not be successfully negotiated: ${v(e.why)}, rule ${q(e.rule)}`,
  'route-down': (e) => `SMTP route ${v(e.route)} is down: ${v(e.why)}`,
  'message-done': (e) => `Message finished MID ${e.mid} done`,
  'dcid-close': (e) => `DCID ${e.dcid} close`,
  commit: (e) =>
    `User ${v(e.user)} commit changes: ${v(e.comment)} (revision ${e.revision}${e.deadlineMs === undefined ? '' : `, goes back at ${isoTime(e.deadlineMs)} unless confirmed`})`,
  system: (e) => v(e.text),
  'crl-updated': (e) =>
    `CRL source ${v(e.source)} updated: issuer ${q(e.issuer)} entries ${e.entries} next update ${nextUpdate(e.nextUpdateMs)}`,
  'crl-alert': (e) =>
    `CRL source ${v(e.source)}: the revocation list of ${q(e.issuer)} ${e.age === 'expired' ? 'has expired' : 'is about to expire'} (${e.nextUpdateMs === undefined ? 'it names no nextUpdate' : `nextUpdate ${isoTime(e.nextUpdateMs)}`})`,
  'crl-failed': (e) => `CRL source ${v(e.source)} failed: ${v(e.url)}: ${v(e.why)}`,
  expiry: (e) => `${OF[e.of]} ${v(e.name)} (${v(e.subject)}) ${expiryWords(e.days)}: ${isoTime(e.endMs)}`,
  audit: (e) =>
    `Audit: ${v(e.actor)} (${v(e.how)}) from ${v(e.address)}: ${v(e.action)}${e.target === '' ? '' : ` ${q(e.target)}`}: ${v(e.outcome)}${because(e.detail)}`,
  'ocsp-answer': (e) =>
    `OCSP responder ${v(e.responder)} says ${v(e.status)}: ${names(e.certificate)} signer ${q(e.signer)} next update ${nextUpdate(e.nextUpdateMs)}`,
  'ocsp-failed': (e) => `OCSP responder ${v(e.responder)} gave no answer: ${v(e.why)} ${names(e.certificate)}`,
  'staple-updated': (e) =>
    `Certificate ${v(e.certificate)} is stapled: responder ${v(e.responder)} next update ${nextUpdate(e.nextUpdateMs)}`,
  'staple-failed': (e) =>
    `Certificate ${v(e.certificate)} has no new staple${e.responder === undefined ? '' : `, responder ${v(e.responder)}`}: ${v(e.why)}`,
  'issuer-fetched': (e) => `Missing issuer fetched: ${v(e.url)} certificates ${e.certificates}`,
  'issuer-failed': (e) => `Missing issuer not fetched: ${v(e.url)}: ${v(e.why)}`,
  directory: (e) => `LDAP server ${v(e.server)} host ${v(e.host)} is ${e.up ? 'up' : 'down'}${because(e.why)}`,
  'alert-sent': (e) => `A ${alertName(e)} alert was sent to ${v(e.recipient)} with subject ${q(e.subject)}.`,
  'alert-failed': (e) =>
    `A ${alertName(e)} alert could not be sent to ${v(e.recipient)} with subject ${q(e.subject)}: ${v(e.why)}${e.nextAttemptMs === undefined ? ', given up' : `, next attempt ${isoTime(e.nextAttemptMs)}`}`,
};

function suspensionText({ of, suspended, listener, by, reason }: Event<'suspension'>): string {
  const what =
    of === 'work-queue' ? 'Work queue' : of === 'delivery' ? 'Mail delivery' : `Receiving on ${v(listener ?? 'all')}`;
  const done = suspended ? (of === 'work-queue' ? 'paused' : 'suspended') : 'resumed';
  return `${what} ${done} by ${v(by)}${because(reason)}`;
}
const alertName = (e: { readonly class: AlertClass; readonly severity: AlertSeverity }): string =>
  `${CLASS_TITLE[e.class]}/${SEVERITY_TITLE[e.severity]}`;

const OF = {
  certificate: 'Certificate',
  authority: 'Certificate authority',
  list: 'Revocation list of source',
} as const;

function expiryWords(days: number): string {
  if (days < 0) return days === -1 ? 'has expired' : `has expired, ${counted(-1 - days)} ago`;
  return days === 0 ? 'expires within a day' : `expires in ${counted(days)}`;
}

const counted = (days: number): string => `${days} ${days === 1 ? 'day' : 'days'}`;

/** Everything that is known about a refusal, so that one line answers "why". */
function refusalText(r: Refusal): string {
  const who = r.user === undefined ? '' : ` user ${q(r.user)}`;
  const card = r.certificate === undefined ? '' : ` ${names(r.certificate)}`;
  const where = `listener ${v(r.listener)} address ${v(r.remoteAddress)} SG ${v(r.senderGroup)} policy ${v(r.policy)} revision ${r.revision}`;
  return `at ${r.stage}: reason ${q(r.reason)}${who}${card} ${where} rule ${q(r.rule)} reply ${q(r.reply)}`;
}
