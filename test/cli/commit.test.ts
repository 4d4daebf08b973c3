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

test('a saved candidate that is loaded after another commit still tells of the same key, and keeps the others', async () => {
  const file = join(temporaryFolder(), 'candidate.yaml');
  const as = (account: string, ...words: readonly string[]) => pipedAs(account, at(...words));
  await as('bob', 'config', 'set', 'listeners.submission.defaultDomain', 'bob.example');
  assert.equal((await as('bob', 'saveconfig', file, '--candidate')).code, 0);
  await as('ann', 'config', 'set', 'listeners.submission.defaultDomain', 'ann2.example');
  await as('ann', 'config', 'set', 'system.minFreeSpace', '36M');
  assert.equal((await as('ann', 'commit', '--comment', 'ann again')).code, 0);
  const loaded = await as('bob', 'loadconfig', file);
  assert.equal(loaded.code, 0, loaded.stdout);
  assert.match(
    loaded.stdout,
    /^Committed by others since revision \d+, and not changed by .*: stays\n\* system\.minFreeSpace: "35M" -> "36M"\n/m,
  );
  assert.match(loaded.stdout, /listeners\.submission\.defaultDomain was changed by cli:ann at .*: ann again\n/);
  const refused = await as('bob', 'commit', '--comment', 'bob');
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /choose: sallyport config rebase mine PATH\.\.\. theirs PATH\.\.\.\n$/);
  assert.equal(await running('listeners.submission.defaultDomain'), 'ann2.example');
  await as('bob', 'clearchanges', '--yes');
});

test('a saved configuration that is loaded later says what it takes back; with --base it takes nothing back', async () => {
  const file = join(temporaryFolder(), 'saved.yaml');
  const saved = await revision();
  assert.equal((await piped(at('saveconfig', file))).code, 0);
  await piped(set('system.minFreeSpace', '37M'));
  assert.equal((await piped(at('commit', '--comment', 'later'))).code, 0);
  const back = await piped(at('loadconfig', file));
  assert.match(
    back.stdout,
    new RegExp(
      `was saved from revision ${saved}\\. Of what was committed since then it takes back:\n {2}system\\.minFreeSpace\nWith --base ${saved} that stays`,
    ),
  );
  await piped(at('clearchanges', '--yes'));
  const merged = await piped(at('loadconfig', file, '--base', String(saved), '--json'));
  assert.equal(merged.code, 0, merged.stdout);
  const { base, changes, conflicts, stays } = JSON.parse(merged.stdout);
  assert.deepEqual([base, changes, conflicts, stays.length], [saved, [], [], 1]);
  assert.match((await piped(at('commit', '--comment', 'x'))).stdout, /there are no changes to commit/);
});

test('wrong usage shows the usage of that command and nothing else', async () => {
  const place = '[--data DIR [--key-file FILE] | --config FILE]\n';
  const cases: readonly (readonly [readonly string[], string])[] = [
    [
      ['commit', '--nonsense'],
      `usage: sallyport commit [--comment TEXT] [--confirm DURATION | --dry-run [--days 7]] [--json] ${place}`,
    ],
    [
      ['commit', '--confirm', 'soon'],
      `usage: sallyport commit [--comment TEXT] [--confirm DURATION | --dry-run [--days 7]] [--json] ${place}`,
    ],
    [['showchanges', '--to', 'x'], `usage: sallyport showchanges [--json] ${place}`],
    [['clearchanges', 'x'], `usage: sallyport clearchanges [--yes] [--json] ${place}`],
    [
      ['rollbackconfig', 'x'],
      `usage: sallyport rollbackconfig [REVISION [--comment TEXT] [--confirm DURATION] [--json]] ${place}`,
    ],
    [['config', 'history', 'x'], `usage: sallyport config history [--json] ${place}`],
    [['config', 'status', '--commit'], `usage: sallyport config status [--json] ${place}`],
    [
      ['listenerconfig', 'rename', 'submission'],
      `usage: sallyport listenerconfig rename NAME NEW-NAME [--json] ${place}`,
    ],
  ];
  for (const [words, usage] of cases) {
    const { code, stdout } = await piped(at(...words));
    assert.equal(code, 2, stdout);
    assert.ok(stdout.startsWith(usage), stdout);
    assert.ok(stdout.slice(usage.length).split('\n').length <= 2, stdout);
  }
});

test('what another administrator commits while a form is being answered is not taken back', async () => {
  const session = onTerminal(...at('listenerconfig'));
  let seen = await session.shows(/\[\]> /);
  for (const answer of ['edit', '1', 'limits']) {
    session.write(`${answer}${KEY.enter}`);
    seen = await session.shows(/\]> /, seen);
  }
  await pipedAs('ann', set('listeners.submission.defaultDomain', 'ann3.example'));
  assert.equal((await pipedAs('ann', at('commit', '--comment', 'meanwhile'))).code, 0);
  for (const answer of ['123', '', '', '']) {
    session.write(`${answer}${KEY.enter}`);
    seen = await session.shows(/\]> /, seen);
  }
  session.kill();
  const { stdout } = await piped(at('showchanges'));
  assert.match(stdout, /^\+ listeners\.submission\.maxConcurrency: 123\n$/);
  assert.equal((await piped(at('commit', '--comment', 'both'))).code, 0);
  assert.equal(await running('listeners.submission.defaultDomain'), 'ann3.example');
  assert.equal(await running('listeners.submission.maxConcurrency'), 123);
});

test('a commit has the same author whether a gateway runs or not', async () => {
  const history = async () =>
    (JSON.parse((await pipedAs('carl', at('config', 'history', '--json'))).stdout) as { author: string }[])[0]?.author;
  await pipedAs('carl', set('system.minFreeSpace', '38M'));
  await pipedAs('carl', at('commit', '--comment', 'online'));
  assert.equal(await history(), 'cli:carl');
  await gateway.stop();
  await pipedAs('carl', set('system.minFreeSpace', '39M'));
  const { stdout } = await pipedAs('carl', at('commit', '--comment', 'offline'));
  assert.match(stdout, /Changes committed: revision \d+, counts from the next start\n$/);
  assert.equal(await history(), 'cli:carl');
  const { config, folder } = one;
  gateway = await site.start(config, { folder, store: true });
  assert.equal(await running('system.minFreeSpace'), '39M');
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
