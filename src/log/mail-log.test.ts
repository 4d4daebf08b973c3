import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Icid, Mid } from '../core/ids.ts';
import type { MailEvent } from './mail-event.ts';
import { MAIL_EVENT_SAMPLES } from './mail-event-samples.ts';
import { MAX_VALUE_CHARS, renderJson, renderText } from './mail-log.ts';

const AT = Date.UTC(2026, 10, 24, 13, 31, 0, 250);
const icid = 7 as Icid;
const mid = 6 as Mid;
const samples = Object.values(MAIL_EVENT_SAMPLES).map(({ sample }): MailEvent => sample);
const text = (event: MailEvent): string => renderText(event, AT).slice('Tue Nov 24 13:31:00 2026 '.length);

test('lines have the wording that log analysers know', () => {
  const rows: [MailEvent, string][] = [
    [
      {
        event: 'connection',
        icid,
        listener: 'submission',
        localAddress: '127.0.0.1',
        remoteAddress: '10.1.1.209',
        verified: false,
      },
      'Info: New SMTP ICID 7 interface submission (127.0.0.1) address 10.1.1.209 reverse dns host unknown verified no',
    ],
    [
      {
        event: 'connection',
        icid,
        listener: 'mx',
        localAddress: '::1',
        remoteAddress: '::1',
        hostname: 'a.example',
        verified: true,
      },
      'Info: New SMTP ICID 7 interface mx (::1) address ::1 reverse dns host a.example verified yes',
    ],
    [
      { event: 'tls-success', icid, protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-AES256-GCM-SHA384', resumed: false },
      'Info: ICID 7 TLS success protocol TLSv1.2 cipher ECDHE-RSA-AES256-GCM-SHA384',
    ],
    [{ event: 'tls-required', icid }, 'Info: ICID 7 TLS was required but remote host did not initiate it'],
    [{ event: 'message-start', mid, icid }, 'Info: Start MID 6 ICID 7'],
    [{ event: 'from', mid, icid, sender: '' }, 'Info: MID 6 ICID 7 From: <>'],
    [{ event: 'to-rejected', mid, icid, recipient: 'c@d', by: 'RAT' }, 'Info: MID 6 ICID 7 To: <c@d> Rejected by RAT'],
    [{ event: 'message-queued', mid }, 'Info: MID 6 queued for delivery'],
    [{ event: 'message-done', mid }, 'Info: Message finished MID 6 done'],
    [{ event: 'icid-close', icid, how: 'close' }, 'Info: ICID 7 close'],
    [{ event: 'icid-close', icid, how: 'lost', why: 'reset' }, 'Info: ICID 7 lost: reset'],
    [
      { event: 'auth-success', icid, user: 'bob', mechanism: 'PLAIN', profile: 'password' },
      'Info: SMTP Auth: (ICID 7) succeeded for user: bob using AUTH mechanism: PLAIN with profile: password',
    ],
    [{ event: 'system', level: 'critical', text: 'out of memory' }, 'Critical: out of memory'],
    [
      { event: 'directory', server: 'corp', host: 'ldap://a', up: false, hostsUp: 1, why: 'refused' },
      'Warning: LDAP server corp host ldap://a is down: refused',
    ],
  ];
  for (const [event, expected] of rows) assert.equal(text(event), expected);
});

test('a monitored user is named in the words of the contract', () => {
  const monitored: MailEvent = {
    event: 'auth-not-allowed',
    icid,
    user: 'alice',
    action: 'monitor',
    profile: 'password',
  };
  assert.equal(
    renderText(monitored, AT),
    'Tue Nov 24 13:31:00 2026 Info: SMTP Auth: (ICID 7) user alice is not allowed to use SMTP AUTH, monitored, profile password',
  );
  assert.match(text({ ...monitored, action: 'reject' }), /not allowed to use SMTP AUTH, rejected, profile password$/);
});

test('a refusal tells everything in one line', () => {
  const line = text(MAIL_EVENT_SAMPLES.refused.sample);
  for (const fact of [
    'client certificate revoked',
    'CN=ADAMS.ALICE.A.1000000001',
    'CN=Example Issuing CA',
    'serial 1001',
    'listener submission',
    'SG RELAYLIST',
    'policy RELAYED',
    'revision 3',
    'rule "certificate invalid',
    'reply "554 5.7.1',
  ]) {
    assert.ok(line.includes(fact), fact);
  }
});

test('every event is one line as text and one object as JSON, with its ids as numbers', () => {
  for (const event of samples) {
    const line = renderText(event, AT);
    assert.match(line, /^Tue Nov 24 13:31:00 2026 (Info|Warning|Critical): \S/);
    const { time, level, event: name, ...facts } = JSON.parse(renderJson(event, AT));
    assert.equal(time, '2026-11-24T13:31:00.250Z');
    assert.match(level, /^(info|warning|critical)$/);
    const { event: expectedName, ...expected } = event;
    assert.equal(name, expectedName);
    if (name === 'system') assert.equal(facts.text, 'configuration revision 3 in force');
    else assert.deepEqual(facts, expected);
  }
});

/** Every string inside an event replaced, as deep as it lies. */
function withStrings(value: unknown, text: string, key = ''): unknown {
  const kept = ['event', 'behavior', 'how', 'action', 'level', 'stage'];
  if (typeof value === 'string') return kept.includes(key) ? value : text;
  if (Array.isArray(value)) return value.map((item) => withStrings(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withStrings(inner, text, name)]));
}

/** Every character that some reader of logs takes for a line end, and the ones that turn the reading direction. */
const FORGING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

test('no value can forge a line', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('\r\n', '\u0085', '\u2028', '\u202e', '\u001b[2K', '\ud800'),
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 5 }), (parts) => {
      for (const event of samples) {
        const changed = withStrings(event, parts.join('')) as MailEvent;
        assert.doesNotMatch(renderText(changed, AT), FORGING);
        const json = renderJson(changed, AT);
        assert.doesNotMatch(json, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        JSON.parse(json);
      }
    }),
    { numRuns: 100, seed: 7 },
  );
});

test('a value is cut, so that no client fills the disk', () => {
  for (const event of samples) {
    const changed = withStrings(event, 'x'.repeat(100_000)) as MailEvent;
    assert.ok(renderText(changed, AT).length < 12 * MAX_VALUE_CHARS, event.event);
    assert.ok(renderJson(changed, AT).length < 14 * MAX_VALUE_CHARS, event.event);
  }
});

test('a value between quotes cannot leave them', () => {
  const event = { ...MAIL_EVENT_SAMPLES['certificate-not-used'].sample, rule: 'a" user "root\\' };
  assert.ok(text(event).includes('rule "a\\" user \\"root\\\\"'));
});
