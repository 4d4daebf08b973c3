/**
 * The dialogue of `sallyport userconfig`: the list of users, an operation, its questions, and the list again until an
 * empty line. A refusal is said and the list comes again; nothing is half done, because each operation is one change.
 * AsyncOS: userconfig. Effects: the control socket, the terminal.
 */
import { ROLE_MEANING, ROLES, type Role } from '../admin/roles.ts';
import { DIFFERENT, newPassword } from './account-questions.io.ts';
import { type AccountShown, accountsText, certificateLine, listText, passkeyLine, tokenLine } from './accounts-view.ts';
import { refusalText, said, type OnGateway } from './on-gateway.io.ts';
import { choice, line, operation, required, yesNo } from './question.ts';

type Users = readonly AccountShown[];
type Action = {
  readonly name: string;
  readonly does: string;
  /** Needs somebody to do it to. */
  readonly onUser: boolean;
  readonly run: (on: OnGateway, users: Users) => Promise<unknown>;
};

const ROLE_LABELS: Readonly<Record<Role, string>> = {
  administrator: 'Administrators',
  operator: 'Operators',
  'read-only': 'Read-Only Operators',
  'help-desk': 'Help Desk Users',
};

const ACTIONS: readonly Action[] = [
  { name: 'new', does: 'Create a new account.', onUser: false, run: create },
  { name: 'edit', does: 'Modify the full name and the role of an account.', onUser: true, run: edit },
  { name: 'password', does: 'Change the password of an account.', onUser: true, run: changePassword },
  { name: 'status', does: 'Enable, disable or unlock an account.', onUser: true, run: status },
  { name: 'certificate', does: 'Client certificates that sign an account in.', onUser: true, run: certificates },
  { name: 'passkey', does: 'Passkeys that sign an account in.', onUser: true, run: passkeys },
  { name: 'token', does: 'API tokens of an account.', onUser: true, run: tokens },
  { name: 'delete', does: 'Remove an account.', onUser: true, run: remove },
];

export async function userDialogue(on: OnGateway): Promise<number> {
  for (;;) {
    const answer = await on.api.call('GET /api/accounts');
    if (!answer.ok) return said(on, answer, () => '');
    const { accounts } = answer.body;
    on.dialogue.write(`\n${accountsText(accounts)}\n`);
    const chosen = await on.dialogue.ask(operation(ACTIONS.filter(({ onUser }) => !onUser || accounts.length > 0)));
    if (chosen === undefined) return 0;
    await chosen.run(on, accounts);
  }
}

/** The refusal in words; the answer, where it was none. */
type Asked<Body> =
  | { readonly ok: true; readonly body: Body }
  | { readonly ok: false; readonly refusal: Parameters<typeof refusalText>[0] };

function told<Body>({ dialogue }: OnGateway, answer: Asked<Body>, done: (body: Body) => string): void {
  dialogue.write(answer.ok ? `\n${done(answer.body)}` : `\n${refusalText(answer.refusal)}\n`);
}

async function whom({ dialogue }: OnGateway, users: Users, what: string): Promise<AccountShown> {
  const options = users.map((user) => ({ value: user, label: user.name }));
  return dialogue.ask(choice(`Select the user ${what}:`, options, users[0]));
}

const roleQuestion = (name: string, preset: Role) =>
  choice(
    `Assign a role to "${name}":`,
    ROLES.toReversed().map((role) => ({ value: role, label: `${ROLE_LABELS[role]} - ${ROLE_MEANING[role]}` })),
    preset,
  );

async function create(on: OnGateway): Promise<void> {
  const { dialogue } = on;
  const name = await dialogue.ask(line({ text: 'Enter the new username.', read: required }));
  const fullName = await dialogue.ask(line({ text: `Enter the full name for ${name}.` }));
  const role = await dialogue.ask(roleQuestion(name, 'administrator'));
  let password: string | undefined;
  if (await dialogue.ask(yesNo('Shall it have a password? Without one it signs in by certificate only.', true))) {
    password = await newPassword(name, dialogue, true);
    if (password === undefined) {
      dialogue.write(`\n${DIFFERENT}\n`);
      return;
    }
  }
  const body = { name, fullName, role, ...(password === undefined ? {} : { password }) };
  told(on, await on.api.call('POST /api/accounts', { body }), () => `account ${name} made, role ${role}\n`);
}

async function edit(on: OnGateway, users: Users): Promise<void> {
  const { name, fullName: before, role: roleBefore, version } = await whom(on, users, 'to edit');
  const fullName = await on.dialogue.ask(line({ text: `Enter the full name for ${name}.`, preset: before }));
  const role = await on.dialogue.ask(roleQuestion(name, roleBefore));
  const request = { path: { account: name }, body: { fullName, role }, ifMatch: String(version) };
  told(on, await on.api.call('PATCH /api/accounts/{account}', request), () => `account ${name} changed\n`);
}

async function changePassword(on: OnGateway, users: Users): Promise<void> {
  const { name } = await whom(on, users, 'whose password to change');
  const password = await newPassword(name, on.dialogue, true);
  if (password === undefined) {
    on.dialogue.write(`\n${DIFFERENT}\n`);
    return;
  }
  const request = { path: { account: name }, body: { password } };
  const answer = await on.api.call('PUT /api/accounts/{account}/password', request);
  told(on, answer, () => `password of ${name} set; its sessions have ended\n`);
}

