/** Spool files: whole and durable, or not there. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { GatewayError } from '../core/errors.ts';
import type { Mid } from '../core/ids.ts';
import { openSpoolWriter, spoolPath } from './spool.io.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'sallyport-spool-'));
after(() => rmSync(dir, { recursive: true }));
const mid = (value: number): Mid => value as Mid;
const text = (value: string): Buffer => Buffer.from(value);

const read = (file: string): string => readFileSync(spoolPath(dir, file), 'utf8');

test('what was written in pieces is read as one', async () => {
  const writer = await openSpoolWriter(dir, mid(1));
  await writer.write([text('one '), text(''), text('two ')]);
  await writer.write([]);
  await writer.write([text('three')]);
  assert.deepEqual(await writer.commit(), { file: '1.eml', size: 13 });
  assert.equal(read('1.eml'), 'one two three');
});

test('pieces that are not awaited still come in their order', async () => {
  const writer = await openSpoolWriter(dir, mid(2));
  const parts = Array.from({ length: 50 }, (_, i) => Buffer.alloc(1000 + i, i));
  await Promise.all(parts.map((part) => writer.write([part])));
  await writer.commit();
  assert.deepEqual(readFileSync(path.join(dir, '2.eml')), Buffer.concat(parts));
});

test('more pieces than one system call takes are written', async () => {
  const writer = await openSpoolWriter(dir, mid(3));
  const parts = Array.from({ length: 3000 }, (_, i) => text(`${i}\r\n`));
  await writer.write(parts);
  await writer.commit();
  assert.deepEqual(readFileSync(path.join(dir, '3.eml')), Buffer.concat(parts));
});

test('until commit the file has a temporary name, and abort leaves nothing', async () => {
  const writer = await openSpoolWriter(dir, mid(4));
  await writer.write([text('x')]);
  assert.ok(readdirSync(dir).includes('4.eml.tmp') && !readdirSync(dir).includes('4.eml'));
  await writer.abort();
  await writer.abort();
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('4.')),
    [],
  );
  await assert.rejects(writer.write([text('y')]), (error) => error instanceof GatewayError && error.code === 'closed');
});

test('after commit the file is the queue’s, and abort does nothing', async () => {
  const writer = await openSpoolWriter(dir, mid(5));
  await writer.write([text('kept')]);
  await writer.commit();
  await writer.abort();
  assert.equal(read('5.eml'), 'kept');
});

test('a spool folder that is missing is a storage error', async () => {
  await assert.rejects(
    openSpoolWriter(path.join(dir, 'missing'), mid(6)),
    (error) => error instanceof GatewayError && error.code === 'storage',
  );
});

test('a name that leads out of the folder is refused', () => {
  for (const name of ['../queue.db', '/etc/passwd', '1.eml/../x', '', '1.eml.tmp'])
    assert.throws(() => spoolPath(dir, name), /not the name of a spool file/);
});
