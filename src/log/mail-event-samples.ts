/**
 * One sample of every mail event with a sentence that explains it: the source of docs/mail-events.md, and what the
 * tests render and count. An event without a sample does not compile. Pure.
 */
import type { Dcid, Icid, Mid, Rid } from '../core/ids.ts';
import { ALERT_EVENT_SAMPLES } from './alert-event-samples.ts';
import type { MailEvent } from './mail-event.ts';

type Name = MailEvent['event'];
export type MailEventSample<N extends Name = Name> = {
  readonly means: string;
  readonly sample: Extract<MailEvent, { event: N }>;
};

const icid = 5 as Icid;
const mid = 6 as Mid;
const dcid = 8 as Dcid;
const rid = 0 as Rid;
const rids = [rid];
const certificate = {
  subject: 'CN=ADAMS.ALICE.A.1000000001,OU=PKI,O=Example,C=US',
  issuer: 'CN=Example Issuing CA,O=Example,C=US',
  serial: '1001',
};

export const MAIL_EVENT_SAMPLES: { readonly [N in Name]: MailEventSample<N> } = {
  connection: {
    means: 'A connection was accepted. `verified` is yes where the reverse and the forward look-up agree.',
    sample: {
      event: 'connection',
      icid,
      listener: 'submission',
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
      verified: false,
    },
  },
  hat: {
    means: 'The host access table decided: behaviour, sender group, the entry that matched, mail flow policy.',
    sample: {
      event: 'hat',
      icid,
      behavior: 'RELAY',
      senderGroup: 'RELAYLIST',
      match: '127.0.0.0/8',
      policy: 'RELAYED',
      revision: 3,
    },
  },
  'listener-full': {
    means: 'The listener has as many connections as maxConcurrency allows; this one got 421.',
    sample: { event: 'listener-full', listener: 'submission', remoteAddress: '127.0.0.1' },
  },
  'listener-suspended': {
    means: 'Receiving is suspended on this listener; the connection got 421.',
    sample: { event: 'listener-suspended', listener: 'submission', remoteAddress: '127.0.0.1' },
  },
  suspension: {
    means: 'An administrator suspended or resumed receiving, delivery or the work queue.',
    sample: { event: 'suspension', of: 'delivery', suspended: true, by: 'cli:root', reason: 'maintenance' },
  },
  refused: {
    means: 'Something was refused; every fact about it in one line.',
    sample: {
      event: 'refused',
      icid,
      refusal: {
        stage: 'certificate',
        listener: 'submission',
        remoteAddress: '127.0.0.1',
        senderGroup: 'RELAYLIST',
        policy: 'RELAYED',
        revision: 3,
        rule: 'certificate invalid, verify on, tls required',
        reason: 'client certificate revoked',
        reply: '554 5.7.1 client certificate revoked',
        certificate,
      },
    },
  },
  'icid-close': {
    means: 'The connection ended: `close` in order, `lost` without QUIT, `aborted` by the gateway.',
    sample: { event: 'icid-close', icid, how: 'close' },
  },
  'tls-success': {
    means: 'The handshake is complete. It says nothing about the client certificate.',
    sample: { event: 'tls-success', icid, protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', resumed: false },
  },
  'tls-failed': {
    means: 'The handshake failed.',
    sample: { event: 'tls-failed', icid, why: 'no shared cipher' },
  },
  'tls-required': {
    means: 'A command came before STARTTLS although the policy requires TLS.',
    sample: { event: 'tls-required', icid },
  },
  'certificate-ok': {
    means: 'The client certificate is good and names a user.',
    sample: {
      event: 'certificate-ok',
      icid,
      certificate,
      user: 'alice',
      profile: 'cac',
      by: 'ldap.queries.cac-certificate',
    },
  },
  'certificate-not-used': {
    means: 'The session goes on without an identity from a certificate.',
    sample: {
      event: 'certificate-not-used',
      icid,
      certificate,
      reason: 'client certificate expired',
      rule: 'certificate invalid, verify off',
    },
  },
  'certificate-deferred': {
    means: 'The directory could not be asked whose certificate it is.',
    sample: { event: 'certificate-deferred', icid, certificate, reason: 'no directory server answers' },
  },
  'certificate-status': {
    means:
      'What an OCSP responder says about a certificate of the path, as the session used it; `none` where it has no answer.',
    sample: {
      event: 'certificate-status',
      icid,
      serial: '1001',
      status: 'good',
      responder: 'http://ocsp.example.test/',
      signer: certificate.issuer,
      nextUpdateMs: 1_795_613_460_000,
    },
  },
  'auth-success': {
    means: 'SMTP AUTH succeeded.',
    sample: { event: 'auth-success', icid, user: 'bob', mechanism: 'PLAIN', profile: 'password' },
  },
  'auth-failed': {
    means: 'SMTP AUTH failed. The reason is for the administrator; every client gets the same reply.',
    sample: {
      event: 'auth-failed',
      icid,
      user: 'bob',
      mechanism: 'PLAIN',
      profile: 'password',
      reason: 'wrong password',
    },
  },
  'auth-not-allowed': {
    means: 'The password was good, but the allowance of the query does not match.',
    sample: { event: 'auth-not-allowed', icid: 7 as Icid, user: 'alice', action: 'monitor', profile: 'password' },
  },
  'auth-unavailable': {
    means: 'The directory could not be asked.',
    sample: { event: 'auth-unavailable', icid, user: 'bob', profile: 'password', reason: 'time limit reached' },
  },
  'auth-required': {
    means: 'MAIL FROM came without an identity although the policy requires one.',
    sample: { event: 'auth-required', icid },
  },
  'message-start': { means: 'A message began with MAIL FROM.', sample: { event: 'message-start', mid, icid } },
  from: { means: 'The envelope sender.', sample: { event: 'from', mid, icid, sender: 'alice@example.test' } },
  to: { means: 'A recipient was accepted.', sample: { event: 'to', mid, icid, rid, recipient: 'bob@example.test' } },
  'to-rejected': {
    means: 'A recipient was rejected, and by what.',
    sample: { event: 'to-rejected', mid, icid, recipient: 'nobody@example.test', by: 'RAT' },
  },
  'message-id': {
    means: 'The Message-ID field of the message.',
    sample: { event: 'message-id', mid, messageId: '<1@example.test>' },
  },
  subject: { means: 'The Subject field of the message.', sample: { event: 'subject', mid, subject: 'Minutes' } },
  'message-ready': {
    means: 'The message has arrived completely.',
    sample: { event: 'message-ready', mid, bytes: 1234, sender: 'alice@example.test' },
  },
  'message-queued': {
    means: 'The message is on stable storage; the client has its 250.',
    sample: { event: 'message-queued', mid },
  },
  'message-aborted': {
    means: 'The message was not accepted.',
    sample: { event: 'message-aborted', mid, icid, why: 'Receiving aborted' },
  },
  'dcid-open': {
    means: 'A delivery connection is open.',
    sample: {
      event: 'dcid-open',
      dcid,
      localAddress: '192.0.2.1',
      remoteAddress: '198.51.100.7',
      port: 25,
      host: 'mx.example.net',
    },
  },
  'dcid-failed': {
    means: 'A delivery connection could not be made.',
    sample: {
      event: 'dcid-failed',
      dcid,
      remoteAddress: '198.51.100.7',
      host: 'mx.example.net',
      why: 'connection refused',
    },
  },
  'dcid-tls': {
    means: 'A delivery connection is encrypted. `verified` says whether the certificate of the host is good.',
    sample: {
      event: 'dcid-tls',
      dcid,
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      peer: 'CN=mx.example.net',
      verified: true,
    },
  },
  'dcid-tls-failed': {
    means: 'The handshake of a delivery connection failed.',
    sample: { event: 'dcid-tls-failed', dcid, why: 'STARTTLS unexpected response' },
  },
  'delivery-start': {
    means: 'Delivery of a message to some of its recipients began.',
    sample: { event: 'delivery-start', dcid, mid, rids },
  },
  delivered: {
    means: 'The next hop took the message for these recipients.',
    sample: { event: 'delivered', dcid, mid, rids, response: '250 2.0.0 ok' },
  },
  delayed: {
    means: 'A temporary failure; there will be another attempt.',
    sample: {
      event: 'delayed',
      dcid,
      mid,
      rids,
      status: '4.4.1',
      why: 'connection timed out',
      nextAttemptMs: 1_795_527_120_000,
    },
  },
  bounced: {
    means: 'A permanent failure.',
    sample: { event: 'bounced', dcid, mid, rids, status: '5.1.1', why: '550 5.1.1 no such user' },
  },
  discarded: {
    means: 'An SMTP route to /dev/null took the message.',
    sample: { event: 'discarded', mid, rids, route: 'ALL' },
  },
  deleted: {
    means: 'An administrator deleted recipients from the queue.',
    sample: { event: 'deleted', mid, rids, by: 'cli:root', reason: 'sent by mistake' },
  },
  'deliver-now': {
    means: 'An administrator made the next attempt of recipients now.',
    sample: { event: 'deliver-now', selection: 'recipients at example.org', recipients: 12, by: 'cli:root' },
  },
  'bounce-generated': {
    means: 'A delivery status notification was queued as a message of its own.',
    sample: { event: 'bounce-generated', mid: 9 as Mid, of: mid },
  },
  'double-bounce': {
    means: 'A bounce could not be delivered and was dropped.',
    sample: { event: 'double-bounce', mid: 9 as Mid, why: '550 5.1.1 no such user' },
  },
  'message-done': {
    means: 'Every recipient of the message has its outcome: the last line of a MID.',
    sample: { event: 'message-done', mid },
  },
  'dcid-close': { means: 'The delivery connection ended.', sample: { event: 'dcid-close', dcid } },
  commit: {
    means:
      'An administrator put a revision of the configuration into force, or the gateway went back to one by itself.',
    sample: { event: 'commit', revision: 12, user: 'admin', comment: 'New card authority' },
  },
  system: {
    means: 'Something about the gateway itself.',
    sample: { event: 'system', level: 'info', text: 'configuration revision 3 in force' },
  },
  'crl-updated': {
    means: 'A revocation list was fetched, is good, and counts from now on.',
    sample: {
      event: 'crl-updated',
      source: 'cac',
      issuer: certificate.issuer,
      entries: 12,
      nextUpdateMs: 1_795_613_460_000,
    },
  },
  'crl-failed': {
    means: 'A revocation list could not be fetched or is not good; the last good copy stays.',
    sample: { event: 'crl-failed', source: 'cac', url: 'http://crl.example.test/cac.crl', why: 'connection refused' },
  },
  'crl-alert': {
    means:
      'The newest revocation list that there is comes near its nextUpdate (`expiring`: `alertBefore` of its source), or is past it (`expired`). Told once each.',
    sample: {
      event: 'crl-alert',
      source: 'cac',
      issuer: certificate.issuer,
      age: 'expiring',
      nextUpdateMs: 1_795_613_460_000,
    },
  },
  expiry: {
    means:
      'A certificate of the gateway or of an authority, or a revocation list, runs out: 90, 60, 30, 15, 5, 4, 3, 2 and 1 days before, and each day after. `days` is -1 on the first day after, then -2, and so on.',
    sample: {
      event: 'expiry',
      of: 'certificate',
      name: 'gateway',
      subject: 'CN=gw.example.test',
      endMs: 1_795_613_460_000,
      days: 29,
    },
  },
  audit: {
    means:
      'An administrator signed in, failed to, or changed something; `outcome` is `done` or the kind of the problem. The audit record keeps the same for ever.',
    sample: {
      event: 'audit',
      actor: 'alice',
      how: 'certificate',
      address: '192.0.2.7',
      action: 'commit',
      target: '',
      outcome: 'done',
      detail: 'revision 12',
    },
  },
  'ocsp-answer': {
    means: 'A responder was asked about a certificate, and its answer is good enough to count; sessions share it.',
    sample: {
      event: 'ocsp-answer',
      responder: 'http://ocsp.example.test/',
      certificate,
      status: 'good',
      signer: certificate.issuer,
      nextUpdateMs: 1_795_613_460_000,
    },
  },
  'ocsp-failed': {
    means: 'A responder could not be asked, or what it sent is no answer.',
    sample: { event: 'ocsp-failed', responder: 'http://ocsp.example.test/', certificate, why: 'connection refused' },
  },
  'staple-updated': {
    means: 'There is a fresh OCSP answer about a certificate of the gateway; clients that ask get it in the handshake.',
    sample: {
      event: 'staple-updated',
      certificate: 'gateway',
      responder: 'http://ocsp.example.test/',
      nextUpdateMs: 1_795_613_460_000,
    },
  },
  'staple-failed': {
    means: 'No new OCSP answer about a certificate of the gateway; the last one is sent until its nextUpdate.',
    sample: {
      event: 'staple-failed',
      certificate: 'gateway',
      responder: 'http://ocsp.example.test/',
      why: 'connection refused',
    },
  },
  'issuer-fetched': {
    means: 'A file with the missing issuer of a client certificate was fetched.',
    sample: { event: 'issuer-fetched', url: 'http://ca.example.test/issuing.p7c', certificates: 1 },
  },
  'issuer-failed': {
    means: 'A file with the missing issuer of a client certificate could not be had.',
    sample: { event: 'issuer-failed', url: 'http://ca.example.test/issuing.p7c', why: 'the server answers 404' },
  },
  directory: {
    means: 'A directory server stopped answering, or answers again.',
    sample: {
      event: 'directory',
      server: 'corp',
      host: 'ldap://127.0.0.1:3389',
      up: false,
      hostsUp: 1,
      why: 'connection refused',
    },
  },
  'route-down': {
    means: 'No host of an SMTP route of the configuration gave a session; mail that it leads to waits.',
    sample: { event: 'route-down', route: 'smtpRoutes.ALL', why: 'ECONNREFUSED at the connection' },
  },
  ...ALERT_EVENT_SAMPLES,
};
