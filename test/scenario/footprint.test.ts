/** What the issue promises of a start: ready soon, and small while idle. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Site } from '../support/site.ts';

test('a gateway is ready within two seconds and uses under 120 MB while idle', async () => {
  const site = await Site.open();
  const from = Date.now();
  const { gateway } = await site.startOne({
    profile: 'cac',
    policy: { tls: 'required', verifyClientCertificate: true },
  });
  const startMs = Date.now() - from;
  const residentKb = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]);
  assert.ok(residentKb > 0 && residentKb < 120 * 1024, `${residentKb} kB`);
  assert.ok(startMs < 2000, `ready after ${startMs} ms`);
  await gateway.stop();
});
