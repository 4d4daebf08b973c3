/** What a command prints reaches its reader whole, however slowly that one reads. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { piped } from '../support/command-line.ts';
import { PROGRAM, temporaryFolder } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';

test('a reader that is slower than the command gets all of a long answer', async () => {
  // The reader takes nothing until the command has filled the pipe, which holds 64 KiB.
  const { output } = await runProgram('bash', ['-c', '"$1" config schema | { sleep 2; cat; }', 'bash', PROGRAM]);
  assert.ok(output.length > 65_536, 'the answer fits a pipe: this test shows nothing');
  assert.doesNotThrow(() => JSON.parse(output));
});

test('a reader that goes away ends the command', async () => {
  const { code } = await runProgram('bash', ['-c', 'set -o pipefail; "$1" config schema | true', 'bash', PROGRAM]);
  assert.equal(code, 1);
});

test('without the Node that npm ci brings, and an old one on the PATH, it says what to run', async () => {
  const root = temporaryFolder();
  mkdirSync(join(root, 'bin'));
  cpSync(PROGRAM, join(root, 'bin', 'sallyport'));
  cpSync('/bin/false', join(root, 'bin', 'node'));
  const env = { PATH: `${join(root, 'bin')}:${process.env['PATH']}` };
  const { code, output } = await runProgram(join(root, 'bin', 'sallyport'), ['status'], { env });
  assert.equal(code, 1);
  assert.match(output, /^sallyport: there is no Node that runs this: run npm ci in /);
});

test('version says which one it is', async () => {
  const { code, stdout } = await piped(['version']);
  assert.equal(code, 0);
  assert.match(stdout, /^Sallyport \d+\.\d+\.\d+\n$/);
});

test('a command that is not there is one line with what may have been meant, not the list of all', async () => {
  const { code, stdout } = await piped(['comit', '--comment', 'x']);
  assert.equal(code, 2);
  assert.equal(
    stdout,
    'sallyport: there is no command comit; did you mean "commit"?\nsallyport help lists all commands\n',
  );
});
