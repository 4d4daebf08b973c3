import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { embeddedDirectory } from './embedded-directory.ts';
import { renderFilter } from './filter.ts';
import { bindTemplate, parseTemplate } from './filter-template.ts';
import { parseLdif } from './ldif.ts';

const LDIF = `
dn: dc=x
objectClass: domain
dc: x

dn: uid=ann,ou=sales,dc=x
objectClass: inetOrgPerson
objectClass: constructor
uid: ann
cn;lang-en: Ann
cn: Anna  Bell
userPassword: secret
uidNumber: 0042
accountExpires: 134398102000000000
manager: uid=bob,dc=x
loginShell: /bin/sh
userAccountControl: 514
note: 100
jpegPhoto:: /9g=

dn: uid=bob,dc=x
objectClass: inetOrgPerson
uid: bob
cn: Bob
cn: Robert
uidNumber: 7
userPassword: {UNKNOWN}x
note: 20
`;
const directory = embeddedDirectory(parseLdif(LDIF).entries, 'x.ldif');

async function uids(text: string): Promise<string[]> {
  const bound = bindTemplate(parseTemplate(text), () => undefined);
  assert.ok(bound.ok, text);
  const { filter } = bound;
  const answer = await directory.search({ baseDn: 'dc=x', filter, attributes: ['uid'], sizeLimit: 10 });
  assert.ok(answer.answer === 'yes', renderFilter(filter));
  return answer.value.entries.flatMap(({ attributes }) => attributes.flatMap(({ values }) => values.map(String)));
}

describe('matching', () => {
  const rows: readonly [title: string, filter: string, expected: readonly string[]][] = [
    ['a password is never found', '(userPassword=secret)', []],
    ['nor by its absence', '(!(userPassword=wrong))', []],
    [
      'nor by presence, substrings, order or a rule',
      '(|(userPassword=*)(userPassword=s*)(userPassword>=a)(userPassword:caseExactMatch:=secret))',
      [],
    ],
    ['integers are compared as integers', '(uidNumber=42)', ['ann']],
    ['and ordered as integers', '(uidNumber>=8)', ['ann']],
    ['numbers of an unknown attribute too', '(note>=100)', ['ann']],
    ['no number has an order to text', '(uidNumber>=x)', []],
    ['file times', '(accountExpires>=134398101999999999)', ['ann']],
    ['names are compared as names', '(manager=UID=Bob, DC=X)', ['ann']],
    ['names have no substrings', '(!(manager=uid*))', []],
    ['some attributes keep their case', '(loginShell=/BIN/SH)', []],
    ['any value of an attribute counts', '(cn=robert)', ['bob']],
    ['an attribute finds its values with options', '(cn=ann)', ['ann']],
    ['with options only those', '(cn;lang-en=anna bell)', []],
    ['a superclass', '(&(objectClass=top)(objectClass=person)(uid=*))', ['ann', 'bob']],
    ['bits, all of them', '(userAccountControl:1.2.840.113556.1.4.803:=514)', ['ann']],
    ['bits, not all of them', '(userAccountControl:1.2.840.113556.1.4.803:=515)', []],
    ['bits, any of them', '(userAccountControl:1.2.840.113556.1.4.804:=515)', ['ann']],
    ['an unknown rule is undefined, and so is its NOT', '(|(uid:1.2.3:=ann)(!(uid:1.2.3:=ann)))', []],
    ['attributes of the name', '(ou:dn:=SALES)', ['ann']],
    ['not without :dn', '(ou=sales)', []],
    ['octets', '(jpegPhoto=\\ff\\d8)', ['ann']],
    ['AND with undefined is not true', '(&(uid=ann)(uid:1.2.3:=x))', []],
    ['OR with undefined may be true', '(|(uid=ann)(uid:1.2.3:=x))', ['ann']],
    ['an attribute that nobody has is absent, not undefined', '(!(caccn=*))', ['ann', 'bob']],
    ['names of JavaScript are no attributes', '(|(constructor=*)(toString=*))', []],
  ];
  for (const [title, filter, expected] of rows)
    test(`${title}: ${filter}`, async () => assert.deepEqual(await uids(filter), [...expected]));
});

test('a password in an unknown form fits nothing, not even itself', async () => {
  for (const password of ['{UNKNOWN}x', 'x']) {
    const answer = await directory.bind('uid=bob,dc=x', password);
    assert.deepEqual(answer, { answer: 'no', why: 'passwords in the form {UNKNOWN} cannot be checked here' });
  }
});
test('after close the answer is unknown', async () => {
  const other = embeddedDirectory([], 'x.ldif');
  other.close();
  assert.equal((await other.bind('uid=bob,dc=x', 'x')).answer, 'unknown');
});
