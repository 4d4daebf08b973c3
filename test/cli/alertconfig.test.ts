/** alertconfig and displayalerts on a running gateway: the dialogue of AsyncOS, and the same for scripts. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { atEnd } from '../support/at-end.ts';
import { piped } from '../support/command-line.ts';
import { NextHop } from '../support/next-hop.ts';
import { type One, Site } from '../support/site.ts';

let one: One;
let office: NextHop;
before(async () => {
  const site = await Site.open();
  office = await NextHop.start();
  atEnd(() => office.stop());
  one = await site.startOne({ policy: {} }, (config) => ({ ...config, smtpRoutes: { ALL: ['/dev/null'] } }), {
    store: true,
  });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', one.gateway.data];
async function told(command: string, ...answers: readonly string[]): Promise<string> {
  const { code, stdout } = await piped(at(command), ...answers);
  assert.equal(code, 0, stdout);
  return stdout;
}
async function json(...words: readonly string[]): Promise<unknown> {
  const { code, stdout } = await piped(at(...words, '--json'));
  assert.equal(code, 0, stdout);
  return JSON.parse(stdout);
}

test('alertconfig new asks for address, classes and severities, and says what a wrong answer lacks', async () => {
  const answers = [
    'new',
    'ops',
    'ops@example.test',
    '',
    '',
    'new',
    'cards@example.test',
    'Cert,system',
    '2, warning',
    '',
  ];
  const output = await told('alertconfig', ...answers);
  assert.match(output, /^Alerts are sent to nobody\.\n\nInitial wait before sending a duplicate alert: 300s\n/);
  assert.match(output, /Alerts will be sent using the system-default From Address\.\n/);
  assert.match(output, /- NEW - Create a new recipient\.\n- EDIT - .*\n- DELETE - .*\n- RENAME - .*\n- SETUP - /);
  assert.match(
    output,
    /Please enter a new email address to send alerts\.\n\(Ex: "administrator@example\.com"\)\n\[\]> ops\nan address is local-part@domain/,
  );
  assert.match(
    output,
    /Choose the Alert Classes\. Separate multiple choices with commas\.\n1\. All\n2\. System\n3\. Certificates\n4\. Directory\n5\. Message Delivery\n\[1\]> \n/,
  );
  assert.match(output, /Select a Severity Level\. .*\n1\. All\n2\. Critical\n3\. Warning\n4\. Information\n\[1\]> \n/);
  assert.match(
    output,
    /Sending alerts to:\nops@example\.test\n {4}Class: All - Severities: All\ncards@example\.test\n {4}Class: Certificates - Severities: Critical, Warning\n {4}Class: System - Severities: Critical, Warning\n/,
  );
  assert.deepEqual(await json('alertconfig', 'list'), {
    'ops@example.test': { all: 'all' },
    'cards@example.test': { certificates: ['critical', 'warning'], system: ['critical', 'warning'] },
  });
});

test('edit proposes what is there; setup, from, delete and clear', async () => {
  const edited = await told('alertconfig', 'edit', 'cards@example.test', '', '4,9', '4', '');
  assert.match(edited, /\[2,3\]> \n/);
  assert.match(edited, /\[2,3\]> 4,9\n"9" is no choice\. Enter a number from 1 to 4\.\n/);
  const { 'cards@example.test': cards } = (await json('alertconfig', 'list')) as Record<string, unknown>;
  assert.deepEqual(cards, { system: ['information'], certificates: ['information'] });
  const hosts = `127.0.0.1:${office.port}`;
  const set = await told('alertconfig', 'setup', '5 minutes', '5m', '2h', hosts, 'from', 'alerts@example.test', '');
  assert.match(set, /initialWait: a duration is a whole number with ms, s, m, h or d, such as 15m\n/);
  assert.match(
    set,
    /Initial wait before sending a duplicate alert: 5m\nMaximum wait before sending a duplicate alert: 2h\n/,
  );
  assert.match(set, /Alerts will be sent using the From Address alerts@example\.test\.\n/);
  const deleted = await told('alertconfig', 'delete', '2', 'y', '');
  assert.doesNotMatch(deleted.slice(deleted.lastIndexOf('Sending alerts to')), /cards@/);
});

test('after commit a test alert arrives from the address that was set, and displayalerts tells of it', async () => {
  assert.equal((await piped(at('alertconfig', 'test'))).stdout, 'sallyport: alerts.recipients has no recipient\n');
  await told('commit', 'alerts');
  const { code, stdout } = await piped(at('alertconfig', 'test', 'ops@example.test'));
  assert.equal(code, 0, stdout);
  assert.match(stdout, /\nInformation \(System\): this is a test alert: .*\n {4}ops@example\.test: sent\n$/);
  const message = await office.messageWith('this is a test alert');
  assert.equal(message.from, 'alerts@example.test');
  assert.match(await told('displayalerts'), /\nInformation \(System\): this is a test alert/);
  const shown = (await json('displayalerts', '--limit', '1')) as { alerts: { recipients: unknown[] }[] };
  assert.deepEqual(shown.alerts[0]?.recipients, [{ address: 'ops@example.test', state: 'sent', attempts: 1 }]);
  assert.equal((await piped(at('displayalerts', '--limit', 'many'))).code, 2);
  await office.down();
  const failing = await piped(at('alertconfig', 'test', '--json'));
  assert.equal(failing.code, 1, 'a script is told that nothing arrived');
  assert.equal(JSON.parse(failing.stdout).recipients[0].state, 'waiting');
  assert.match(
    await told('displayalerts'),
    /ops@example\.test: waiting after 1 attempt: 4\.4\.1 ECONNREFUSED .*next attempt /,
  );
});

test('scripts: recipients with severities by class, and settings, by the keys of the schema', async () => {
  const add = await piped(
    at('alertconfig', 'new', 'night@example.test', '--all', 'critical', '--directory', 'critical,warning', '--json'),
  );
  assert.equal(add.code, 0, add.stdout);
  assert.deepEqual(await json('alertconfig', 'show', 'night@example.test'), {
    all: ['critical'],
    directory: ['critical', 'warning'],
  });
  const wrong = await piped(at('alertconfig', 'edit', 'night@example.test', '--system', 'urgent'));
  assert.equal(wrong.code, 1);
  assert.match(wrong.stdout, /^sallyport: system: all, or a list of critical, warning, information\n$/);
  assert.equal((await piped(at('alertconfig', 'setup', '--max-wait', '3h', '--from', ''))).code, 0);
  assert.equal((await piped(at('alertconfig', 'delete', 'night@example.test'))).code, 0);
  assert.match(await told('alertconfig', 'clear', 'y', ''), /Alerts are sent to nobody\.\n/);
  await told('clearchanges', 'y');
});
