/** Warnings of what runs out, as an administrator gets them from a running gateway: log, metrics, restart, SIGHUP. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AUTHORITY_EXTENSIONS } from '../support/certificate-authority.ts';
import { freePort } from '../support/free-port.ts';
import type { LogEvent } from '../support/gateway.ts';
import { Site } from '../support/site.ts';

const DAY_MS = 86_400_000;
const expiries = (events: readonly LogEvent[]): string[] =>
  events
    .filter(({ event }) => event === 'expiry')
    .map(({ of, name, days, level }) => `${String(of)} ${String(name)} ${String(days)} ${String(level)}`);

test('certificates, authorities and lists that run out are told of once, and again a step later', async () => {
  const site = await Site.open();
  const now = Date.now();
  const metricsPort = await freePort();
  const gatewayCertificate = (days: number) =>
    site.pki.root.issue({
      subject: '/CN=gw.example.test',
      serial: '0100',
      notAfterMs: now + days * DAY_MS + 3_600_000,
      extensions: ['subjectAltName=DNS:gw.example.test'],
    });
  const dying = site.pki.root.issue({
    subject: '/O=Example/CN=Dying CA',
    serial: '0101',
    notAfterMs: now + 4 * DAY_MS + 3_600_000,
    extensions: AUTHORITY_EXTENSIONS,
  });
  const dead = site.pki.expiredAuthority;
  site.crls.answer = {
    kind: 'list',
    body: site.pki.crl({ thisUpdateMs: now - 20 * DAY_MS, nextUpdateMs: now + 2.5 * DAY_MS }),
  };
  const folder = site.copy();
  const put = (file: string, ...pems: readonly string[]): void =>
    writeFileSync(join(folder, 'pki', file), pems.join(''));
  const soon = gatewayCertificate(20);
  put('gateway.pem', soon.cert);
  put('gateway.key', soon.key);
  put('cac-ca.pem', site.pki.root.own.cert, site.pki.issuing.own.cert, dying.cert, dead.cert);
  const config = { ...site.base(), system: { metrics: `127.0.0.1:${metricsPort}` }, listeners: await listener() };

  const first = await site.start(config, { folder });
  assert.deepEqual(expiries(first.events).sort(), [
    'authority cac -2 critical',
    'authority cac 29 warning',
    'authority cac 4 warning',
    'certificate gateway 20 warning',
    'list cac 2 warning',
    'list cac 2 warning',
  ]);
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const end = /^sallyport_certificate_expiry_timestamp_seconds\{of="certificate",name="gateway"\} (\d+)$/m.exec(
    text,
  )?.[1];
  assert.ok(Math.abs(Number(end) * 1000 - (now + 20 * DAY_MS)) < 2 * 3_600_000, text);
  assert.equal(await first.stop(), 0);

  const second = await site.start(config, { folder });
  assert.deepEqual(expiries(second.events), [], 'a restart told it again');

  const sooner = gatewayCertificate(2);
  put('gateway.pem', sooner.cert);
  put('gateway.key', sooner.key);
  await second.reload(config);
  await second.event(({ event, of, days }) => event === 'expiry' && of === 'certificate' && days === 2);
  assert.deepEqual(expiries(second.events), ['certificate gateway 2 warning']);
  await second.stop();
});

async function listener() {
  const hat = [{ senderGroup: 'ALL', policy: 'BLOCKED' }];
  return { submission: { type: 'private', address: [`127.0.0.1:${await freePort()}`], certificate: 'gateway', hat } };
}
