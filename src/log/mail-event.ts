/**
 * Every fact that the gateway records, once: one event per fact. `mail-log.ts` prints an event as a mail_logs line or
 * as JSON, `metrics.ts` counts it; nobody writes log text anywhere else. Secrets never enter an event.
 * Pure: types only.
 */
import type { AlertClass, AlertSeverity } from '../core/alert.ts';
import type { Dcid, Icid, Mid, Rid } from '../core/ids.ts';

/** A client certificate as a log names it. */
export type CertificateNames = { readonly subject: string; readonly issuer: string; readonly serial: string };

/** Everything known about a session that was refused something, in one record. */
export type Refusal = {
  /** Stage that refused: connection, tls, certificate, auth, mail, rcpt, data. */
  readonly stage: 'connection' | 'tls' | 'certificate' | 'auth' | 'mail' | 'rcpt' | 'data';
  readonly listener: string;
  readonly remoteAddress: string;
  readonly senderGroup: string;
  readonly policy: string;
  readonly revision: number;
  /** Configuration path or row of the truth table that decided. */
  readonly rule: string;
  /** In words, for the administrator; may say more than the reply. */
  readonly reason: string;
  readonly reply: string;
  readonly user?: string;
  readonly certificate?: CertificateNames;
};

export type MailEvent =
  // connection
  | {
      event: 'connection';
      icid: Icid;
      listener: string;
      localAddress: string;
      remoteAddress: string;
      hostname?: string;
      verified: boolean;
    }
  | {
      event: 'hat';
      icid: Icid;
      behavior: 'ACCEPT' | 'RELAY' | 'REJECT' | 'TCPREFUSE';
      senderGroup: string;
      match: string;
      policy: string;
      revision: number;
    }
  | { event: 'listener-full'; listener: string; remoteAddress: string }
  | { event: 'refused'; icid: Icid; mid?: Mid; refusal: Refusal }
  | { event: 'icid-close'; icid: Icid; how: 'close' | 'lost' | 'aborted'; why?: string }
  // tls and identity
  | { event: 'tls-success'; icid: Icid; protocol: string; cipher: string; resumed: boolean }
  | { event: 'tls-failed'; icid: Icid; why: string }
  | { event: 'tls-required'; icid: Icid }
  | { event: 'certificate-ok'; icid: Icid; certificate: CertificateNames; user: string; profile: string; by: string }
  | { event: 'certificate-not-used'; icid: Icid; certificate?: CertificateNames; reason: string; rule: string }
  | { event: 'certificate-deferred'; icid: Icid; certificate: CertificateNames; reason: string }
  | {
      event: 'certificate-status';
      icid: Icid;
      serial: string;
      status: 'good' | 'revoked' | 'unknown' | 'none';
      responder?: string;
      signer?: string;
      nextUpdateMs?: number;
      why?: string;
    }
  | { event: 'auth-success'; icid: Icid; user: string; mechanism: string; profile: string }
  | { event: 'auth-failed'; icid: Icid; user: string; mechanism: string; profile: string; reason: string }
  | { event: 'auth-not-allowed'; icid: Icid; user: string; action: 'reject' | 'monitor'; profile: string }
  | { event: 'auth-unavailable'; icid: Icid; user: string; profile: string; reason: string }
  | { event: 'auth-required'; icid: Icid }
  // transaction
  | { event: 'message-start'; mid: Mid; icid: Icid }
  | { event: 'from'; mid: Mid; icid: Icid; sender: string }
  | { event: 'to'; mid: Mid; icid: Icid; rid: Rid; recipient: string }
  | { event: 'to-rejected'; mid: Mid; icid: Icid; recipient: string; by: string }
  | { event: 'message-id'; mid: Mid; messageId: string }
  | { event: 'subject'; mid: Mid; subject: string }
  | { event: 'message-ready'; mid: Mid; bytes: number; sender: string }
  | { event: 'message-queued'; mid: Mid }
  | { event: 'message-aborted'; mid: Mid; icid: Icid; why: string }
  // delivery
  | { event: 'dcid-open'; dcid: Dcid; localAddress: string; remoteAddress: string; port: number; host: string }
  | { event: 'dcid-failed'; dcid: Dcid; remoteAddress: string; host: string; why: string }
  | { event: 'dcid-tls'; dcid: Dcid; protocol: string; cipher: string; peer: string; verified: boolean }
  | { event: 'dcid-tls-failed'; dcid: Dcid; why: string }
  | { event: 'dcid-tls-required'; dcid: Dcid; remoteAddress: string; why: string }
  | { event: 'delivery-start'; dcid: Dcid; mid: Mid; rids: readonly Rid[] }
  | { event: 'delivered'; dcid: Dcid; mid: Mid; rids: readonly Rid[]; response: string }
  | { event: 'delayed'; dcid: Dcid; mid: Mid; rids: readonly Rid[]; status: string; why: string; nextAttemptMs: number }
  | { event: 'bounced'; dcid: Dcid; mid: Mid; rids: readonly Rid[]; status: string; why: string; by?: string }
  /** By an administrator. */
  | { event: 'deleted'; mid: Mid; rids: readonly Rid[]; by: string; reason?: string }
  | { event: 'discarded'; mid: Mid; rids: readonly Rid[]; route: string }
  | { event: 'bounce-generated'; mid: Mid; of: Mid }
  | { event: 'double-bounce'; mid: Mid; why: string }
  /** A recipient limit of destination controls: no attempt before `untilMs`. */
  | { event: 'pending'; mid: Mid; rids: readonly Rid[]; domain: string; rule: string; untilMs: number }
  /** `alert`: an administrator wants to be told. */
  | { event: 'destination-without-tls'; domain: string; rule: string; why: string; alert: boolean }
  /** No host of an SMTP route of the configuration gives a session. */
  | { event: 'route-down'; route: string; why: string }
  | { event: 'message-done'; mid: Mid }
  | { event: 'dcid-close'; dcid: Dcid }
  | { event: 'deliver-now'; selection: string; recipients: number; by: string }
  // the gateway itself
  | { event: 'listener-suspended'; listener: string; remoteAddress: string }
  | {
      event: 'suspension';
      of: 'receiving' | 'delivery' | 'work-queue';
      suspended: boolean;
      listener?: string;
      by: string;
      reason?: string;
    }
  | { event: 'commit'; revision: number; user: string; comment: string; deadlineMs?: number }
  /**
   * `topic`: what it is about, the same each time: an alert is raised for it. Without one only what is critical raises
   * an alert; '' raises none.
   */
  | { event: 'system'; level: 'info' | 'warning' | 'critical'; text: string; topic?: string }
  | { event: 'crl-updated'; source: string; issuer: string; entries: number; nextUpdateMs?: number }
  | { event: 'crl-failed'; source: string; url: string; why: string }
  | { event: 'crl-alert'; source: string; issuer: string; age: 'expiring' | 'expired'; nextUpdateMs?: number }
  /** Something runs out at `endMs`, in whole `days` from now; negative: it has. */
  | {
      event: 'expiry';
      of: 'certificate' | 'authority' | 'list';
      name: string;
      subject: string;
      endMs: number;
      days: number;
    }
  | {
      event: 'audit';
      actor: string;
      how: string;
      address: string;
      action: string;
      target: string;
      outcome: string;
      detail?: string;
    }
  | {
      event: 'ocsp-answer';
      responder: string;
      certificate: CertificateNames;
      status: 'good' | 'revoked' | 'unknown';
      signer: string;
      nextUpdateMs?: number;
    }
  | { event: 'ocsp-failed'; responder: string; certificate: CertificateNames; why: string }
  | { event: 'staple-updated'; certificate: string; responder: string; nextUpdateMs?: number }
  | { event: 'staple-failed'; certificate: string; responder?: string; why: string }
  | { event: 'issuer-fetched'; url: string; certificates: number }
  | { event: 'issuer-failed'; url: string; why: string }
  /** `hostsUp`: how many hosts of the server answer after this. */
  | { event: 'directory'; server: string; host: string; up: boolean; hostsUp: number; why?: string }
  | { event: 'alert-sent'; class: AlertClass; severity: AlertSeverity; recipient: string; subject: string }
  | {
      event: 'alert-failed';
      class: AlertClass;
      severity: AlertSeverity;
      recipient: string;
      subject: string;
      why: string;
      /** Absent: given up. */
      nextAttemptMs?: number;
    };

/** Where events go. The writer adds the time. */
export type MailLog = { emit(event: MailEvent): void };
