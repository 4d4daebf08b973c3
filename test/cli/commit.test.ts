/** commit, showchanges, clearchanges, rollbackconfig, saveconfig, loadconfig: asked nothing, they ask; scripts give arguments. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { KEY, onTerminal, piped, pipedAs } from '../support/command-line.ts';
import { configText, type Gateway, temporaryFolder } from '../support/gateway.ts';
import { type One, Site } from '../support/site.ts';

let site: Site;
let one: One;
let gateway: Gateway;
before(async () => {
  site = await Site.open();
  one = await site.startOne({ policy: { tls: 'preferred' } }, undefined, { store: true });
  gateway = one.gateway;
});

const at = (...words: readonly string[]): string[] => [...words, '--data', gateway.data];
const set = (path: string, value: string): string[] => at('config', 'set', path, value);

/** What a script sees of the running configuration. */
async function running(path: string): Promise<unknown> {
  const { code, stdout } = await piped(at('showconfig', path, '--json'));
  return code === 0 ? JSON.parse(stdout) : undefined;
}

async function revision(): Promise<number> {
  const { stdout } = await piped(at('config', 'history', '--json'));
  return (JSON.parse(stdout) as { number: number }[])[0]?.number ?? 0;
}

test('commit asks for a comment and puts the changes into force', async () => {
  await piped(set('system.minFreeSpace', '32M'));
  const { code, stdout } = await piped(at('commit'), 'less space is enough');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^\nPlease enter some comments describing your changes:\n\[\]> less space is enough\n/);
  assert.match(stdout, /\+ system: \{"minFreeSpace":"32M"\}\nChanges committed: revision \d+, in force\n$/);
  assert.equal(await running('system.minFreeSpace'), '32M');
  assert.match((await piped(at('config', 'history'))).stdout, /less space is enough/);
});

test('commit without changes says so, and without an answer commits without a comment', async () => {
  const { code, stdout } = await piped(at('commit'));
  assert.deepEqual([code, stdout], [0, 'There are no changes to commit.\n']);
  await piped(set('system.minFreeSpace', '33M'));
  assert.equal((await piped(at('commit'))).code, 0);
  assert.equal(await running('system.minFreeSpace'), '33M');
});

test('a faulty configuration is refused before a comment is asked, with the path', async () => {
  await piped(set('listeners.submission.hat[0].policy', 'NOBODY'));
  const { code, stdout } = await piped(at('commit'), 'a comment');
  assert.equal(code, 1);
  assert.match(stdout, /^listeners\.submission\.hat\[0\]\.policy: .*NOBODY/);
  assert.doesNotMatch(stdout, /comments/);
});

test('clearchanges asks, and no is the default', async () => {
  const before = await piped(at('clearchanges'), '');
  assert.match(before.stdout, /^Are you sure you want to clear all changes since the last commit\?\n\[N\]> \n$/);
  assert.match((await piped(at('showchanges'))).stdout, /^\* listeners\.submission\.hat\[0\]\.policy: /);
  assert.match(
    (await piped(at('clearchanges'), 'perhaps', 'y')).stdout,
    /Answer Y for yes or N for no\.\n.*Changes cleared\.\n$/s,
  );
  assert.equal((await piped(at('showchanges'))).stdout, 'no differences\n');
  assert.equal((await piped(at('clearchanges'))).stdout, 'There are no changes.\n');
});

test('Ctrl-C at the comment gives the commit up; the changes stay', async () => {
  await piped(set('system.minFreeSpace', '34M'));
  const session = onTerminal(...at('commit'));
  await session.shows(/\[\]> /);
  session.write(KEY.ctrlC);
  assert.equal(await session.finished(), 130, session.output);
  assert.equal(await running('system.minFreeSpace'), '33M');
  assert.match((await piped(at('showchanges', '--json'))).stdout, /"34M"/);
  await piped(at('clearchanges', '--yes'));
});