async function status(on: OnGateway, users: Users): Promise<void> {
  const { name, enabled, lockedUntilMs } = await whom(on, users, 'to enable, disable or unlock');
  const path = { account: name };
  if (lockedUntilMs !== undefined && (await on.dialogue.ask(yesNo(`${name} is locked. Unlock it?`, true)))) {
    const answer = await on.api.call('POST /api/accounts/{account}/unlock', { path });
    told(on, answer, () => `${name} may try again\n`);
  }
  const wanted = await on.dialogue.ask(
    yesNo(`${name} is ${enabled ? 'enabled' : 'disabled'}. Shall it be enabled?`, enabled),
  );
  if (wanted === enabled) return;
  const answer = await on.api.call('PATCH /api/accounts/{account}', { path, body: { enabled: wanted } });
  told(on, answer, () => `account ${name} ${wanted ? 'enabled' : 'disabled'}\n`);
}

async function certificates(on: OnGateway, users: Users): Promise<void> {
  const path = { account: (await whom(on, users, 'whose certificates to change')).name };
  const known = await on.api.call('GET /api/accounts/{account}/certificates', { path });
  told(on, known, (body) => listText('certificates', body.certificates.map(certificateLine)));
  if (!known.ok) return;
  const what = await on.dialogue.ask(
    operation([
      { name: 'new', does: 'Let a certificate sign this account in.' },
      ...(known.body.certificates.length > 0 ? [{ name: 'delete', does: 'Remove a certificate.' }] : []),
    ]),
  );
  if (what?.name === 'new') {
    const pem = await on.dialogue.lines('Paste the certificate in PEM form. A single "." ends it.');
    const made = await on.api.call('POST /api/accounts/{account}/certificates', { path, body: { pem } });
    told(on, made, (body) => `${certificateLine(body)}\n`);
  }
  if (what?.name !== 'delete') return;
  const options = known.body.certificates.map((each) => ({ value: each.id, label: certificateLine(each) }));
  const id = await on.dialogue.ask(choice('Select the certificate to remove:', options));
  const done = await on.api.call('DELETE /api/accounts/{account}/certificates/{id}', { path: { ...path, id } });
  told(on, done, () => `the certificate signs ${path.account} in no more\n`);
}

async function passkeys(on: OnGateway, users: Users): Promise<void> {
  const path = { account: (await whom(on, users, 'whose passkeys to see')).name };
  const known = await on.api.call('GET /api/accounts/{account}/passkeys', { path });
  told(on, known, (body) => listText('passkeys', body.passkeys.map(passkeyLine)));
  if (!known.ok || known.body.passkeys.length === 0) return;
  if (!(await on.dialogue.ask(yesNo('Remove one?', false)))) return;
  const options = known.body.passkeys.map((each) => ({ value: each.id, label: passkeyLine(each) }));
  const id = await on.dialogue.ask(choice('Select the passkey to remove:', options));
  const done = await on.api.call('DELETE /api/accounts/{account}/passkeys/{id}', { path: { ...path, id } });
  told(on, done, () => `the passkey signs ${path.account} in no more\n`);
}

async function tokens(on: OnGateway, users: Users): Promise<void> {
  const { name: account, role } = await whom(on, users, 'whose tokens to change');
  const path = { account };
  const known = await on.api.call('GET /api/accounts/{account}/tokens', { path });
  told(on, known, (body) => listText('tokens', body.tokens.map(tokenLine)));
  if (!known.ok) return;
  const what = await on.dialogue.ask(
    operation([
      { name: 'new', does: 'Make a token.' },
      ...(known.body.tokens.length > 0 ? [{ name: 'delete', does: 'Remove a token.' }] : []),
    ]),
  );
  if (what?.name === 'new') {
    const name = await on.dialogue.ask(line({ text: 'Enter what the token is for.', read: required }));
    const body = { name, role: await on.dialogue.ask(roleQuestion(name, role)) };
    const made = await on.api.call('POST /api/accounts/{account}/tokens', { path, body });
    told(on, made, ({ token, secret }) => `${secret}\ntoken ${token.id}; the secret is shown this once\n`);
  }
  if (what?.name !== 'delete') return;
  const options = known.body.tokens.map((each) => ({ value: each.id, label: tokenLine(each) }));
  const id = await on.dialogue.ask(choice('Select the token to remove:', options));
  const done = await on.api.call('DELETE /api/accounts/{account}/tokens/{id}', { path: { ...path, id } });
  told(on, done, () => `token ${id} counts no more\n`);
}

async function remove(on: OnGateway, users: Users): Promise<void> {
  const { name } = await whom(on, users, 'to remove');
  if (!(await on.dialogue.ask(yesNo(`Remove ${name} with its sessions, tokens, certificates and passkeys?`, false))))
    return;
  const answer = await on.api.call('DELETE /api/accounts/{account}', { path: { account: name } });
  told(on, answer, () => `account ${name} deleted\n`);
}
