/** listenerconfig as the guide walks through it, on a running gateway; after commit the gateway does what was answered. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { KEY, onTerminal, piped } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, temporaryFolder } from '../support/gateway.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let gateway: Gateway;
let port: number;
before(async () => {
  site = await Site.open();
  port = await freePort();
  const config = {
    ...site.base(),
    mailFlowPolicies: {},
    listeners: {
      Inboundmail: {
        type: 'public',
        address: [`127.0.0.1:${port}`],
        hat: [{ senderGroup: 'ALL', policy: 'ACCEPTED' }],
        rat: [{ recipients: ['example.test'], action: 'accept' }],
      },
    },
  };
  gateway = await site.start(config, { store: true });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', gateway.data];
const asked = (...answers: readonly string[]) => piped(at('listenerconfig'), ...answers);
const enter = (count: number): string[] => Array<string>(count).fill('');

async function candidate(path: string): Promise<unknown> {
  const { code, stdout } = await piped(at('showconfig', path, '--candidate', '--json'));
  return code === 0 ? JSON.parse(stdout) : undefined;
}

async function commit(): Promise<void> {
  const { code, stdout } = await piped(at('commit', '--comment', 'by test'));
  assert.equal(code, 0, stdout);
}

async function ehlo(to = port): Promise<readonly string[]> {
  const session = await SmtpSession.dial({ port: to });
  await session.reply();
  return (await session.command('EHLO client.example.test')).lines;
}

const GUIDE =
  /Do you want to allow encrypted TLS connections\?\n1\. No\n2\. Preferred\n3\. Required\n\[1\]> 3\nYou have chosen to enable TLS\. Please use the 'certconfig' command to\nensure that there is a valid certificate configured\.\n/;

test('TLS is set to required as the guide shows it, and the gateway offers STARTTLS after commit', async () => {
  assert.ok(!(await ehlo()).includes('STARTTLS'));
  const { code, stdout } = await asked('edit', '1', 'hostaccess', 'default', ...enter(7), '3', '', '', '', '', '');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Currently configured:\n1\. Inboundmail \(on lo, 127\.0\.0\.1\) SMTP TCP Port \d+ Public\n/);
  assert.match(stdout, GUIDE);
  assert.match(
    stdout,
    new RegExp(
      `Name: Inboundmail\nType: Public\nInterface: lo \\(127\\.0\\.0\\.1/8\\) TCP Port ${port}\nProtocol: SMTP\nDefault Domain:\nMax Concurrency: 1000 \\(TCP Queue: 50\\)\nDomain map: disabled\nTLS: Required\n`,
    ),
  );
  assert.deepEqual(await candidate('mailFlowPolicies.default'), { tls: 'required' });
  assert.ok(!(await ehlo()).includes('STARTTLS'), 'nothing is in force before commit');
  await commit();
  assert.ok((await ehlo()).includes('STARTTLS'));
});

test('a bad answer is explained and asked again; what is no operation, too', async () => {
  const { code, stdout } = await asked('edt', 'edit', 'Inbound', 'limits', 'many', '5', '', 'soon', '10m', '', '', '');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /"edt" is no operation\. Enter one of NEW, EDIT, /);
  assert.match(stdout, /maxConcurrency: must be a number/);
  assert.match(stdout, /unsuccessfulTimeout: a duration is a whole number with ms, s, m, h or d, such as 15m/);
  assert.equal(await candidate('listeners.Inboundmail.maxConcurrency'), 5);
  assert.equal(await candidate('listeners.Inboundmail.unsuccessfulTimeout'), '10m');
  await piped(at('clearchanges', '--yes'));
});

test('input that ends in the middle of an object changes nothing and is a failure', async () => {
  const { code, stdout } = await asked('edit', '1', 'limits', '7');
  assert.equal(code, 1);
  assert.match(stdout, /the input ended before the last question: what was being asked was not changed\n$/);
  assert.equal((await piped(at('showchanges'))).stdout, 'no differences\n');
});

test('Ctrl-C in a question goes back to the menu without a change, in a menu to the menu above', async () => {
  const session = onTerminal(...at('listenerconfig'));
  const PROMPT = /\[\]> (\u001b\[\d+G)?$/;
  let seen = await session.shows(PROMPT);
  const answer = async (text: string, shows: RegExp): Promise<void> => {
    session.write(`${text}${KEY.enter}`);
    seen = await session.shows(shows, seen);
  };
  const interrupt = async (shows: RegExp): Promise<void> => {
    session.write(KEY.ctrlC);
    seen = await session.shows(/\^C/, seen);
    seen = await session.shows(shows, seen);
  };
  await answer('edit', PROMPT);
  await answer('1', PROMPT);
  await answer('limits', PROMPT);
  await answer('9', /\[50\]> /);
  await interrupt(/Nothing was changed\.[^]*- HOSTACCESS/);
  await session.shows(PROMPT, seen);
  await interrupt(/- NEW - Create a new listener/);
  await session.shows(PROMPT, seen);
  session.write(KEY.ctrlC);
  assert.equal(await session.finished(), 0, session.output);
  assert.equal((await piped(at('showchanges'))).stdout, 'no differences\n');
});

test('what another session of the account has changed since a question was asked is not overwritten', async () => {
  await piped(at('listenerconfig', 'edit', 'Inboundmail', '--tcp-queue', '60'));
  const session = onTerminal(...at('listenerconfig'));
  let seen = await session.shows(/\[\]> /);
  for (const answer of ['edit', '1', 'setup']) {
    session.write(`${answer}${KEY.enter}`);
    seen = await session.shows(/\[\]> /, seen);
  }
  await piped(at('listenerconfig', 'edit', 'Inboundmail', '--tcp-queue', '70'));
  session.write(`example.test${KEY.enter}${KEY.enter}${KEY.enter}`);
  await session.shows(/not what you have seen: the version of the candidate is \d+ now/, seen);
  session.kill();
  assert.equal(await candidate('listeners.Inboundmail.tcpQueue'), 70);
  await piped(at('clearchanges', '--yes'));
});

test('a new listener is asked for, committed, listens, and is deleted again', async () => {
  const other = await freePort();
  const made = await asked(
    'new',
    'private',
    'Inboundmail',
    'OutboundMail',
    '127.0.0.1',
    '',
    '0',
    String(other),
    '127.0.0.1',
    '',
  );
  assert.equal(made.code, 0, made.stdout);
  assert.match(made.stdout, /There is a listener Inboundmail already\./);
  assert.match(made.stdout, /with a port from 1 to 65535/);
  assert.match(made.stdout, /Listener OutboundMail created\.\nDefaults have been set for a private listener\.\n/);
  await commit();
  assert.equal((await ehlo(other))[0], 'gw.example.test');
  const gone = await asked('delete', 'OutboundMail', 'y', '');
  assert.equal(gone.code, 0, gone.stdout);
  await commit();
  await assert.rejects(SmtpSession.dial({ port: other }));
});

test('sender groups are made, moved, printed, exported and imported', async () => {
  const file = join(temporaryFolder(), 'hat');
  const { code, stdout } = await asked(
    ...['edit', '1', 'hostaccess', 'new', '1', 'SUSPECTLIST', '192.0.2.0/24, .spam.example', 'THROTTLED'],
    ...[
      'new',
      'New Sender Group',
      'BLOCKLIST',
      '198.51.100.7',
      'BLOCKED',
      'move',
      'BLOCKLIST',
      '4',
      '1',
      'print',
      'export',
      file,
      '',
    ],
  );
  assert.equal(code, 0, stdout);
  assert.match(stdout, /Enter a number from 1 to 3\./);
  const table =
    'BLOCKLIST:\n    198.51.100.7\n    $BLOCKED\nSUSPECTLIST:\n    192.0.2.0/24\n    .spam.example\n    $THROTTLED\nALL\n    $ACCEPTED\n';
  assert.ok(stdout.includes(table), stdout);
  assert.ok(readFileSync(file, 'utf8').endsWith(table));
  await commit();
  writeFileSync(file, readFileSync(file, 'utf8').replace('    .spam.example\n', ''));
  assert.equal((await asked('edit', '1', 'hostaccess', 'import', file, '')).code, 0);
  assert.deepEqual(await candidate('listeners.Inboundmail.hat[1].senders'), ['192.0.2.0/24']);
  await piped(at('clearchanges', '--yes'));
});

test('scripts use options and JSON: the same listener without a question', async () => {
  const edit = await piped(at('listenerconfig', 'edit', 'Inboundmail', '--default-domain', 'example.test', '--json'));
  assert.equal(edit.code, 0, edit.stdout);
  assert.ok(JSON.parse(edit.stdout).version > 0);
  const bad = await piped(at('listenerconfig', 'edit', 'Inboundmail', '--tcp-queue', 'long'));
  assert.deepEqual([bad.code, bad.stdout], [1, 'sallyport: tcpQueue: must be a number, not text\n']);
  assert.equal((await piped(at('listenerconfig', 'edit', 'Inboundmail', '--colour', 'red'))).code, 2);
  assert.match((await piped(at('listenerconfig', 'show', 'Inboundmail'))).stdout, /^Default Domain: example\.test$/m);
  const group = await piped(
    at(
      'listenerconfig',
      'hostaccess',
      'Inboundmail',
      'new',
      'RELAYLIST',
      '--senders',
      '127.0.0.0/8',
      '--policy',
      'RELAYED',
    ),
  );
  assert.equal(group.code, 0, group.stdout);
  const { stdout } = await piped(at('listenerconfig', 'hostaccess', 'Inboundmail', 'print'));
  assert.match(stdout, /RELAYLIST:\n {4}127\.0\.0\.0\/8\n {4}\$RELAYED\nALL\n/);
  await piped(at('clearchanges', '--yes'));
});

test('a table of AsyncOS is imported by a script, and what has no key here is named', async () => {
  const file = join(temporaryFolder(), 'asyncos-hat');
  writeFileSync(file, '$THROTTLED\n    ACCEPT {\n        dhap_limit = 5\n    }\nALL\n    $THROTTLED\n');
  const told = await piped(at('listenerconfig', 'hostaccess', 'Inboundmail', 'import', file));
  assert.equal(told.code, 0, told.stdout);
  assert.match(told.stdout, /^Left out, for there is no such key here: dhap_limit$/m);
  const { stdout } = await piped(at('listenerconfig', 'hostaccess', 'Inboundmail', 'import', file, '--json'));
  assert.deepEqual(JSON.parse(stdout).leftOut, ['dhap_limit']);
  await piped(at('clearchanges', '--yes'));
});

test('what a commit would refuse is told at once, with the path', async () => {
  const { stdout } = await piped(
    at(
      'listenerconfig',
      'policy',
      'new',
      'CARDS',
      '--behavior',
      'relay',
      '--tls',
      'off',
      '--verify-client-certificate',
      'true',
    ),
  );
  assert.match(
    stdout,
    /^Changed; before commit can put it into force:\n {2}mailFlowPolicies\.CARDS\.verifyClientCertificate: /m,
  );
  assert.equal((await piped(at('commit'), '')).code, 1);
  await piped(at('clearchanges', '--yes'));
});

test('where a file is the truth the menu shows, and what would change is refused', async () => {
  const { gateway: onFile } = await site.startOne({ policy: { tls: 'preferred' } });
  const { code, stdout } = await piped(['listenerconfig', '--data', onFile.data], 'edit', '');
  assert.equal(code, 0);
  assert.match(stdout, /1\. submission \(on lo/);
  assert.match(stdout, /sallyport: this gateway was started with --config .*: that file is the only truth\./);
  const scripted = await piped(['listenerconfig', 'edit', 'submission', '--tcp-queue', '60', '--data', onFile.data]);
  assert.equal(scripted.code, 1);
  assert.match(scripted.stdout, /that file is the only truth/);
});
