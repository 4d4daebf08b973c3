import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LdapQueryConfig, SmtpAuthProfileConfig } from '../config/schema.ts';
import { no, unknown, yes } from '../core/verdict.ts';
import { chooseProfile, chooseQuery } from '../explain/directory-test.io.ts';
import type { Stage } from '../ldap/query.ts';
import { concludeCertificate, concludeLogin, renderHost, renderStage, renderStaticMap } from './ldaptest.ts';

const queries = (...types: LdapQueryConfig['type'][]) =>
  Object.fromEntries(types.map((type, i) => [`q${i}`, { type } as LdapQueryConfig]));

describe('which query is meant', () => {
  test('the only one of the type', () => {
    assert.deepEqual(chooseQuery(queries('certificate', 'smtpAuth'), 'smtpAuth', undefined), yes('q1'));
  });
  test('the one that is named', () => {
    assert.deepEqual(chooseQuery(queries('smtpAuth', 'smtpAuth'), 'smtpAuth', 'q0'), yes('q0'));
  });
  const refused: readonly [LdapQueryConfig['type'][], string | undefined, RegExp][] = [
    [['certificate'], undefined, /no query of type smtpAuth/],
    [['smtpAuth', 'smtpAuth'], undefined, /several queries of type smtpAuth.*--query: q0, q1/],
    [['certificate', 'smtpAuth'], 'q0', /q0 is not of type smtpAuth; of type smtpAuth: q1/],
    [['smtpAuth'], 'constructor', /there is no query constructor/],
  ];
  for (const [types, named, why] of refused) {
    test(`${types.join()} with --query ${named}`, () => {
      const answer = chooseQuery(queries(...types), 'smtpAuth', named);
      assert.match(answer.answer === 'no' ? answer.why : '', why);
    });
  }
});

describe('which profile is meant', () => {
  const profile = (query: string): SmtpAuthProfileConfig =>
    ({ type: 'certificate', query, mapping: ['filter'], compareCertificate: false }) as SmtpAuthProfileConfig;
  const password = { type: 'ldap' } as SmtpAuthProfileConfig;
  const nameOf = (answer: ReturnType<typeof chooseProfile>) =>
    answer.answer === 'yes' ? answer.value?.name : answer.answer === 'no' ? answer.why : '';
  test('the one that is named', () => {
    assert.equal(nameOf(chooseProfile({ a: profile('x'), b: profile('y') }, 'b')), 'b');
  });
  test('any, where all find owners in the same way; none, where there is none', () => {
    assert.equal(nameOf(chooseProfile({ password, a: profile('x'), b: profile('x') }, undefined)), 'a');
    assert.equal(nameOf(chooseProfile({ password }, undefined)), undefined);
  });
  test('several that differ must be named', () => {
    const why = 'there are several certificate profiles; choose one with --profile: a, b';
    assert.equal(nameOf(chooseProfile({ a: profile('x'), b: profile('y') }, undefined)), why);
  });
  test('a profile that is not there, or of the other type', () => {
    assert.equal(nameOf(chooseProfile({ a: profile('x') }, 'z')), 'there is no profile z; of type certificate: a');
    assert.equal(nameOf(chooseProfile({ password }, 'password')), 'the profile password is not of type certificate');
  });
  test('what its static map says is a line of its own', () => {
    assert.equal(
      renderStaticMap('s', yes({ by: 'x.staticMap[0]' })),
      'Profile s: static map: match positive (x.staticMap[0])\n',
    );
    assert.equal(renderStaticMap('s', no('not in the static map')), 'Profile s: not in the static map\n');
  });
});

