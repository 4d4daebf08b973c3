/** Completion, tried in the shells themselves. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { KEY, piped } from '../support/command-line.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { Program, runProgram } from '../support/program.ts';

let folder: string;
before(async () => {
  folder = temporaryFolder();
  for (const shell of ['bash', 'zsh']) {
    const { code, stdout } = await piped(['completion', shell]);
    assert.equal(code, 0);
    writeFileSync(join(folder, shell), stdout);
  }
});

/** What bash would offer behind these words; the last one is being typed. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const script =
    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sallyport; printf "%s\\n" "${COMPREPLY[@]}"';
  const { code, output } = await runProgram(
    'bash',
    ['-c', script, 'bash', join(folder, 'bash'), 'sallyport', ...words],
    { cwd: folder },
  );
  assert.equal(code, 0, output);
  return output.split('\n').filter((each) => each !== '');
}

test('bash completes commands, their operations, their options and the keys of the schema', async () => {
  assert.deepEqual(await offered('listenerc'), ['listenerconfig']);
  assert.deepEqual(await offered('crl', 'u'), ['update']);
  assert.deepEqual(await offered('listenerconfig', 'h'), ['hostaccess']);
  assert.deepEqual(await offered('listenerconfig', 'edit', 'in', '--default'), ['--default-domain']);
  assert.deepEqual(await offered('commit', '--co'), ['--comment', '--config', '--confirm']);
  assert.deepEqual(await offered('check', 'ba'), ['bash']);
  assert.deepEqual(await offered('config', 'show', '--config', 'z'), ['zsh']);
  assert.deepEqual(await offered('trace', '--l'), ['--listener']);
});

/** An interactive shell on a terminal, with a prompt that is known. */
async function interactive(command: string): Promise<{ readonly shell: Program; readonly seen: number }> {
  const shell = Program.start('script', ['-qefc', command, '/dev/null'], { env: { TERM: 'dumb' } });
  const seen = await shell.shows(/[#$%] /);
  shell.write(`PS1='rea''dy> '${KEY.enter}`);
  return { shell, seen: await shell.shows(/ready> /, seen) };
}

async function leave(shell: Program): Promise<void> {
  shell.kill();
  await shell.finished();
}

test('bash takes the completion as it is sourced in an interactive shell', async () => {
  const { shell, seen } = await interactive('bash --norc -i');
  shell.write(`source '${join(folder, 'bash')}'${KEY.enter}`);
  const ready = await shell.shows(/ready> /, seen);
  shell.write(`sallyport clearch${KEY.tab}`);
  await shell.shows(/clearchanges/, ready);
  await leave(shell);
});

test('zsh completes a command and an option', async () => {
  const { shell, seen } = await interactive('zsh -f -i');
  shell.write(`autoload -U compinit; compinit -u -D; source '${join(folder, 'zsh')}'${KEY.enter}`);
  const ready = await shell.shows(/ready> /, seen);
  shell.write(`sallyport clearch${KEY.tab}`);
  const completed = await shell.shows(/clearchanges/, ready);
  shell.write(`--ye${KEY.tab}`);
  await shell.shows(/--yes/, completed);
  await leave(shell);
});

test('another shell is refused with how to use it', async () => {
  const { code, stdout } = await piped(['completion', 'fish']);
  assert.equal(code, 2);
  assert.match(stdout, /^usage: sallyport completion bash\|zsh\nbash: source <\(sallyport completion bash\)/);
});
