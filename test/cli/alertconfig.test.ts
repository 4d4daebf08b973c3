/** alertconfig: who gets alerts is asked and committed; a test arrives, and is listed. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { atEnd } from '../support/at-end.ts';
import { piped } from '../support/command-line.ts';
import { NextHop } from '../support/next-hop.ts';
import { type One, Site } from '../support/site.ts';

let office: NextHop;
let one: One;
before(async () => {
  const site = await Site.open();
  office = await NextHop.start();
  atEnd(() => office.stop());
  one = await site.startOne({ policy: { tls: 'preferred' } }, undefined, { store: true });
});

async function told(command: string, ...answers: readonly string[]): Promise<string> {
  const { code, stdout } = await piped([command, '--data', one.gateway.data], ...answers);
  assert.equal(code, 0, stdout);
  return stdout;
}

test('a recipient is asked for with classes and severities, and gets a test after commit', async () => {
  const recipient = ['new', 'ops', 'ops@example.test', 'system, Cert', '2,3,9', '2,3'];
  const output = await told('alertconfig', ...recipient, 'setup', '', '2h', `127.0.0.1:${office.port}`, '');
  assert.match(output, /^Nobody is sent alerts\.\n/);
  assert.match(output, /"ops" is none: an address is local-part@domain in ASCII/);
  assert.match(output, /"9" is no choice\. Enter a number from 1 to 4\.\n/);
  assert.match(
    output,
    /Sending alerts to:\nops@example\.test\n {2}Class: System - Severities: Critical, Warning\n {2}Class: Certificates - Severities: Critical, Warning\n/,
  );
  assert.match(
    output,
    /Maximum wait before sending a duplicate alert: 2h\nAlerts will be sent using the system-default From Address\.\n/,
  );
  await told('commit', 'alerts');
  assert.match(
    await told('alertconfig', 'test', 'ops@example.test', ''),
    /Information \(System\) .*\n {2}ops@example\.test: sent\n/,
  );
  await office.message(({ to }) => to[0] === 'ops@example.test');
  assert.match(await told('alertconfig', 'last', ''), /ops@example\.test: sent/);
});

test('an address is changed, and all are removed', async () => {
  const output = await told('alertconfig', 'edit', '1', 'all', '-', '', '', '', 'from', 'gw', 'gw@example.test', '');
  assert.match(
    output,
    /ops@example\.test\n {2}Class: Certificates - Severities: Critical, Warning\n {2}Class: All - Severities: All\n/,
  );
  assert.match(output, /from: an address is local-part@domain\n/);
  assert.match(output, /Alerts will be sent from gw@example\.test\.\n/);
  assert.match(await told('alertconfig', 'clear', 'y', ''), /Nobody is sent alerts\.\n[^]*\[\]> \n$/);
  await told('clearchanges', 'y');
});
