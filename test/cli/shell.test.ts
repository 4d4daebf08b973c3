/** `sallyport shell` on a running gateway: through a pipe, and on a terminal with its keys. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { KEY, onTerminal, piped } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';

let gateway: Gateway;
before(async () => {
  const site = await Site.open();
  const config = withListener(site.base(), 'submission', { policy: { tls: 'preferred' }, port: await freePort() });
  gateway = await Gateway.start({ config, folder: site.folder, store: true });
});

const shell = (...answers: readonly string[]) => piped(['shell', '--data', gateway.data], ...answers);

test('the prompt is the host name; quit leaves, and commands need no data folder', async () => {
  const { code, stdout } = await shell('config status', 'quit', 'config history');
  assert.equal(code, 0);
  assert.match(stdout, /^Sallyport on gw\.example\.test\. help lists the commands, quit leaves\.\n/);
  assert.match(stdout, /\ngw\.example\.test> config status\nConfiguration: store\nRevision 1 of /);
  assert.ok(stdout.endsWith('gw.example.test> quit\n'), stdout);
});

test('the end of input ends the shell with the exit code of the last command', async () => {
  assert.equal((await shell('config status')).code, 0);
  assert.equal((await shell('config show nothing.there')).code, 1);
});

test('help and ? list the commands, help COMMAND shows its usage', async () => {
  const { stdout } = await shell('?', 'help crl', 'crl --help');
  assert.match(stdout, /^check +checks a configuration file/m);
  assert.doesNotMatch(stdout, /^(run|quickstart|shell) /m);
  assert.equal(stdout.match(/usage: sallyport crl list\|update/g)?.length, 2);
});

test('what is no command and what cannot be read is said, and the shell goes on', async () => {
  const { code, stdout } = await shell('lstenerconfig', 'config "status', 'run', 'config status');
  assert.equal(code, 0);
  assert.match(stdout, /There is no command "lstenerconfig" here\. help lists the commands\.\n/);
  assert.match(stdout, /Not understood: the quote " is not closed\.\n/);
  assert.match(stdout, /There is no command "run" here/);
  assert.match(stdout, /Revision 1 of /);
});

test('uncommitted changes are told at the beginning and at the end', async () => {
  const { stdout } = await shell('config set system.minFreeSpace 32M');
  assert.match(stdout, /There are uncommitted changes \(1\): showchanges shows them/);
  assert.match((await shell()).stdout, /There are uncommitted changes \(1\)/);
  const { stdout: after } = await shell('config clear');
  assert.equal(after.match(/There are uncommitted changes/g)?.length, 1);
});

/** The prompt with the cursor behind it. */
const PROMPT = /gw\.example\.test> (\u001b\[\d+G)?$/;

test('on a terminal the tabulator completes, the arrow brings the last command back, Ctrl-C gives the line up', async () => {
  const session = onTerminal('shell', '--data', gateway.data);
  let seen = await session.shows(PROMPT);
  session.write(`config hist${KEY.tab}`);
  seen = await session.shows(/config hist.*ory/, seen);
  session.write(KEY.enter);
  seen = await session.shows(/\n1 {2}\d{4}-/, seen);
  seen = await session.shows(PROMPT, seen);
  session.write(`listenerconfig edit submission --default-d${KEY.tab}`);
  seen = await session.shows(/--default-d.*omain/, seen);
  session.write(KEY.ctrlC);
  seen = await session.shows(/\^C/, seen);
  seen = await session.shows(PROMPT, seen);
  session.write('config nonsense');
  seen = await session.shows(/nonsense/, seen);
  session.write(KEY.ctrlC);
  seen = await session.shows(/\^C/, seen);
  seen = await session.shows(PROMPT, seen);
  session.write(KEY.up);
  seen = await session.shows(/config history/, seen);
  session.write(KEY.enter);
  seen = await session.shows(/\n1 {2}\d{4}-/, seen);
  seen = await session.shows(PROMPT, seen);
  session.write(KEY.ctrlD);
  assert.equal(await session.finished(), 0, session.output);
});

test('a password is not shown on the terminal and not kept', async () => {
  const session = onTerminal('shell', '--data', gateway.data);
  let seen = await session.shows(PROMPT);
  session.write(`useradd ann --role operator${KEY.enter}`);
  for (const question of [/Enter the new password for ann\.\s+> $/, /Enter it again\.\s+> $/]) {
    seen = await session.shows(question, seen);
    session.write(`correct horse battery staple${KEY.enter}`);
  }
  seen = await session.shows(/account ann made, role operator/, seen);
  seen = await session.shows(PROMPT, seen);
  session.write(KEY.up);
  seen = await session.shows(/useradd ann --role operator/, seen);
  assert.doesNotMatch(session.output, /horse/);
  session.write(KEY.ctrlC);
  seen = await session.shows(/\^C/, seen);
  await session.shows(PROMPT, seen);
  session.write(`quit${KEY.enter}`);
  assert.equal(await session.finished(), 0, session.output);
});
