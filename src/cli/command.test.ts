/** What the usage line of a command says about its options and operations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Command, operationsOf, optionsOf, usageText, withPlace } from './command.ts';
import { wordsOf } from './completion.ts';

const command = (usage: string, more: Partial<Command> = {}): Command => ({
  usage,
  does: 'does it',
  run: async () => 0,
  ...more,
});

test('options and operations are read off the usage line', () => {
  const crl = command('crl list|update [SOURCE] [--data DIR] [--json]');
  assert.deepEqual(optionsOf(crl), ['--data', '--json']);
  assert.deepEqual(operationsOf(crl), ['list', 'update']);
  assert.deepEqual(operationsOf(command('check FILE')), []);
  assert.deepEqual(operationsOf(command('x [OPERATION]', { operations: ['new'] })), ['new']);
});

test('the shell’s place goes to commands that take it and were not told another one', () => {
  const takes = command('crl list [--data DIR]');
  const place = ['--data', '/d', '--key-file', '/k'];
  assert.deepEqual(withPlace(['list'], takes, place), ['list', '--data', '/d']);
  assert.deepEqual(withPlace(['list', '--data=/e'], takes, place), ['list', '--data=/e']);
  assert.deepEqual(withPlace(['x'], command('check FILE'), place), ['x']);
});

test('the usage is one line, or what the command says in detail', async () => {
  assert.equal(await usageText(command('check FILE')), 'usage: sallyport check FILE\ndoes it\n');
  assert.equal(await usageText(command('x', { details: async () => 'usage: x\n  y\n' })), 'usage: x\n  y\ndoes it\n');
});

test('completion knows the keys, too', () => {
  assert.deepEqual(wordsOf('x', command('x new|edit [--json]'), ['--tcp-queue']), {
    name: 'x',
    does: 'does it',
    operations: ['new', 'edit'],
    options: ['--help', '--json', '--tcp-queue'],
  });
});
