/**
 * The Directory port: one suite over the embedded directory and a real slapd with the same entries. What the queries
 * may rely on is what both do.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { certificateQuery, ruleFilters } from '../../src/ldap/certificate-query.ts';
import type { Directory, Found } from '../../src/ldap/directory.ts';
import { bindTemplate, parseTemplate } from '../../src/ldap/filter-template.ts';
import { type Login, smtpAuthQuery } from '../../src/ldap/query.ts';
import { loginTokens, withTime } from '../../src/ldap/tokens.ts';
import { RECIPE_LDIF, Slapd } from '../support/slapd.ts';
import { BASE_DN, open } from './directory-server.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 1, 30);
const ALLOWANCE = parseTemplate('(&(uid={u})(|(! (caccn=*)) (cacexempt=*) (cacemergency>={t})))');
const HASHED = `
dn: uid=grace,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: grace
cn: Grace  (the) *Great*
sn: Groß
mail: grace@example.test
userPassword: {SSHA}4q0DN6J/9Nzdig9OIsNzdvtuDYFzYWx0c2FsdA==

dn: cn=Two Names,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: two
uid: names
cn: Two Names
sn: Names
description: back\\slash and (paren)

dn: cn=No Name,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
cn: No Name
sn: Name
`;
const LDIF = `${RECIPE_LDIF}\n${HASHED}`;

const ADAPTERS: readonly (readonly [string, () => Promise<Directory>])[] = [
  ['embedded', async () => open({ ldif: 'directory.ldif' }, { ldif: LDIF }).directory],
  ['slapd', async () => open({ hosts: [(await Slapd.start({ ldif: LDIF })).url] }).directory],
];

for (const [name, start] of ADAPTERS) describe(`the ${name} directory`, () => suite(start));

type Started = () => Directory;

function suite(start: () => Promise<Directory>): void {
  let directory: Directory | undefined;
  before(async () => {
    directory = await start();
  });
  const started: Started = () => {
    assert.ok(directory !== undefined);
    return directory;
  };
  searches(started);
  binds(started);
  queries(started);
}

function searches(started: Started): void {
  const search = async (
    filter: string,
    login = '',
    more: { baseDn?: string; sizeLimit?: number } = {},
  ): Promise<Found> => {
    const bound = bindTemplate(parseTemplate(filter), withTime(loginTokens(login, 'example.test'), NOW_MS));
    assert.ok(bound.ok);
    const { baseDn = BASE_DN, sizeLimit = 20 } = more;
    const answer = await started().search({ baseDn, filter: bound.filter, attributes: ['uid'], sizeLimit });
    assert.equal(answer.answer, 'yes', JSON.stringify(answer));
    return answer.answer === 'yes' ? answer.value : { entries: [], more: false };
  };
  const uids = async (...args: Parameters<typeof search>): Promise<string[]> =>
    (await search(...args)).entries
      .flatMap(({ attributes }) => attributes.flatMap(({ values }) => values.map(String)))
      .sort();

  const rows: readonly [title: string, filter: string, expected: readonly string[]][] = [
    ['equality ignores case and doubled blanks', '(cn= alice   ADAMS )', ['alice']],
    ['the vendor’s other spelling of a name works', '(surname=adams)', ['alice']],
    ['presence', '(cacexempt=*)', ['carol']],
    ['substrings at both ends and within', '(caccn=DAVIS*.D.*4)', ['dave']],
    ['a substring must not overlap its neighbour', '(uid=bo*ob)', []],
    ['times are ordered as times', '(cacemergency>={t})', ['dave']],
    ['and the other way', '(cacemergency<={t})', ['erin']],
    ['not of absent is true', '(&(objectClass=cacUser)(!(caccn=*)))', ['bob']],
    ['not of undefined stays undefined', '(&(uid=bob)(!(cacemergency>=never)))', []],
    ['a superclass finds its subclasses', '(&(objectClass=person)(uid=bob))', ['bob']],
    ['a matching rule with case', '(cn:caseExactMatch:=Bob Brown)', ['bob']],
    ['a matching rule with case, another case', '(cn:caseExactMatch:=bob brown)', []],
    ['escaped octets', '(cn=grace \\28the\\29 \\2agreat\\2a)', ['grace']],
    ['text beyond ASCII', '(sn=gro\\c3\\9f)', ['grace']],
    ['octets that are no text match no text', '(sn=gro\\df)', []],
    ['a boolean', '(cacexempt=TRUE)', ['carol']],
    ['and without operands is true', '(&(uid=bob)(&))', ['bob']],
    ['or without operands is false', '(&(uid=bob)(|))', []],
  ];
  for (const [title, filter, expected] of rows) {
    test(`${title}: ${filter}`, async () => assert.deepEqual(await uids(filter), [...expected]));
  }

  test('values that look like filters are values', async () => {
    for (const login of ['*', 'b*', 'bob)(uid=*', '*)(objectClass=*', 'bob\\2a', '(bob)', '\\', 'bob)(|(uid=*']) {
      assert.deepEqual(await uids('(uid={u})', login), [], login);
    }
    assert.deepEqual(await uids('(cn={u})', 'Grace (the) *Great*'), ['grace']);
    assert.deepEqual(await uids('(cn=*{u}*)', '*Great*'), ['grace']);
    assert.deepEqual(await uids('(description=*{u}*)', 'back\\slash and (paren)'), ['names', 'two']);
  });

  test('more entries than the limit are said to be more', async () => {
    const found = await search('(objectClass=cacUser)', '', { sizeLimit: 2 });
    assert.equal(found.entries.length, 2);
    assert.equal(found.more, true);
    assert.equal((await search('(uid=bob)', '', { sizeLimit: 1 })).more, false);
  });
  test('a search looks at its base and below only', async () => {
    assert.deepEqual(await uids('(uid=bob)', '', { baseDn: 'OU=People, DC=example, DC=test' }), ['bob']);
    assert.deepEqual(await uids('(uid=bob)', '', { baseDn: 'uid=alice,ou=people,dc=example,dc=test' }), []);
  });
  test('a base that does not exist holds nobody', async () => {
    assert.deepEqual(await uids('(uid=bob)', '', { baseDn: 'ou=nowhere,dc=example,dc=test' }), []);
  });
  test('a base that is no name is no answer', async () => {
    const filter = { kind: 'present', attribute: 'uid' } as const;
    const answer = await started().search({ baseDn: 'nonsense', filter, attributes: ['uid'], sizeLimit: 2 });
    assert.equal(answer.answer, 'unknown');
  });
  test('without wanted attributes only the name comes', async () => {
    const filter = { kind: 'equal', attribute: 'uid', value: 'bob' } as const;
    const answer = await started().search({ baseDn: BASE_DN, filter, attributes: ['1.1'], sizeLimit: 2 });
    assert.deepEqual(answer, {
      answer: 'yes',
      value: { entries: [{ dn: 'uid=bob,ou=people,dc=example,dc=test', attributes: [] }], more: false },
    });
  });
}

function binds(started: Started): void {
  test('a bind with the right password is yes, whatever way it is stored', async () => {
    assert.equal((await started().bind('uid=bob,ou=people,dc=example,dc=test', 'bob-secret')).answer, 'yes');
    assert.equal((await started().bind('uid=grace,ou=people,dc=example,dc=test', 'grace-secret')).answer, 'yes');
  });
  test('a bind with a wrong, empty or foreign password is no', async () => {
    for (const password of ['wrong', '', 'alice-secret', '{SSHA}4q0DN6J/9Nzdig9OIsNzdvtuDYFzYWx0c2FsdA==']) {
      assert.equal((await started().bind('uid=bob,ou=people,dc=example,dc=test', password)).answer, 'no', password);
    }
    const stored = '{SSHA}4q0DN6J/9Nzdig9OIsNzdvtuDYFzYWx0c2FsdA==';
    assert.equal((await started().bind('uid=grace,ou=people,dc=example,dc=test', stored)).answer, 'no');
  });
  test('a bind as nobody, as an unknown name or as an entry without password is no', async () => {
    for (const dn of ['', 'uid=nobody,ou=people,dc=example,dc=test', 'cn=No Name,ou=people,dc=example,dc=test']) {
      assert.equal((await started().bind(dn, 'secret')).answer, 'no', dn);
    }
  });
  test('the test of the hosts succeeds', async () => {
    assert.deepEqual(
      (await started().test()).map(({ ok }) => ok),
      [true],
    );
  });
}

function queries(started: Started): void {
  const smtpAuth = (login: Partial<Login>, filter = '(uid={u})', method: 'bind' | 'passwordAttribute' = 'bind') =>
    smtpAuthQuery(
      {
        directory: started(),
        baseDn: BASE_DN,
        template: parseTemplate(filter),
        method,
        passwordAttribute: 'userPassword',
        allowance: ALLOWANCE,
      },
      { login: 'bob', password: 'bob-secret', nowMs: NOW_MS, defaultDomain: undefined, askAllowance: true, ...login },
    );
  const people: readonly [string, boolean][] = [
    ['alice', false],
    ['bob', true],
    ['carol', true],
    ['dave', true],
    ['erin', false],
  ];
  for (const [who, allowed] of people) {
    test(`the allowance of the recipes for ${who}: ${allowed}`, async () => {
      assert.deepEqual(await smtpAuth({ login: who, password: `${who}-secret` }), { kind: 'accepted', allowed });
    });
  }
  test('a permission ends at its second', async () => {
    const at = (ms: number) => smtpAuth({ login: 'dave', password: 'dave-secret', nowMs: ms });
    assert.deepEqual(await at(Date.UTC(2099, 11, 31, 23, 59, 59)), { kind: 'accepted', allowed: true });
    assert.deepEqual(await at(Date.UTC(2100, 0, 1)), { kind: 'accepted', allowed: false });
  });
  test('several entries, none, and a wrong password are wrong', async () => {
    assert.equal((await smtpAuth({}, '(|(uid={u})(uid=alice))')).kind, 'wrong');
    assert.equal((await smtpAuth({ login: 'nobody' })).kind, 'wrong');
    assert.equal((await smtpAuth({ password: 'wrong' })).kind, 'wrong');
  });
  test('a login is found by its address', async () => {
    assert.equal((await smtpAuth({ login: 'bob@example.test' }, '(mail={a})')).kind, 'accepted');
    assert.equal((await smtpAuth({ login: 'bob', defaultDomain: 'example.test' }, '(mail={a})')).kind, 'accepted');
    assert.equal((await smtpAuth({ login: 'bob' }, '(mail={a})')).kind, 'wrong');
  });
  test('a password is compared with an attribute, hashed or not', async () => {
    const compare = (login: Partial<Login>) =>
      smtpAuth({ askAllowance: false, ...login }, '(uid={u})', 'passwordAttribute');
    assert.equal((await compare({})).kind, 'accepted');
    assert.equal((await compare({ password: 'wrong' })).kind, 'wrong');
    assert.equal((await compare({ login: 'grace', password: 'grace-secret' })).kind, 'accepted');
    assert.equal((await compare({ login: 'grace', password: 'x' })).kind, 'wrong');
  });

  const owner = async (fields: Record<string, readonly string[]>, filter = '(&(caccn={cn})(cacserial={sn}))') => {
    const query = {
      directory: started(),
      baseDn: BASE_DN,
      userIdAttribute: 'uid',
      template: parseTemplate(filter),
      rules: ['filter'] as const,
      condition: undefined,
      compareCertificate: false,
    };
    const subject = { token: (token: string) => fields[token], der: Buffer.from('certificate') };
    return certificateQuery(query, ruleFilters(query, subject, NOW_MS), subject.der);
  };
  test('a certificate belongs to the one entry that has its name and number', async () => {
    assert.deepEqual(await owner({ cn: ['ADAMS.ALICE.A.1000000001'], sn: ['1001'] }), {
      answer: 'yes',
      value: { user: 'alice', dn: 'uid=alice,ou=people,dc=example,dc=test', rules: ['filter'] },
    });
    assert.equal((await owner({ cn: ['ADAMS.ALICE.A.1000000001'], sn: ['1002'] })).answer, 'no');
    assert.equal((await owner({ cn: ['*'], sn: ['*'] })).answer, 'no');
  });
  test('a certificate field with several values matches by any of them', async () => {
    assert.equal((await owner({ email: ['x@example.test', 'bob@example.test'] }, '(mail={email})')).answer, 'yes');
    assert.equal((await owner({ email: ['alice@example.test', 'bob@example.test'] }, '(mail={email})')).answer, 'no');
  });
  test('an entry without the user id counts as none, one with several as several', async () => {
    assert.deepEqual(await owner({ cn: ['No Name'] }, '(cn={cn})'), { answer: 'no', why: 'the entry has no uid' });
    assert.deepEqual(await owner({ cn: ['Two Names'] }, '(cn={cn})'), { answer: 'no', why: 'several values of uid' });
  });
}
