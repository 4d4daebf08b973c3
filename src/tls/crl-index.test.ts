import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findRevoked, minimalStart, type RevokedTable, RevokedTableBuilder } from './crl-index.ts';

function tableOf(serials: readonly Uint8Array[]): RevokedTable {
  const widths = new Uint32Array(65);
  for (const serial of serials) widths[serial.length] = (widths[serial.length] ?? 0) + 1;
  const builder = new RevokedTableBuilder(widths, false);
  serials.forEach((serial, i) => builder.add(serial, 0, serial.length, { reason: i % 7, dateSeconds: i, issuer: 0 }));
  return builder.finish();
}

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
/** Minimal content octets of an INTEGER. */
const serial = fc
  .uint8Array({ minLength: 1, maxLength: 21 })
  .map((bytes) => bytes.slice(minimalStart(bytes, 0, bytes.length)));

test('every serial that is put in is found with its reason and date, every other is not', () => {
  fc.assert(
    fc.property(fc.array(serial, { maxLength: 300 }), serial, (serials, other) => {
      const table = tableOf(serials);
      serials.forEach((each, i) => {
        assert.ok(findRevoked(table, each).some(({ reason, atMs }) => reason === i % 7 && atMs === i * 1000));
      });
      const key = Buffer.from(other).toString('hex');
      const times = serials.filter((each) => Buffer.from(each).toString('hex') === key).length;
      assert.equal(findRevoked(table, other).length, times);
    }),
    { numRuns: 100, seed: 1 },
  );
});

test('serials that differ in their first octet only are told apart', () => {
  const table = tableOf([hex('0102030405060708090a0b0c0d0e0f1011121314')]);
  assert.equal(findRevoked(table, hex('0102030405060708090a0b0c0d0e0f1011121314')).length, 1);
  assert.equal(findRevoked(table, hex('0202030405060708090a0b0c0d0e0f1011121314')).length, 0);
});

test('entries with the same serial come back in the order of the list', () => {
  const table = tableOf([hex('05'), hex('07'), hex('05')]);
  assert.deepEqual(
    findRevoked(table, hex('05')).map(({ atMs }) => atMs),
    [0, 2000],
  );
});

test('needless leading octets are not part of a serial, a sign octet is', () => {
  const start = (text: string): string => text.slice(2 * minimalStart(hex(text), 0, text.length / 2));
  assert.equal(start('000001'), '01');
  assert.equal(start('0080'), '0080');
  assert.equal(start('ffff80'), '80');
  assert.equal(start('ff7f'), 'ff7f');
  assert.equal(start('00'), '00');
});

test('a look-up among a million serials looks at twenty rows, not at all of them', () => {
  const rows = 1_000_000;
  const widths = new Uint32Array(65);
  widths[4] = rows;
  const builder = new RevokedTableBuilder(widths, false);
  const octets = Buffer.alloc(4);
  for (let i = 0; i < rows; i++) {
    // From the back, so that every row has to move.
    octets.writeUInt32BE(0x01000000 + (rows - 1 - i) * 16);
    builder.add(octets, 0, 4, { reason: 0, dateSeconds: i, issuer: 0 });
  }
  const table = builder.finish();
  const looked = new Set<number>();
  const serials = new Proxy(table.serials, {
    get: (target, key) => {
      looked.add(Math.floor(Number(key) / 4));
      return Reflect.get(target, key, target) as unknown;
    },
  });
  for (const nth of [0, 1, 499_999, rows - 1]) {
    looked.clear();
    octets.writeUInt32BE(0x01000000 + nth * 16);
    assert.deepEqual(findRevoked({ ...table, serials }, octets), [
      { reason: 0, atMs: (rows - 1 - nth) * 1000, issuer: 0 },
    ]);
    assert.ok(looked.size <= 22, `${looked.size} rows`);
  }
});

test('the table is one piece of shared memory', () => {
  const { serials, dates, reasons } = tableOf([hex('01')]);
  assert.ok(serials.buffer instanceof SharedArrayBuffer);
  assert.equal(serials.buffer, dates.buffer);
  assert.equal(serials.buffer, reasons.buffer);
});