test('who commits second is told what the other has changed, and chooses for each key', async () => {
  await pipedAs('ann', set('listeners.submission.defaultDomain', 'ann.example'));
  await pipedAs('bob', set('listeners.submission.defaultDomain', 'bob.example'));
  await pipedAs('bob', set('listeners.submission.tcpQueue', '60'));
  assert.equal((await pipedAs('ann', at('commit'), 'the domain of ann')).code, 0);
  const refused = await pipedAs('bob', at('commit', '--comment', 'bob', '--json'));
  assert.equal(refused.code, 1);
  assert.equal(JSON.parse(refused.stdout).refusal.kind, 'conflict');
  assert.equal(await running('listeners.submission.defaultDomain'), 'ann.example');

  const asked = await pipedAs('bob', at('commit'), '3', 'theirs', 'only the queue');
  assert.equal(asked.code, 0, asked.stdout);
  assert.match(
    asked.stdout,
    /listeners\.submission\.defaultDomain was changed by cli:ann at .* in revision \d+: the domain of ann/,
  );
  assert.match(
    asked.stdout,
    / {2}mine: {3}"bob\.example"\n {2}theirs: "ann\.example"\nWhich value shall stay\?\n1\. Mine\n2\. Theirs\n\[\]> 3\n"3" is no choice/,
  );
  assert.equal(await running('listeners.submission.defaultDomain'), 'ann.example');
  assert.equal(await running('listeners.submission.tcpQueue'), 60);
});

test('rollbackconfig lists the revisions, asks, and commits the earlier one as a new one', async () => {
  const last = await revision();
  const { code, stdout } = await piped(at('rollbackconfig'), 'one', '1', 'y', '');
  assert.equal(code, 0, stdout);
  assert.match(stdout, new RegExp(`^Previous commits:\\nRevision .*\\n${last} +\\d{4}-.*bob +only the queue\\n`));
  assert.match(stdout, /A revision is a number of the list\.\n/);
  assert.match(stdout, new RegExp(`Changes committed: revision ${last + 1}, in force`));
  assert.equal(await running('listeners.submission.tcpQueue'), undefined);
  assert.equal((await piped(at('rollbackconfig', String(last), '--json'))).code, 0);
  assert.equal(await running('listeners.submission.tcpQueue'), 60);
  assert.equal((await piped(at('rollbackconfig'), '1', 'n')).code, 0);
  assert.equal(await revision(), last + 2);
});

test('saveconfig asks about secrets and the file, loadconfig takes it again', async () => {
  const file = join(temporaryFolder(), 'saved.yaml');
  const saved = await piped(at('saveconfig'), '', file);
  assert.equal(saved.code, 0, saved.stdout);
  assert.match(saved.stdout, /1\. Mask passphrases .*\n2\. Encrypt passphrases\n3\. Plain passphrases\n\[1\]> \n/);
  assert.match(saved.stdout, /Enter the name of the file:\n\[gw\.example\.test-\d+-\d{8}T\d{6}\.yaml\]> /);
  assert.ok(existsSync(file));
  await piped(set('system.minFreeSpace', '35M'));
  await piped(at('commit', '--comment', 'will be undone'));
  const loaded = await piped(at('loadconfig'), '2', file);
  assert.equal(loaded.code, 0, loaded.stdout);
  assert.match(loaded.stdout, /\* system\.minFreeSpace: "35M" -> "33M"/);
  await piped(at('clearchanges', '--yes'));
  const pasted = await piped(at('loadconfig'), '1', ...readFileSync(file, 'utf8').trimEnd().split('\n'), '.');
  assert.equal(pasted.code, 0, pasted.stdout);
  assert.match(pasted.stdout, /\* system\.minFreeSpace: "35M" -> "33M"/);
  await piped(at('clearchanges', '--yes'));
});

test('where a file is the truth, what would change is refused before anything is asked', async () => {
  const { gateway: onFile } = await site.startOne({ policy: { tls: 'preferred' } });
  for (const command of ['commit', 'clearchanges', 'rollbackconfig']) {
    const { code, stdout } = await piped([command, '--data', onFile.data]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^sallyport: this gateway was started with --config .*: that file is the only truth\./,
      command,
    );
  }
  const { stdout } = await piped(['showconfig', 'hostname', '--data', onFile.data]);
  assert.equal(stdout, 'gw.example.test\n');
  assert.match(configText(one.config), /gw\.example\.test/);
});
