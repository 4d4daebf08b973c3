/** What an answer means: numbers, labels, beginnings, defaults, and the sentence for what is none of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, choices, line, operation, type Question, required, secret, yesNo } from './question.ts';

const TLS = choice(
  'Do you want to allow encrypted TLS connections?',
  [
    { value: 'off', label: 'No' },
    { value: 'preferred', label: 'Preferred' },
    { value: 'required', label: 'Required' },
  ],
  'off',
);

const answered = (question: Question<unknown>, answer: string): unknown => {
  const understood = question.understand(answer);
  return understood.ok ? understood.value : understood.why;
};

test('a choice is shown as AsyncOS shows it', () => {
  assert.equal(TLS.text, 'Do you want to allow encrypted TLS connections?\n1. No\n2. Preferred\n3. Required');
  assert.equal(TLS.prompt, '[1]> ');
});

for (const [answer, value] of [
  ['', 'off'],
  ['3', 'required'],
  [' 2 ', 'preferred'],
  ['Required', 'required'],
  ['pref', 'preferred'],
  ['0', '"0" is no choice. Enter a number from 1 to 3.'],
  ['4', '"4" is no choice. Enter a number from 1 to 3.'],
  ['x', '"x" is no choice. Enter a number from 1 to 3.'],
  ['-1', '"-1" is no choice. Enter a number from 1 to 3.'],
] as const) {
  test(`the TLS question takes ${JSON.stringify(answer)} as ${value}`, () =>
    assert.equal(answered(TLS, answer), value));
}

test('the beginning of two labels is no choice, and no default needs an answer', () => {
  const question = choice('Which?', [
    { value: 1, label: 'Listener one' },
    { value: 2, label: 'Listener two' },
  ]);
  assert.equal(answered(question, 'Listener'), '"Listener" is no choice. Enter a number from 1 to 2.');
  assert.equal(answered(question, ''), 'An answer is needed. Enter a number from 1 to 2.');
  assert.equal(question.prompt, '[]> ');
});

test('yes and no are said in several ways; the default is the capital', () => {
  const yes = yesNo('Sure?', true);
  assert.equal(yes.prompt, '[Y]> ');
  assert.deepEqual(
    ['', 'y', 'YES', 'n', 'No'].map((answer) => answered(yes, answer)),
    [true, true, true, false, false],
  );
  assert.equal(answered(yesNo('Sure?', false), ''), false);
  assert.equal(answered(yes, 'perhaps'), 'Answer Y for yes or N for no.');
});

test('a line shows its default and takes an empty answer for it', () => {
  const question = line({ text: 'Port:', preset: '25' });
  assert.equal(question.prompt, '[25]> ');
  assert.equal(answered(question, ''), '25');
  assert.equal(answered(question, ' 587 '), '587');
  assert.equal(answered(line({ text: 'Name:', read: required }), '  '), 'An answer is needed.');
});

test('a secret keeps its blanks', () => assert.equal(answered(secret('Password:'), ' a b '), ' a b '));

test('an operation is named by its word or the beginning of one; an empty line goes back', () => {
  const menu = operation([
    { name: 'new', does: 'Create a new listener.' },
    { name: 'edit', does: 'Modify a listener.' },
    { name: 'export', does: 'Write to a file.' },
  ]);
  assert.equal(
    menu.text,
    'Choose the operation you want to perform:\n- NEW - Create a new listener.\n- EDIT - Modify a listener.\n- EXPORT - Write to a file.',
  );
  const name = (answer: string): unknown => (answered(menu, answer) as { name?: string } | undefined)?.name;
  assert.deepEqual(['NEW', 'n', 'edit', ''].map(name), ['new', 'new', 'edit', undefined]);
  assert.equal(answered(menu, 'e'), '"e" is no operation. Enter one of NEW, EDIT, EXPORT; an empty line goes back.');
});

test('several choices stand with commas between; an empty answer is what stands in the brackets', () => {
  const question = choices(
    'Which?',
    [
      { value: 'a', label: 'All' },
      { value: 's', label: 'System' },
      { value: 'd', label: 'Directory' },
    ],
    ['s', 'd'],
  );
  assert.equal(question.prompt, '[2,3]> ');
  assert.deepEqual(answered(question, ''), ['s', 'd']);
  assert.deepEqual(answered(question, '2, Dir,2'), ['s', 'd']);
  assert.equal(answered(question, '2,7'), '"7" is no choice. Enter a number from 1 to 3.');
});

test('a choice is answered by what stands in the configuration, too', () => {
  const question = choice('Type?', [
    { value: 'pem', label: 'PEM (several lists)', word: 'pem' },
    { value: 'asn1', label: 'ASN.1 (one list)', word: 'asn1' },
  ]);
  for (const answer of ['2', 'asn1', 'ASN1', 'asn.1', 'ASN.1 (one list)'])
    assert.deepEqual(question.understand(answer), { ok: true, value: 'asn1' }, answer);
});
