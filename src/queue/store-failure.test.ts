/** Failures of disk and database as the two answers that SMTP has for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../core/errors.ts';
import { isBroken, openFailure, storageFailure } from './store-failure.ts';

const sqlite = (errcode: number, text: string): Error =>
  Object.assign(new Error(text), { code: 'ERR_SQLITE_ERROR', errcode });
const system = (code: string): Error => Object.assign(new Error(code), { code });

const CASES: readonly (readonly [title: string, error: unknown, code: string])[] = [
  ['SQLITE_FULL', sqlite(13, 'database or disk is full'), 'storage-full'],
  ['ENOSPC', system('ENOSPC'), 'storage-full'],
  ['EDQUOT', system('EDQUOT'), 'storage-full'],
  ['EIO', system('EIO'), 'storage'],
  ['SQLITE_IOERR_FSYNC', sqlite(10 | (4 << 8), 'disk I/O error'), 'storage'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', sqlite(19 | (6 << 8), 'UNIQUE constraint failed: message.mid'), 'storage'],
  ['anything that is thrown', 'text', 'storage'],
];

for (const [title, error, code] of CASES) {
  test(`${title} is ${code}`, () => {
    const failure = storageFailure(error, 'cannot queue the message');
    assert.equal(failure.code, code);
    assert.match(failure.message, /^cannot queue the message: /);
  });
}

test('a GatewayError stays what it is', () => {
  const error = new GatewayError('closed', 'over');
  assert.equal(storageFailure(error, 'x'), error);
  assert.equal(openFailure(error, 'x'), error);
});

test('a broken disk or file stops the whole batch, a full one does not', () => {
  assert.ok(isBroken(sqlite(10 | (4 << 8), '')) && isBroken(sqlite(11, '')) && isBroken(sqlite(26, '')));
  assert.ok(!isBroken(sqlite(13, '')) && !isBroken(sqlite(19, '')) && !isBroken(system('ENOSPC')));
});

test('a database that is locked says that another gateway is running', () => {
  assert.match(openFailure(sqlite(5, 'database is locked'), '/data/queue.db').message, /another gateway runs/);
});
