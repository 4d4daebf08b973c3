/** Accounts, sessions and the audit record on a real database. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import type { MailEvent } from '../log/mail-event.ts';
import { Accounts } from './accounts.io.ts';
import { AccountsDatabase } from './accounts-database.io.ts';
import { AuditRecord } from './audit.io.ts';
import { Sessions } from './sessions.io.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-accounts-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function open() {
  const file = join(folder, `${++files}.db`);
  const database = AccountsDatabase.open(file);
  const clock = { nowMs: 1_800_000_000_000, now: () => clock.nowMs };
  const events: MailEvent[] = [];
  const accounts = new Accounts(database, clock);
  const create = (name: string, role: 'administrator' | 'operator' = 'operator') =>
    accounts.create({ name, fullName: '', role, passwordHash: undefined, createdBy: 'cli:root' });
  return {
    file,
    database,
    clock,
    events,
    accounts,
    create,
    sessions: new Sessions(database, clock),
    audit: new AuditRecord(database, clock, { emit: (event) => void events.push(event) }),
  };
}

const TIMES = { sessionIdle: 60_000, sessionLifetime: 300_000 };
const FROM = { address: '192.0.2.1', chain: undefined };
const FACTS = {
  actor: 'alice',
  how: 'password',
  address: '192.0.2.1',
  action: 'commit',
  target: '',
  facts: {},
} as const;

test('the database is for nobody else’s eyes', () => {
  assert.equal(statSync(open().file).mode & 0o777, 0o600);
});

test('a session ends when nobody used it for a while, and at its age however much it is used', () => {
  const { accounts: _, create, sessions, clock } = open();
  create('alice');
  const idle = sessions.begin('alice', 'password', FROM).secret;
  clock.nowMs += 60_000;
  assert.equal(sessions.find(idle, TIMES)?.account, 'alice');
  clock.nowMs += 60_001;
  assert.equal(sessions.find(idle, TIMES), undefined);
  const busy = sessions.begin('alice', 'password', FROM).secret;
  for (let i = 0; i < 10; i++) {
    assert.equal(sessions.find(busy, TIMES)?.account, 'alice');
    clock.nowMs += 30_000;
  }
  clock.nowMs += 1;
  assert.equal(sessions.find(busy, TIMES), undefined);
});

test('neither a session’s cookie nor a token’s secret is in the database', () => {
  const { file, database, create, sessions, accounts } = open();
  create('alice');
  const { secret } = sessions.begin('alice', 'password', FROM);
  const token = accounts.createToken({ account: 'alice', name: 'x', role: 'operator', expiresMs: 2e12 }).secret;
  database.close();
  const bytes = readFileSync(file).toString('latin1');
  assert.ok(bytes.includes('alice'));
  assert.ok(!bytes.includes(secret) && !bytes.includes(token.split('_').slice(2).join('_')));
});

test('a token ends at its time', () => {
  const { create, accounts, clock } = open();
  create('alice');
  const expiresMs = clock.nowMs + 1000;
  const { secret } = accounts.createToken({ account: 'alice', name: 'x', role: 'operator', expiresMs });
  clock.nowMs = expiresMs - 1;
  assert.equal(accounts.useToken(secret, '192.0.2.1')?.account, 'alice');
  clock.nowMs = expiresMs;
  assert.equal(accounts.useToken(secret, '192.0.2.1'), undefined);
});

test('the last administrator that is enabled stays', () => {
  const { create, accounts } = open();
  create('alice', 'administrator');
  assert.equal(accounts.change('alice', { role: 'operator' }), 'last-administrator');
  assert.equal(accounts.change('alice', { enabled: false }), 'last-administrator');
  assert.equal(accounts.delete('alice'), 'last-administrator');
  create('bob', 'administrator');
  assert.equal(accounts.change('bob', { enabled: false }), 'changed');
  assert.equal(accounts.delete('alice'), 'last-administrator');
  assert.equal(accounts.change('bob', { enabled: true }), 'changed');
  assert.equal(accounts.delete('alice'), 'changed');
});

test('who changes what has changed meanwhile is told', () => {
  const { create, accounts } = open();
  create('alice');
  assert.equal(accounts.change('alice', { fullName: 'Alice' }, 1), 'changed');
  assert.equal(accounts.change('alice', { fullName: 'Alicia' }, 1), 'stale');
  assert.equal(accounts.find('alice')?.fullName, 'Alice');
  assert.equal(accounts.change('nobody', {}, 1), 'not-found');
});

test('with an account go its sessions, tokens, certificates and passkeys', () => {
  const { create, accounts, sessions } = open();
  create('alice');
  const { secret } = sessions.begin('alice', 'password', FROM);
  const token = accounts.createToken({ account: 'alice', name: 'x', role: 'operator', expiresMs: 2e12 }).secret;
  accounts.addCertificate('alice', { identity: 'i', subject: 's', issuer: 'i' });
  assert.equal(accounts.delete('alice'), 'changed');
  create('alice');
  assert.equal(sessions.find(secret, TIMES), undefined);
  assert.equal(accounts.useToken(token, 'x'), undefined);
  assert.equal(accounts.certificateOwner('i'), undefined);
});

test('an audit entry is there before the change and its outcome after; one without an outcome never ended', () => {
  const { audit, events } = open();
  const id = audit.began({ ...FACTS, facts: { comment: 'why' } });
  assert.equal(audit.read({ limit: 1 })[0]?.outcome, undefined);
  audit.ended(id, FACTS, 'done', 'revision 2');
  const [entry] = audit.read({ limit: 1 });
  assert.deepEqual([entry?.outcome, entry?.detail, entry?.facts], ['done', 'revision 2', { comment: 'why' }]);
  assert.deepEqual(
    events.map((event) => event.event),
    ['audit'],
  );
});

test('the audit record is read newest first, in pages, by who and by what', () => {
  const { audit } = open();
  for (let i = 0; i < 5; i++) audit.record({ ...FACTS, actor: `user${i % 2}`, target: String(i) }, 'done', '');
  assert.deepEqual(
    audit.read({ limit: 2 }).map(({ target }) => target),
    ['4', '3'],
  );
  assert.deepEqual(
    audit.read({ limit: 9, before: 4 }).map(({ target }) => target),
    ['2', '1', '0'],
  );
  assert.deepEqual(
    audit.read({ limit: 9, actor: 'user1' }).map(({ target }) => target),
    ['3', '1'],
  );
  assert.deepEqual(audit.read({ limit: 9, action: 'login' }), []);
});

test('nobody alters or removes an entry of the audit record, not even with the database open', () => {
  const { file, audit } = open();
  audit.record(FACTS, 'done', '');
  const other = new DatabaseSync(file);
  for (const sql of [
    'DELETE FROM audit',
    "UPDATE audit SET actor = 'x'",
    'DELETE FROM audit_outcome',
    "UPDATE audit_outcome SET outcome = 'x'",
  ])
    assert.throws(() => other.exec(sql), /append-only/, sql);
  other.close();
  assert.equal(audit.read({ limit: 9 }).length, 1);
});

test('what a caller writes is cut, so that nobody fills the record with one request', () => {
  const { audit } = open();
  audit.record({ ...FACTS, actor: 'x'.repeat(5000), facts: { comment: 'y'.repeat(50_000) } }, 'done', 'z'.repeat(5000));
  const [entry] = audit.read({ limit: 1 });
  assert.equal(entry?.actor.length, 1000);
  assert.equal(entry?.detail?.length, 1000);
  assert.ok(JSON.stringify(entry?.facts).length < 20_000);
});
