import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dcid, Mid, Rid } from '../core/ids.ts';
import type { DueRecipient } from '../core/ports.ts';
import { concludeJob, type ConclusionFacts, expired } from './conclusion.ts';
import type { Outcome } from './outcome.ts';

const HOUR = 3_600_000;
const delivered: Outcome = { kind: 'delivered', response: '250 ok' };
const soft: Outcome = { kind: 'retry', status: '4.2.1', why: '450 busy', elsewhere: false, diagnostic: '450 busy' };
const hard: Outcome = {
  kind: 'bounce',
  status: '5.1.1',
  why: '550 nobody',
  elsewhere: false,
  diagnostic: '550 nobody',
};

const row = (rid: number, notify?: string, sender = 's@example.org'): DueRecipient => ({
  mid: 7 as Mid,
  recipient: { rid: rid as Rid, address: `r${rid}@example.com`, ...(notify === undefined ? {} : { notify }) },
  sender,
  body: '7BIT',
  smtpUtf8: false,
  size: 1,
  receivedMs: 0,
  attempts: 2,
});

const conclude = (ended: ConclusionFacts['ended'], more: Partial<ConclusionFacts> = {}) =>
  concludeJob({
    ended,
    dcid: 3 as Dcid,
    nowMs: HOUR,
    profile: { maxRetries: 100, maxTimeInQueue: 72 * HOUR, initialWait: 60_000, maxWait: HOUR, sendBounces: true },
    retry: (attempts) => ({ action: 'retry', nextAttemptMs: HOUR + attempts }),
    remoteHost: 'mx.example.com',
    dsnPassedOn: false,
    ...more,
  });

const reports = (ended: ConclusionFacts['ended'], more: Partial<ConclusionFacts> = {}): string[] =>
  conclude(ended, more).reports.map(
    ({ action, recipients }) => `${action} ${recipients.map(({ recipient }) => recipient.rid).join(',')}`,
  );

test('each recipient is settled by its own outcome, and those of the same fate share a log line', () => {
  const ended = [delivered, hard, soft, delivered].map((outcome, rid) => ({ row: row(rid), outcome }));
  const { settlements, events } = conclude(ended);
  assert.deepEqual(
    settlements.map(({ rid, outcome }) => `${rid} ${outcome}`),
    ['0 delivered', '1 bounced', '2 retry', '3 delivered'],
  );
  assert.deepEqual(
    events.map((event) => [event.event, 'rids' in event ? event.rids : []]),
    [
      ['delivered', [0, 3]],
      ['bounced', [1]],
      ['delayed', [2]],
    ],
  );
});

test('the attempt that just failed is counted', () => {
  const { settlements } = conclude([{ row: row(0), outcome: soft }]);
  assert.deepEqual(settlements[0], {
    mid: 7,
    rid: 0,
    outcome: 'retry',
    nextAttemptMs: HOUR + 3,
    error: '4.2.1 450 busy',
    nowMs: HOUR,
  });
});

test('a soft bounce that is given up becomes a hard one with 5.4.7 and the last reply', () => {
  const { settlements, reports: made } = conclude([{ row: row(0), outcome: soft }], {
    retry: () => ({ action: 'give-up' }),
  });
  assert.equal(settlements[0]?.outcome, 'bounced');
  assert.equal(made[0]?.recipients[0]?.status, '5.4.7');
  assert.equal(made[0]?.recipients[0]?.diagnostic, '450 busy');
});

test('a recipient whose time is over bounces without another attempt', () => {
  assert.deepEqual(reports([expired({ ...row(0), lastError: '4.4.1 down' })]), ['failed 0']);
});

test('all recipients that failed together are in one bounce', () => {
  assert.deepEqual(reports([0, 1, 2].map((rid) => ({ row: row(rid), outcome: hard }))), ['failed 0,1,2']);
});

for (const [notify, outcome, more, expected] of [
  [undefined, hard, {}, ['failed 0']],
  ['FAILURE,DELAY', hard, {}, ['failed 0']],
  ['NEVER', hard, {}, []],
  ['SUCCESS', hard, {}, []],
  ['success', delivered, {}, ['relayed 0']],
  ['SUCCESS', delivered, { dsnPassedOn: true }, []],
  [undefined, delivered, {}, []],
  ['NEVER', delivered, {}, []],
] as const)
  test(`NOTIFY=${notify ?? '(none)'}, ${outcome.kind}${'dsnPassedOn' in more ? ', passed on' : ''}: ${expected.join() || 'nothing'} is sent`, () => {
    assert.deepEqual(reports([{ row: row(0, notify), outcome }], more), expected);
  });

test('a delay is told once, when the fourth hour passes before the next attempt, and only to who asked', () => {
  const at = (nowMs: number, nextAttemptMs: number, notify = 'DELAY') =>
    reports([{ row: row(0, notify), outcome: soft }], { nowMs, retry: () => ({ action: 'retry', nextAttemptMs }) });
  assert.deepEqual(at(2 * HOUR, 3 * HOUR), []);
  assert.deepEqual(at(3.5 * HOUR, 4.5 * HOUR), ['delayed 0']);
  assert.deepEqual(at(4.5 * HOUR, 5.5 * HOUR), []);
  assert.deepEqual(at(3.5 * HOUR, 4.5 * HOUR, 'FAILURE'), []);
});

test('a bounce profile without bounces sends none', () => {
  const profile = { maxRetries: 1, maxTimeInQueue: 1, initialWait: 1, maxWait: 1, sendBounces: false };
  assert.deepEqual(reports([{ row: row(0), outcome: hard }], { profile }), []);
});

test('mail with the null reverse-path never causes mail, and its failure is logged as a double bounce', () => {
  const { reports: made, events } = conclude([{ row: row(0, 'SUCCESS,FAILURE', ''), outcome: hard }]);
  assert.deepEqual(made, []);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['bounced', 'double-bounce'],
  );
});
