import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pemBlocks } from './pem.ts';

const block = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;

test('blocks are found in their order, whatever stands between them', () => {
  const { blocks, cut } = pemBlocks(`remark\n${block('CERTIFICATE')}subject=x\n${block('PRIVATE KEY')}rest`);
  assert.equal(cut, false);
  assert.deepEqual(
    blocks.map(({ label }) => label),
    ['CERTIFICATE', 'PRIVATE KEY'],
  );
  assert.equal(blocks[0]?.pem, block('CERTIFICATE'));
});

test('a block without its end is noticed', () => {
  for (const text of ['-----BEGIN X', '-----BEGIN X-----\nAAAA', `${block('X')}-----BEGIN Y-----\n-----END X-----`]) {
    assert.equal(pemBlocks(text).cut, true, text);
  }
  assert.deepEqual(pemBlocks(''), { blocks: [], cut: false });
});
