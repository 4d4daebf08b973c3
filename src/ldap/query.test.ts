import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import type { Directory, Found } from './directory.ts';
import { embeddedDirectory } from './embedded-directory.ts';
import { parseTemplate } from './filter-template.ts';
import { parseLdif } from './ldif.ts';
import { type Login, smtpAuthQuery, type Stage } from './query.ts';

const LDIF = `dn: uid=bob,dc=x
uid: bob
userPassword: bob-secret

dn: cn=Odd,dc=x
cn: Odd
uid:: YQBi
uid:  
uid: odd
`;
const embedded = embeddedDirectory(parseLdif(LDIF).entries, 'x.ldif');

/** The embedded directory of a site whose searches or binds get this answer from now on, counted. */
function failing(instead: { search?: Answer<Found>; bind?: Answer<true> }): Directory & { asked: number } {
  const directory = {
    ...embedded,
    asked: 0,
    search: async (...args: Parameters<Directory['search']>) => {
      directory.asked += 1;
      return instead.search ?? embedded.search(...args);
    },
    bind: async (...args: Parameters<Directory['bind']>) => {
      directory.asked += 1;
      return instead.bind ?? embedded.bind(...args);
    },
  };
  return directory;
}

const login = (directory: Directory, more: Partial<Login> = {}, trace?: (stage: Stage) => void) =>
  smtpAuthQuery(
    {
      directory,
      baseDn: 'dc=x',
      template: parseTemplate('(uid={u})'),
      method: 'bind',
      trace,
      passwordAttribute: 'userPassword',
      allowance: parseTemplate('(&(uid={u})(!(caccn=*)))'),
    },
    { login: 'bob', password: 'bob-secret', nowMs: 0, defaultDomain: undefined, askAllowance: true, ...more },
  );

describe('SMTP AUTH', () => {
  test('what needs no directory does not ask it', async () => {
    const directory = failing({});
    const refused: readonly [Partial<Login>, string][] = [
      [{ password: '' }, 'empty password'],
      [{ login: '' }, 'empty login'],
      [{ login: 'bob\u0000' }, 'NUL in the login or the password'],
      [{ password: 'bob-secret\u0000x' }, 'NUL in the login or the password'],
      [{ login: 'ö'.repeat(501) }, 'the login is too long'],
      [{ password: 'x'.repeat(4097) }, 'the password is too long'],
      [{ login: '  ' }, 'login: there is no {u}'],
    ];
    for (const [more, why] of refused) assert.deepEqual(await login(directory, more), { kind: 'wrong', why });
    assert.equal(directory.asked, 0);
  });
  test('a search without an answer is unavailable', async () => {
    assert.deepEqual(await login(failing({ search: unknown('down') })), { kind: 'unavailable', why: 'down' });
  });
  test('a bind without an answer is unavailable', async () => {
    assert.deepEqual(await login(failing({ bind: unknown('busy') })), { kind: 'unavailable', why: 'busy' });
  });
  test('an allowance without an answer is unavailable', async () => {
    let searches = 0;
    const directory: Directory = {
      ...embedded,
      search: async (search) => (++searches === 2 ? unknown('down') : embedded.search(search)),
    };
    assert.deepEqual(await login(directory), { kind: 'unavailable', why: 'down' });
    assert.equal(searches, 2);
  });
  test('the allowance is asked after a good password only', async () => {
    const directory = failing({ bind: no('invalidCredentials') });
    assert.equal((await login(directory)).kind, 'wrong');
    assert.equal(directory.asked, 2);
  });
  test('without need the allowance is not asked', async () => {
    const directory = failing({});
    assert.deepEqual(await login(directory, { askAllowance: false }), { kind: 'accepted', allowed: true });
    assert.equal(directory.asked, 2);
  });
  test('one entry of more than one is several', async () => {
    const entries = [{ dn: 'uid=bob,dc=x', attributes: [] }];
    assert.deepEqual(await login(failing({ search: yes({ entries, more: true }) })), {
      kind: 'wrong',
      why: 'several entries',
    });
  });
  test('every stage is traced, and no password in it', async () => {
    const stages: Stage[] = [];
    await login(embedded, {}, (stage) => stages.push(stage));
    assert.deepEqual(
      stages.map(({ stage }) => stage),
      ['filter', 'entries', 'password', 'filter', 'entries'],
    );
    assert.ok(!JSON.stringify(stages).includes('secret'));
  });
});