describe('stages in words', () => {
  const rows: readonly [Stage, string][] = [
    [{ stage: 'filter', what: 'query', baseDn: 'dc=x', filter: '(uid=a)' }, 'Query: (uid=a) below dc=x\n'],
    [{ stage: 'filter', what: 'query', baseDn: '', filter: '(uid=a)' }, 'Query: (uid=a) below the root\n'],
    [{ stage: 'not-asked', what: 'allowance', why: 'there is no {d}' }, 'Allowance: not sent: there is no {d}\n'],
    [
      {
        stage: 'entries',
        what: 'query',
        answer: yes({ entries: [{ dn: 'uid=a\u001b', attributes: [] }], more: true }),
      },
      'Query: entries found: 1 and more\n    uid=a?\n',
    ],
    [
      { stage: 'entries', what: 'query', answer: unknown('Server unreachable: unable to connect') },
      'Query: Error: Server unreachable: unable to connect\n',
    ],
    [
      { stage: 'filter', what: 'query', rule: 'ski', baseDn: 'dc=x', filter: '(a=b)' },
      'Query (ski): (a=b) below dc=x\n',
    ],
    [
      { stage: 'filter', what: 'query', rule: 'userCertificate', baseDn: 'dc=x', filter: `(a=${'\\30'.repeat(475)})` },
      `Query (userCertificate): (a=${'\\30'.repeat(16)}... (475 octets)) below dc=x\n`,
    ],
    [
      { stage: 'not-asked', what: 'query', rule: 'sid', why: 'there is no {sid}' },
      'Query (sid): not sent: there is no {sid}\n',
    ],
    [
      { stage: 'compared', rule: 'userCertificate', dn: 'cn=a', holds: false },
      'Query (userCertificate): cn=a does not hold this certificate\n',
    ],
    [{ stage: 'compared', dn: 'cn=a', holds: true }, 'Query: cn=a holds this certificate\n'],
    [{ stage: 'user-id', attribute: 'uid', values: [] }, 'User ID (uid): none\n'],
    [{ stage: 'password', method: 'bind', dn: 'uid=a', answer: yes(true) }, 'BIND as uid=a: match positive\n'],
    [{ stage: 'password', method: 'bind', dn: 'uid=a', answer: no('x') }, 'BIND as uid=a: match negative (x)\n'],
    [
      { stage: 'password', method: 'passwordAttribute', dn: 'uid=a', answer: unknown('x') },
      'Password attribute as uid=a: Error: x\n',
    ],
  ];
  for (const [stage, text] of rows) test(text.trim(), () => assert.equal(renderStage(stage), text));
  test('hosts', () => {
    assert.equal(renderHost({ host: 'ldap://a', ok: true, why: 'connected' }), 'Server ldap://a: connected\n');
    assert.equal(renderHost({ host: 'ldap://a', ok: false, why: 'down' }), 'Server ldap://a: Error: down\n');
  });
});

describe('the end', () => {
  const rows: readonly [{ text: string; code: 0 | 1 }, RegExp, 0 | 1][] = [
    [
      concludeCertificate(yes({ user: 'alice', by: 'ldap.queries.card' })),
      /^Success: Action: match positive: the certificate belongs to alice$/m,
      0,
    ],
    [concludeCertificate(no('no entry')), /^Failure: Action: match negative: no entry$/m, 1],
    [concludeCertificate(unknown('down')), /^Error: down$/m, 1],
    [concludeLogin({ kind: 'accepted', allowed: true }, true), /^Success: Action: match positive, allowed/m, 0],
    [concludeLogin({ kind: 'accepted', allowed: true }, false), /^Success: Action: match positive$/m, 0],
    [concludeLogin({ kind: 'accepted', allowed: false }, true), /^Failure: .*not allowed to use SMTP AUTH$/m, 1],
    [concludeLogin({ kind: 'wrong', why: 'no entry' }, true), /^Failure: Action: match negative: no entry$/m, 1],
    [concludeLogin({ kind: 'unavailable', why: 'down' }, true), /^Error: down$/m, 1],
  ];
  for (const [{ text, code }, expected, exit] of rows) {
    test(expected.source, () => {
      assert.match(text, expected);
      assert.equal(code, exit);
    });
  }
});
