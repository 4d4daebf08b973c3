/** Questions and options from the schema: kind, default, bounds, what a text means for a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mapping } from '../config/document.ts';
import {
  type Asking,
  asking,
  type Field,
  optionName,
  optionNames,
  type Place,
  secretOptions,
  shown,
  withOptions,
  withValue,
} from './form.ts';

const DOCUMENT = {
  certificates: { gateway: {}, web: {} },
  certificateAuthorities: { cac: {} },
  listeners: { in: { type: 'private', tcpQueue: 60 } },
};
const LISTENER = { path: ['listeners', 'in'], document: DOCUMENT };

function asks(
  field: Field,
  object: Mapping = {},
  place: Place = LISTENER,
): Extract<Asking, { how: 'question' }>['question'] {
  const form = asking(field, object, place);
  assert.ok(form?.how === 'question', JSON.stringify(form));
  return form.question;
}

const answered = (field: Field, answer: string, object: Mapping = {}, place: Place = LISTENER): unknown => {
  const understood = asks(field, object, place).understand(answer);
  return understood.ok ? understood.value : understood.why;
};

test('an enumeration is a numbered choice, with its default or what is configured', () => {
  const tlsMode = asks({ key: 'tlsMode', ask: 'Choose a protocol.' });
  assert.equal(tlsMode.text, 'Choose a protocol.\n1. starttls\n2. implicit');
  assert.equal(tlsMode.prompt, '[1]> ');
  assert.equal(asks({ key: 'tlsMode' }, { tlsMode: 'implicit' }).prompt, '[2]> ');
});

test('without words of its own a question has those of the schema', () => {
  assert.equal(
    asks({ key: 'tcpQueue' }).text,
    'TCP Listen Queue Size: Connections that may wait to be accepted. [whole number, 1 to 65535]',
  );
});

test('a reference is a choice of the names that are there; what is built in counts; none may be needed', () => {
  assert.match(asks({ key: 'certificate' }).text, /\n1\. gateway\n2\. web\n3\. None$/);
  const policy = asking({ key: 'policy' }, {}, { path: ['listeners', 'in', 'hat', 0], document: DOCUMENT });
  assert.ok(policy?.how === 'question' && /\n1\. ACCEPTED\n2\. RELAYED\n/.test(policy.question.text));
  assert.deepEqual(asking({ key: 'smtpAuthProfile' }, {}, LISTENER), {
    how: 'nothing',
    needed: false,
    why: 'There is nothing yet under smtpAuthProfiles to choose from.',
  });
});

for (const [key, answer, object, value] of [
  ['tcpQueue', '70', {}, 70],
  ['tcpQueue', '', {}, undefined],
  ['tcpQueue', '50', {}, undefined],
  ['tcpQueue', '', { tcpQueue: 60 }, 60],
  ['tcpQueue', '-', { tcpQueue: 60 }, undefined],
  ['tcpQueue', '0', {}, 'tcpQueue: must be at least 1'],
  ['tcpQueue', 'many', {}, 'tcpQueue: must be a number, not text'],
  ['commandTimeout', '1x', {}, 'commandTimeout: a duration is a whole number with ms, s, m, h or d, such as 15m'],
  ['address', '127.0.0.1:25, [::1]:25', {}, ['127.0.0.1:25', '[::1]:25']],
  ['receivedHeader', 'n', {}, false],
  ['receivedHeader', '', {}, undefined],
  ['senders', '192.0.2.1 (Paris, France), .example.com', {}, ['192.0.2.1 (Paris, France)', '.example.com']],
  ['address', '', {}, 'An answer is needed: Where it listens.'],
] as const) {
  const place = key === 'senders' ? { path: ['listeners', 'in', 'hat', 0], document: DOCUMENT } : LISTENER;
  test(`${JSON.stringify(answer)} means ${JSON.stringify(value)} for ${key} of ${JSON.stringify(object)}`, () =>
    assert.deepEqual(answered({ key }, answer, object, place), value));
}

test('an empty line keeps a value whose text would read differently', () => {
  const object = { senderGroup: 'G', senders: ['192.0.2.1 (one, (two))', 'a, b'], policy: 'RELAYED' };
  const form = asking({ key: 'senders' }, object, { path: ['listeners', 'in', 'hat', 0], document: DOCUMENT });
  assert.ok(form?.how === 'question');
  assert.deepEqual(form.question.understand(' '), { ok: true, value: object.senders });
});

test('what holds anyway is not written down, what is proposed is', () => {
  assert.equal(answered({ key: 'tlsMode', inherited: 'implicit' }, ''), undefined);
  assert.equal(answered({ key: 'tcpQueue', preset: 80 }, ''), 80);
});

test('a field may judge what the schema takes', () => {
  const field: Field = { key: 'defaultDomain', judge: (value) => (value === 'localhost' ? 'is no domain' : undefined) };
  assert.equal(answered(field, 'localhost'), 'defaultDomain: is no domain');
  assert.equal(answered(field, 'example.com'), 'example.com');
});

test('a secret is asked without echo, a PEM text in several lines', () => {
  const how = (key: string) => asking({ key }, {}, { path: ['certificates', 'x'], document: DOCUMENT })?.how;
  assert.equal(how('keyPem'), 'secret');
  assert.equal(how('certPem'), 'lines');
  assert.equal(how('colour'), undefined);
});

test('a schedule is said as a person says it', () => {
  const place = { path: ['crl', 'sources', 'x'], document: DOCUMENT };
  const schedule = asking({ key: 'schedule' }, {}, place);
  assert.ok(schedule?.how === 'question');
  assert.equal(schedule.question.prompt, '[every 1h]> ');
  for (const [text, value] of [
    ['every 5m', { every: '5m' }],
    ['daily 03:30', { daily: '03:30' }],
    ['manual', 'manual'],
  ] as const) {
    const understood = schedule.question.understand(text);
    assert.deepEqual(understood, { ok: true, value });
    assert.equal(shown(value), text);
  }
});

test('options are the keys; a secret and a reference to nothing are refused, an empty value removes', () => {
  const place = { path: ['ldap', 'servers', 'x'], document: DOCUMENT };
  const options = (given: Record<string, string>, typed = {}) =>
    withOptions({ ca: 'cac', baseDn: 'dc=x' }, { options: given, typed }, place);
  assert.deepEqual(options({ hosts: 'ldap://a, ldap://b', 'base-dn': '', 'start-tls': 'true' }), {
    ok: true,
    value: { ca: 'cac', hosts: ['ldap://a', 'ldap://b'], startTls: true },
  });
  assert.deepEqual(options({ ca: 'other' }), {
    ok: false,
    why: 'ca: certificateAuthorities has no "other"; there are: cac',
  });
  assert.match(JSON.stringify(options({ 'bind-password': 'x' })), /a secret is no argument/);
  assert.deepEqual(options({ 'bind-password': '-' }, { 'bind-password': 'hunter2' }), {
    ok: true,
    value: { ca: 'cac', baseDn: 'dc=x', bind: { password: 'hunter2' } },
  });
  assert.deepEqual(options({ colour: 'red' }), { ok: false, why: '--colour is no option here' });
});

test('the type decides which options there are, and an unknown one is said', () => {
  const place = { path: ['smtpAuthProfiles', 'x'], document: { ...DOCUMENT, ldap: { queries: { q: {} } } } };
  const options = (given: Record<string, string>) => withOptions({}, { options: given, typed: {} }, place);
  assert.deepEqual(options({ query: 'q', type: 'ldap' }), { ok: true, value: { type: 'ldap', query: 'q' } });
  assert.match(JSON.stringify(options({ type: 'card' })), /--type: .*allowed: certificate, ldap/);
});

test('names of options, and which are secrets', () => {
  assert.equal(optionName(['bind', 'passwordFile']), 'bind-password-file');
  assert.ok(optionNames(['ldap', 'servers', 'x'], [{}]).includes('cache-max-entries'));
  assert.deepEqual(secretOptions(['ldap', 'servers', 'x'], [{}]), ['bind-password']);
});

test('a value is put in its place, an object that is empty then goes', () => {
  assert.deepEqual(withValue({ a: 1, b: { c: 2 } }, ['b', 'c'], 3), { a: 1, b: { c: 3 } });
  assert.deepEqual(withValue({ a: 1, b: { c: 2 } }, ['b', 'c'], undefined), { a: 1 });
  assert.deepEqual(withValue({ list: [1, 2] }, ['list', 0], undefined), { list: [2] });
});

test('of the names that a key may refer to only those that suit are offered, and what is configured', () => {
  const document = {
    ldap: { queries: { card: { type: 'certificate' }, login: { type: 'smtpAuth' }, other: { type: 'smtpAuth' } } },
  };
  const place = { path: ['smtpAuthProfiles', 'p'], document };
  const field: Field = {
    key: 'query',
    ask: 'Which?',
    suits: (query, { type }) => (query as Mapping)['type'] === (type === 'ldap' ? 'smtpAuth' : 'certificate'),
  };
  assert.equal(asks(field, { type: 'ldap' }, place).text, 'Which?\n1. login\n2. other');
  assert.match(asks(field, { type: 'certificate' }, place).text, /^Which\?\n1\. card\n/);
  assert.match(asks(field, { type: 'ldap', query: 'card' }, place).text, /^Which\?\n1\. card\n2\. login\n/);
  const none = asking(
    field,
    { type: 'ldap' },
    { ...place, document: { ldap: { queries: { card: { type: 'certificate' } } } } },
  );
  assert.equal(none?.how, 'nothing');
});
