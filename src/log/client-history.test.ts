/** The ledger in which a receive thread gathers what the client history keeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientFacts, ClientLedger } from './client-history.ts';

const facts = (more: Partial<ClientFacts> = {}): ClientFacts => ({
  listener: 'submission',
  remoteAddress: '192.0.2.1',
  tls: true,
  sender: 'a@example.test',
  recipients: ['b@example.test'],
  ...more,
});

test('sessions of one client are one entry, and the latest speaks for it', () => {
  const ledger = new ClientLedger();
  ledger.note(facts(), () => [], 1);
  ledger.note(facts({ sender: 'later@example.test' }), () => [], 2);
  ledger.note(facts({ remoteAddress: '192.0.2.2' }), () => [], 3);
  const clients = ledger.take()?.clients ?? [];
  assert.deepEqual(
    clients.map(({ facts: { sender }, sessions, lastMs }) => [sender, sessions, lastMs]),
    [
      ['later@example.test', 2, 2],
      ['a@example.test', 1, 3],
    ],
  );
  assert.equal(ledger.take(), undefined);
});

test('a certificate is handed on once, and again after ten minutes, because the keeper may have forgotten it', () => {
  const ledger = new ClientLedger();
  const told = (nowMs: number): number => {
    ledger.note(facts({ certificate: 'ab' }), () => [new Uint8Array([1])], nowMs);
    return ledger.take()?.certificates.length ?? 0;
  };
  assert.deepEqual([1_000_000, 1_001_000, 1_500_000, 1_700_000].map(told), [1, 0, 0, 1]);
});

test('a flood of addresses stays bounded, and the rules they came by are still counted', () => {
  const ledger = new ClientLedger();
  for (let number = 0; number < 6000; number++) {
    ledger.note(facts({ remoteAddress: `2001:db8::${number.toString(16)}` }), () => [], number);
    ledger.hit('listeners.submission.hat ALL: ALL', number);
  }
  const batch = ledger.take();
  assert.equal(batch?.clients.length, 5000);
  assert.deepEqual(batch?.hits, [{ rule: 'listeners.submission.hat ALL: ALL', hits: 6000, lastMs: 5999 }]);
});
