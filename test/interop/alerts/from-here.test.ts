/** Alerts while the delivery thread, which sends them, is what they tell of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alerts } from '../../../src/control/alerts.io.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { RaisedAlert } from '../../../src/core/alert.ts';
import type { MailEvent } from '../../../src/log/mail-event.ts';
import { atEnd } from '../../support/at-end.ts';
import { temporaryFolder } from '../../support/gateway.ts';
import { NextHop } from '../../support/next-hop.ts';

const config = (port: number) =>
  configSchema.parse({
    hostname: 'gw.example.test',
    listeners: {
      in: { type: 'private', address: ['127.0.0.1:2525'], hat: [{ senderGroup: 'ALL', policy: 'RELAYED' }] },
    },
    alerts: { recipients: { 'ops@example.test': { all: 'all' } }, smtpHosts: [`127.0.0.1:${port}`] },
  });
const died: RaisedAlert = { class: 'system', severity: 'critical', key: 'k', count: 1, text: 'thread delivery ended' };

test('where the delivery thread does not answer the control thread sends by itself, before the process ends', async () => {
  const office = await NextHop.start();
  atEnd(() => office.stop());
  const log: MailEvent[] = [];
  let asked = 0;
  const alerts = new Alerts(
    {
      clock: { now: () => Date.now() },
      log: { emit: (event) => void log.push(event) },
      version: '0',
      viaDelivery: () => {
        asked++;
        return Promise.reject(new Error('the other thread has ended'));
      },
    },
    config(office.port),
  );
  alerts.raise([died]);
  assert.equal(asked, 0, 'before the threads are there nothing is sent');
  alerts.start(temporaryFolder());
  await alerts.lastWords();
  assert.equal(asked, 1);
  assert.deepEqual(
    log.map((event) => event.event),
    ['alert-sent'],
  );
  assert.match(office.messages[0]?.text ?? '', /thread delivery ended/);
  alerts.stop();
  alerts.raise([{ ...died, key: 'other' }]);
  assert.equal(asked, 1, 'after the end nothing is sent');
});
