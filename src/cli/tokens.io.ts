/**
 * `sallyport tokens`: API tokens of accounts, over the control socket of the running gateway. The secret of a new one is
 * printed once; nobody can show it again. Effects: the control socket.
 */
import { ROLES } from '../admin/roles.ts';
import { roleOf } from './account-questions.io.ts';
import { listText, timeText, tokenLine, type TokenShown } from './accounts-view.ts';
import { type Arguments, UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { runOperation, said, type GatewayOperation, type OnGateway } from './on-gateway.io.ts';

const MAX_DAYS = 730;

/** Of one account, or of every one. */
async function list(on: OnGateway, { rest: [account] }: Arguments): Promise<number> {
  const known = account === undefined ? await on.api.call('GET /api/accounts') : undefined;
  if (known !== undefined && !known.ok) return said(on, known, () => '');
  const names = account === undefined ? (known?.body.accounts ?? []).map(({ name }) => name) : [account];
  const tokens: TokenShown[] = [];
  for (const name of names) {
    const answer = await on.api.call('GET /api/accounts/{account}/tokens', { path: { account: name } });
    if (!answer.ok) return said(on, answer, () => '');
    tokens.push(...answer.body.tokens);
  }
  return said(on, { ok: true, body: { tokens }, etag: undefined }, () => listText('tokens', tokens.map(tokenLine)));
}

async function make(on: OnGateway, { rest: [account = ''], options }: Arguments): Promise<number> {
  const { role, days, for: name } = options;
  if (name === undefined) throw new UsageError('--for says what the token is for');
  const expiresInDays = days === undefined ? undefined : Number(days);
  if (
    expiresInDays !== undefined &&
    !(Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= MAX_DAYS)
  )
    throw new UsageError(`--days is a number from 1 to ${MAX_DAYS}`);
  const answer = await on.api.call('POST /api/accounts/{account}/tokens', {
    path: { account },
    body: {
      name,
      ...(role === undefined ? {} : { role: roleOf(role) }),
      ...(expiresInDays === undefined ? {} : { expiresInDays }),
    },
  });
  return said(
    on,
    answer,
    ({ token, secret }) =>
      `${secret}\ntoken ${token.id} of ${account}, role ${token.role}, expires ${timeText(token.expiresMs)}; the secret is shown this once\n`,
  );
}

async function remove(on: OnGateway, { rest: [account = '', id = ''] }: Arguments): Promise<number> {
  const answer = await on.api.call('DELETE /api/accounts/{account}/tokens/{id}', { path: { account, id } });
  return said(on, answer, () => `token ${id} of ${account} counts no more\n`);
}

const OPERATIONS: Readonly<Record<string, GatewayOperation>> = {
  list: { usage: 'tokens list [ACCOUNT]', least: 0, most: 1, run: list },
  new: {
    usage: `tokens new ACCOUNT --for TEXT [--role ${ROLES.join('|')}] [--days N]`,
    least: 1,
    options: ['for', 'role', 'days'],
    run: make,
  },
  delete: { usage: 'tokens delete ACCOUNT TOKEN-ID', least: 2, run: remove },
};

export function tokens(
  [name = '', ...rest]: readonly string[],
  write: Write,
  context: CommandContext,
): Promise<number> {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation !== undefined) return runOperation(operation, rest, write, context);
  write(
    `usage:\n${Object.values(OPERATIONS)
      .map(({ usage }) => `  sallyport ${usage} [--data DIR] [--json]\n`)
      .join('')}`,
  );
  return Promise.resolve(2);
}
