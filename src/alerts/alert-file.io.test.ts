/** The file of the last alerts: what was written is read, and what is none of it is left alone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AlertFile } from './alert-file.io.ts';
import type { AlertRecord } from './alert-listing.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-alerts-'));
after(() => rmSync(folder, { recursive: true }));
const failures: string[] = [];
const fileOf = (records: readonly AlertRecord[] = []): AlertFile =>
  new AlertFile(
    folder,
    () => records,
    (why) => failures.push(why),
  );

const record: AlertRecord = {
  atMs: 1000,
  class: 'directory',
  severity: 'critical',
  text: 'gone',
  raised: 2,
  recipients: [
    { address: 'a@x', state: 'waiting', attempts: 1, why: 'refused' },
    { address: 'b@x', state: 'sent', attempts: 1 },
  ],
};

test('what was written is read again, and nothing else is left in the folder', () => {
  fileOf([record]).write();
  assert.deepEqual(fileOf().read(), [record]);
  assert.deepEqual(readdirSync(folder), ['alerts.json']);
});

test('a file that is damaged, or holds something else, counts as far as it is understood', () => {
  const good = JSON.stringify(record);
  const texts: Readonly<Record<string, number>> = {
    '': 0,
    '{"alerts": 7}': 0,
    null: 0,
    [`{"alerts":[${good},{"text":"x"},null,[],7,${good.replace('directory', 'weather')}]}`]: 1,
    [`{"alerts":[${good.replace('"a@x"', '7')}]}`]: 1,
  };
  for (const [text, count] of Object.entries(texts)) {
    writeFileSync(join(folder, 'alerts.json'), text);
    assert.equal(fileOf().read().length, count, text);
  }
});

test('a folder that cannot be written is told, and stops nothing', () => {
  new AlertFile(
    join(folder, 'missing'),
    () => [],
    (why) => failures.push(why),
  ).write();
  assert.match(failures.at(-1) ?? '', /^cannot keep alerts\.json: ENOENT/);
});
