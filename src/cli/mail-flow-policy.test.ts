/** What is proposed for a mail flow policy, and what of the answers is written down. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mapping } from '../config/document.ts';
import { asking } from './form.ts';
import { MAIL_FLOW_POLICIES } from './mail-flow-policy.ts';

const DOCUMENT = { mailFlowPolicies: { default: { maxRecipientsPerMessage: 7, tls: 'preferred' }, THROTTLED: {} } };

function question(name: string, key: string) {
  const field = MAIL_FLOW_POLICIES.fields({}, DOCUMENT as Mapping, name).find((each) => each.key === key);
  assert.ok(field !== undefined);
  const form = asking(field, {}, { path: ['mailFlowPolicies', name], document: DOCUMENT });
  assert.ok(form?.how === 'question');
  return form.question;
}

for (const [name, key, prompt] of [
  ['BLOCKED', 'behavior', '[3]> '],
  ['RELAYED', 'behavior', '[2]> '],
  ['MINE', 'behavior', '[1]> '],
  ['THROTTLED', 'maxRecipientsPerMessage', '[20]> '],
  ['THROTTLED', 'maxMessageSize', '[1M]> '],
  ['MINE', 'maxMessageSize', '[100M]> '],
  ['MINE', 'maxRecipientsPerMessage', '[7]> '],
  ['MINE', 'tls', '[2]> '],
] as const) {
  test(`${key} of ${name} stands as ${prompt.trim()} in the prompt`, () =>
    assert.equal(question(name, key).prompt, prompt));
}

test('what is built in or inherited is not written down, another answer is', () => {
  assert.deepEqual(question('BLOCKED', 'behavior').understand(''), { ok: true, value: undefined });
  assert.deepEqual(question('BLOCKED', 'behavior').understand('Accept'), { ok: true, value: 'accept' });
  assert.deepEqual(question('THROTTLED', 'maxRecipientsPerMessage').understand('1000'), { ok: true, value: 1000 });
  assert.deepEqual(question('MINE', 'tls').understand('No'), { ok: true, value: 'off' });
});
