/** Which events raise which alert. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Icid } from '../core/ids.ts';
import type { MailEvent } from '../log/mail-event.ts';
import { MAIL_EVENT_SAMPLES } from '../log/mail-event-samples.ts';
import { alertOf } from './alert-table.ts';

const told = (event: MailEvent): string => {
  const alert = alertOf(event);
  return alert === undefined ? 'none' : `${alert.class} ${alert.severity}`;
};

test('every event of the log raises the alert of this list, or none', () => {
  const raised = Object.values(MAIL_EVENT_SAMPLES).flatMap(({ sample }) =>
    alertOf(sample) === undefined ? [] : [`${sample.event}: ${told(sample)}`],
  );
  assert.deepEqual(raised.sort(), [
    'crl-alert: certificates warning',
    'crl-failed: certificates warning',
    'destination-without-tls: system warning',
    'directory: directory warning',
    'double-bounce: delivery information',
    'expiry: certificates warning',
    'listener-full: system warning',
    'ocsp-failed: certificates warning',
    'route-down: delivery warning',
    'staple-failed: certificates warning',
  ]);
});

test('a list that has expired, and a certificate that has, are critical; a certificate with a month left is information', () => {
  const list = { event: 'crl-alert', source: 'cac', issuer: 'CN=CA' } as const;
  assert.equal(told({ ...list, age: 'expiring' }), 'certificates warning');
  assert.equal(told({ ...list, age: 'expired' }), 'certificates critical');
  const certificate = { event: 'expiry', of: 'certificate', name: 'gw', subject: 'CN=gw', endMs: 0 } as const;
  assert.deepEqual(
    [60, 29, 0, -1].map((days) => told({ ...certificate, days })),
    ['certificates information', 'certificates warning', 'certificates warning', 'certificates critical'],
  );
});

test('a host of a directory that goes down is a warning, the last one is critical, one that is up again is information', () => {
  const host = { event: 'directory', server: 'corp', host: 'ldap://a' } as const;
  assert.equal(told({ ...host, up: false, hostsUp: 1, why: 'refused' }), 'directory warning');
  const lost = alertOf({ ...host, up: false, hostsUp: 0, why: 'refused' });
  assert.equal(lost?.severity, 'critical');
  assert.equal(lost?.text, 'LDAP server corp host ldap://a is down: refused; no host of this server answers');
  assert.equal(told({ ...host, up: true, hostsUp: 1 }), 'directory information');
});

test('what is critical raises an alert; with a topic less does, too; without words for it nothing does', () => {
  const system = { event: 'system', text: 'something' } as const;
  assert.equal(told({ ...system, level: 'critical' }), 'system critical');
  assert.equal(told({ ...system, level: 'critical', topic: '' }), 'none');
  assert.equal(told({ ...system, level: 'warning' }), 'none');
  assert.equal(told({ ...system, level: 'warning', topic: 'exemption carol' }), 'system warning');
  assert.equal(told({ ...system, level: 'info', topic: 'x' }), 'system information');
});

test('numbers do not make other news of the same', () => {
  const key = (text: string) => alertOf({ event: 'system', level: 'critical', text })?.key;
  assert.equal(key('ICID 5 unexpected error'), key('ICID 6712 unexpected error'));
  assert.notEqual(key('ICID 5 unexpected error'), key('another error'));
});

test('a commit raises none; going back by itself does', () => {
  const commit = { event: 'commit', revision: 7, comment: 'revision 6 was not confirmed before 2026-11-25' } as const;
  assert.equal(told({ ...commit, user: 'admin' }), 'none');
  assert.equal(
    alertOf({ ...commit, user: 'system' })?.text,
    'the configuration went back to an earlier revision: revision 6 was not confirmed before 2026-11-25 (revision 7 in force)',
  );
});

test('a lock-out raises one whoever is locked out: strangers cannot have alerts sent at will', () => {
  const audit = { event: 'audit', how: 'password', action: 'login', target: '' } as const;
  const locked = (actor: string, address: string) =>
    alertOf({ ...audit, actor, address, outcome: 'too-many-attempts', detail: 'locked' });
  assert.equal(locked('alice', '192.0.2.1')?.key, locked('bob', '192.0.2.2')?.key);
  assert.equal(told({ ...audit, actor: 'alice', address: '192.0.2.1', outcome: 'unauthorized' }), 'none');
});

test('text and key are bounded and on one line, whatever an event holds', () => {
  const full = alertOf({ event: 'listener-full', listener: `${'x'.repeat(5000)}\r\nBcc: a`, remoteAddress: '' });
  assert.ok((full?.text.length ?? 0) <= 400 && (full?.key.length ?? 0) <= 200);
  assert.equal(told({ event: 'tls-required', icid: 1 as Icid }), 'none');
});
