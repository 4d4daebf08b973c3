import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LdapQueryConfig } from '../config/schema.ts';
import { no, unknown, yes } from '../core/verdict.ts';
import type { Stage } from '../ldap/query.ts';
import { chooseQuery, concludeCertificate, concludeLogin, renderHost, renderStage } from './ldaptest.ts';

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
    [concludeCertificate(yes('alice')), /^Success: Action: match positive: the certificate belongs to alice$/m, 0],
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
