/** Administrators at the command line: with flags, with --json, and asked in the dialogue of AsyncOS. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ApiSite, PASSWORD } from '../support/api-site.ts';
import { Authenticator } from '../support/authenticator.ts';
import { onTerminal, piped } from '../support/command-line.ts';
import { temporaryFolder } from '../support/gateway.ts';

let api: ApiSite;
let data: string[];
before(async () => {
  api = await ApiSite.open({ clientCertificate: { trust: ['cac'] } });
  data = ['--data', api.gateway.data];
});

let made = 0;
const fresh = (): string => `user-${++made}`;
const command = (name: string, args: readonly string[], ...answers: readonly string[]) =>
  piped([name, ...args, ...data], ...answers);
const userconfig = (args: readonly string[], ...answers: readonly string[]) => command('userconfig', args, ...answers);

async function good(name: string, args: readonly string[], ...answers: readonly string[]): Promise<string> {
  const { code, stdout, output } = await command(name, args, ...answers);
  assert.equal(code, 0, output);
  return stdout;
}

const json = async (name: string, args: readonly string[], ...answers: readonly string[]) =>
  JSON.parse(await good(name, [...args, '--json'], ...answers)) as Record<string, unknown>;

const login = (account: string, password: string) => api.tls('POST /api/login', { body: { account, password } });

async function newUser(role = 'operator'): Promise<string> {
  const name = fresh();
  await good('useradd', [name, '--role', role], PASSWORD);
  return name;
}

describe('useradd', () => {
  test('makes the account of an administrator with the password from standard input, which no output repeats', async () => {
    const name = fresh();
    const { code, stdout, output } = await command('useradd', [name, '--role', 'administrator'], PASSWORD);
    assert.deepEqual([code, stdout], [0, `account ${name} made, role administrator\n`]);
    assert.ok(!output.includes(PASSWORD));
    assert.equal((await login(name, PASSWORD)).status, 200);
    const { body } = await api.good('GET /api/accounts/{account}', { path: { account: name } });
    assert.match(String(body['createdBy']), /^cli:\w+$/);
  });

  test('with --no-password makes one that signs in by certificate only', async () => {
    const name = fresh();
    await good('useradd', [name, '--role', 'help-desk', '--full-name', 'Card Holder', '--no-password']);
    assert.match(await good('userconfig', ['show', name]), /^user-\d+ - "Card Holder" \(help-desk\), no password\n/);
  });

  test('says what is wrong: usage with 2, a refusal with 1', async () => {
    for (const args of [[], ['a'], ['a', '--role', 'root'], ['a', 'b', '--role', 'operator'], ['a', '--nonsense']]) {
      const { code, stdout } = await command('useradd', args);
      assert.equal(code, 2, stdout);
      assert.match(stdout, /^usage: sallyport useradd NAME --role help-desk\|read-only\|operator\|administrator/);
    }
    const name = await newUser();
    const cases: [string[], string, RegExp][] = [
      [[name, '--role', 'operator'], PASSWORD, /^sallyport: there is an account user-\d+ already\n$/],
      [[fresh(), '--role', 'operator'], 'short', /^sallyport: a password has at least 12 characters\n$/],
      [['Not A Name', '--role', 'operator'], PASSWORD, /^sallyport: the body is wrong: name: a name has 1 to 32/],
    ];
    for (const [args, password, why] of cases) {
      const { code, stdout } = await command('useradd', args, password);
      assert.equal(code, 1, stdout);
      assert.match(stdout, why);
    }
  });

  test('without standard input, or without a gateway, changes nothing and says so', async () => {
    const none = await command('useradd', [fresh(), '--role', 'operator']);
    assert.deepEqual([none.code, /the input ended/.test(none.stdout)], [1, true], none.output);
    const folder = temporaryFolder();
    const nobody = await piped(['useradd', 'a', '--role', 'operator', '--no-password', '--data', folder]);
    assert.deepEqual([nobody.code, nobody.stdout], [1, `sallyport: no gateway is running on ${folder}\n`]);
  });

  test('at a terminal asks twice and shows neither answer', async () => {
    const name = fresh();
    const session = onTerminal('useradd', name, '--role', 'operator', ...data);
    await session.shows(/Enter the new password for user-\d+\.\r?\n> $/);
    session.write(`${PASSWORD}\r`);
    await session.shows(/Enter it again\.\r?\n> $/);
    session.write(`${PASSWORD}x\r`);
    await session.shows(/the two are not the same: nothing was changed/);
    assert.equal(await session.finished(), 1);
    assert.ok(!session.output.includes(PASSWORD), session.output);
    assert.equal((await login(name, PASSWORD)).status, 401);
  });
});

describe('userconfig', () => {
  test('list, show, edit, disable, enable and delete do what they say, also as JSON', async () => {
    const name = await newUser();
    assert.match(
      await good('userconfig', ['list']),
      new RegExp(`^Users:\\n1\\. .*\\d+\\. ${name} - "" \\(operator\\)\\n`, 's'),
    );
    const edited = await json('userconfig', ['edit', name, '--role', 'read-only', '--full-name', 'New Name']);
    assert.deepEqual([edited['role'], edited['fullName']], ['read-only', 'New Name']);
    assert.match(await good('userconfig', ['disable', name]), /\(read-only\), disabled\n/);
    assert.equal((await login(name, PASSWORD)).status, 401);
    assert.equal((await json('userconfig', ['enable', name]))['enabled'], true);
    assert.equal((await login(name, PASSWORD)).status, 200);
    assert.match(await good('userconfig', ['show', name]), /\n {2}last login \d{4}-\d\d-\d\d \d\d:\d\d UTC\n$/);
    const { accounts } = (await json('userconfig', ['list'])) as { accounts: { name: string }[] };
    assert.ok(accounts.some((account) => account.name === name));
    assert.equal(await good('userconfig', ['delete', name]), `account ${name} deleted\n`);
    const gone = await userconfig(['show', name, '--json']);
    assert.equal(gone.code, 1);
    const { refusal } = JSON.parse(gone.stdout) as { refusal: { kind: string; detail: string } };
    assert.deepEqual([refusal.kind, refusal.detail], ['not-found', 'there is no such account']);
  });

  test('password and passwd set another one and end the sessions', async () => {
    const name = await newUser();
    const cookie = await api.login(name);
    await good('userconfig', ['password', name], 'a new battery horse');
    assert.equal((await api.tls('GET /api/session', { cookie })).status, 401);
    assert.equal((await login(name, 'a new battery horse')).status, 200);
    assert.match(await good('passwd', [name], PASSWORD), /^password of user-\d+ set; its sessions have ended\n$/);
    assert.equal((await login(name, PASSWORD)).status, 200);
    const asked = await command('passwd', [], name, 'one more battery horse');
    assert.equal(asked.code, 0, asked.output);
    assert.match(asked.stdout, /^Select the user whose password to change:\n1\. /);
    assert.equal((await login(name, 'one more battery horse')).status, 200);
  });

  test('unlock lets an account try again', async () => {
    const name = await newUser();
    for (let i = 0; i < 5; i++)
      await api.tls('POST /api/login', { from: '127.5.0.1', body: { account: name, password: 'wrong' } });
    assert.match(await good('userconfig', ['show', name]), /, locked until \d{4}/);
    assert.equal(await good('userconfig', ['unlock', name]), 'unlocked\n');
    assert.equal(await good('userconfig', ['unlock', name]), 'it was not locked\n');
    assert.equal((await login(name, PASSWORD)).status, 200);
  });

  test('bind lets a certificate sign an account in, unbind no more', async () => {
    const name = await newUser();
    const card = api.site.pki.issue({ subject: '/O=Example/CN=COMMAND.LINE.C.1', serial: '6001' });
    const bound = await json('userconfig', ['bind', name, card.certFile]);
    assert.equal(bound['subject'], 'CN=COMMAND.LINE.C.1,O=Example');
    assert.equal((await api.tls('POST /api/login/certificate', { certificate: card })).status, 200);
    assert.match(
      await good('userconfig', ['certificates', name]),
      /^[0-9a-f]{24} CN=COMMAND\.LINE\.C\.1,O=Example, issued by /,
    );
    await good('userconfig', ['unbind', name, String(bound['id'])]);
    assert.equal((await api.tls('POST /api/login/certificate', { certificate: card })).status, 401);
    assert.equal(await good('userconfig', ['certificates', name]), 'no certificates\n');
    const missing = await userconfig(['bind', name, '/nowhere/card.pem']);
    assert.equal(missing.code, 1);
    assert.match(missing.stdout, /^sallyport: cannot read \/nowhere\/card\.pem: ENOENT/);
    assert.match(
      (await userconfig(['bind', name, '/etc/passwd'])).stdout,
      /^sallyport: there is no certificate in this text\n$/,
    );
  });

  test('passkeys lists them, delete-passkey removes one', async () => {
    const name = await newUser();
    const cookie = await api.login(name);
    const { body: options } = await api.tls('POST /api/session/passkeys/options', { cookie });
    const response = new Authenticator(api.origin).create(options);
    await api.tls('POST /api/session/passkeys', { cookie, body: { name: 'laptop', response } });
    const listed = await good('userconfig', ['passkeys', name]);
    assert.match(listed, /^[\w-]{43} "laptop", registered .* UTC, never used\n$/);
    await good('userconfig', ['delete-passkey', name, listed.split(' ')[0] ?? '']);
    assert.equal(await good('userconfig', ['passkeys', name]), 'no passkeys\n');
  });

  test('an operation that it does not have is wrong usage, and it lists those that it has', async () => {
    for (const args of [['nonsense'], ['show'], ['show', 'a', 'b'], ['edit', 'a', '--role', 'root']]) {
      const { code, stdout } = await userconfig(args);
      assert.equal(code, 2, stdout);
      assert.match(stdout, /^usage: sallyport userconfig/);
    }
    assert.match((await userconfig(['nonsense'])).stdout, /\n {2}userconfig bind NAME CERTIFICATE-FILE\n/);
  });

  test('the last administrator that is enabled can be neither disabled nor deleted', async () => {
    const { accounts } = (await json('userconfig', ['list'])) as { accounts: { name: string; role: string }[] };
    const [last = '', ...others] = accounts.filter(({ role }) => role === 'administrator').map(({ name }) => name);
    for (const other of others) await good('userconfig', ['delete', other]);
    for (const operation of ['disable', 'delete']) {
      const { code, stdout } = await userconfig([operation, last]);
      assert.deepEqual([code, /last administrator that is enabled: make another one first/.test(stdout)], [1, true]);
    }
  });
});

describe('the dialogue of userconfig', () => {
  test('makes, changes and removes an account, as on an AsyncOS machine', async () => {
    const name = fresh();
    const { code, stdout, output } = await userconfig(
      [],
      ...['new', name, 'Dialogue User', '4', 'y', PASSWORD, PASSWORD],
      ...['edit', name, '', '2'],
      ...['status', name, 'n'],
      ...['delete', name, 'y'],
      '',
    );
    assert.equal(code, 0, output);
    assert.ok(!output.includes(PASSWORD));
    for (const expected of [
      /Choose the operation you want to perform:\n- NEW - Create a new account\.\n- EDIT - /,
      /Enter the new username\.\n\[\]> user-\d+\n/,
      /Assign a role to "user-\d+":\n1\. Administrators - .*\n2\. Operators - .*\n3\. Read-Only Operators - .*\n4\. Help Desk Users - .*\n\[1\]> 4\n/,
      /account user-\d+ made, role help-desk\n/,
      /Enter the full name for user-\d+\.\n\[Dialogue User\]> \n/,
      /user-\d+ - "Dialogue User" \(operator\)\n/,
      /user-\d+ is enabled\. Shall it be enabled\?\n\[Y\]> n\n/,
      /account user-\d+ disabled\n/,
      /account user-\d+ deleted\n/,
    ])
      assert.match(stdout, expected);
  });

  test('binds a certificate that is pasted, makes a token and removes both', async () => {
    const name = await newUser();
    const { cert } = api.site.pki.issue({ subject: '/O=Example/CN=PASTED.P.1', serial: '6002' });
    const { code, stdout, output } = await userconfig(
      [],
      ...['certificate', name, 'new', ...cert.trimEnd().split('\n'), '.'],
      ...['certificate', name, 'delete', '1'],
      ...['token', name, 'new', 'backup', '4'],
      ...['token', name, 'delete', '1'],
      '',
    );
    assert.equal(code, 0, output);
    assert.match(stdout, /no certificates\n/);
    assert.match(stdout, /CN=PASTED\.P\.1,O=Example, issued by/);
    assert.match(stdout, /the certificate signs user-\d+ in no more\n/);
    assert.match(stdout, /sallyport_[0-9a-f]{24}_[\w-]{43}\ntoken [0-9a-f]{24}; the secret is shown this once\n/);
    assert.match(stdout, /token [0-9a-f]{24} counts no more\n/);
  });

  test('a refusal is said and the list comes again; an input that ends changes nothing more', async () => {
    const name = await newUser();
    const { code, stdout } = await userconfig(
      [],
      'new',
      name,
      '',
      '1',
      'n',
      'password',
      name,
      'one',
      'two',
      'nonsense',
    );
    assert.equal(code, 1);
    assert.match(stdout, /there is an account user-\d+ already\n\nUsers:\n/);
    assert.match(stdout, /the two are not the same: nothing was changed\n/);
    assert.match(stdout, /"nonsense" is no operation\. Enter one of NEW, EDIT, PASSWORD,/);
    assert.match(stdout, /the input ended before the last question/);
    assert.equal((await login(name, PASSWORD)).status, 200);
  });
});

describe('tokens', () => {
  test('new prints the secret once, list shows whose it is and how it was used, delete ends it', async () => {
    const name = await newUser();
    const text = await good('tokens', ['new', name, '--for', 'backup', '--role', 'read-only', '--days', '3']);
    const [token = '', said = ''] = text.split('\n');
    assert.match(
      said,
      /^token [0-9a-f]{24} of user-\d+, role read-only, expires \d{4}.*; the secret is shown this once$/,
    );
    const session = await api.tls('GET /api/session', { token });
    assert.deepEqual([session.body['account'], session.body['role']], [name, 'read-only']);
    const listed = await good('tokens', ['list', name]);
    assert.match(
      listed,
      /^[0-9a-f]{24} user-\d+ "backup" \(read-only\), expires .*, last used .* from 127\.0\.0\.1\n$/,
    );
    assert.ok((await good('tokens', ['list'])).includes(listed));
    assert.ok(!listed.includes(token.slice(-43)));
    await good('tokens', ['delete', name, listed.split(' ')[0] ?? '']);
    assert.equal((await api.tls('GET /api/session', { token })).status, 401);
    assert.deepEqual(await json('tokens', ['list', name]), { tokens: [] });
  });

  test('as JSON are what the API answers; wrong usage is 2', async () => {
    const name = await newUser();
    const made = await json('tokens', ['new', name, '--for', 'script']);
    assert.match(String(made['secret']), /^sallyport_/);
    for (const args of [[], ['nonsense'], ['new', name], ['new', name, '--for', 'x', '--days', '0'], ['delete', name]])
      assert.equal((await command('tokens', args)).code, 2, args.join(' '));
    assert.equal((await command('tokens', ['list', 'nobody'])).stdout, 'sallyport: there is no such account\n');
  });
});

test('what is done at the command line is in the audit record under the name of the local account', async () => {
  const name = await newUser();
  const { body } = await api.good('GET /api/audit', { query: 'action=createAccount&limit=1' });
  const [entry] = body['entries'] as Record<string, unknown>[];
  assert.deepEqual([entry?.['how'], entry?.['address'], entry?.['outcome']], ['local', 'local', 'done']);
  assert.deepEqual(entry?.['facts'], { name, role: 'operator', fullName: '' });
  assert.match(String(entry?.['actor']), /^cli:/);
});

test('in the shell they know where the gateway is, and the dialogue goes back to its prompt', async () => {
  const name = await newUser();
  const { code, stdout, output } = await piped(
    ['shell', ...data],
    ...[`userconfig show ${name}`, 'tokens list', `passwd ${name}`, 'a battery of the shell'],
    ...['userconfig', '', 'quit'],
  );
  assert.equal(code, 0, output);
  assert.match(stdout, new RegExp(`> userconfig show ${name}\n${name} - "" \\(operator\\)\n`));
  assert.match(stdout, /Choose the operation you want to perform:\n- NEW - [\s\S]*\[\]> \n\S+> quit\n$/);
});
