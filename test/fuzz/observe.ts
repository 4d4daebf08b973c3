/**
 * One input through one target, watched: what came out must not depend on the octets around the input, no view may lie
 * outside of it, and nothing but the reader's own error may be thrown.
 * Effects: none.
 */
import assert from 'node:assert/strict';
import { isRefusal, type Target } from './targets.ts';

const MARGIN = 64;

/** The outcome in one line; equal lines mean equal outcomes. Fails where a promise of the readers is broken. */
export function observe(target: Target, input: Uint8Array): string {
  const zeros = outcome(target, input, 0x00);
  // A sequence of length 0x30: what a reader that runs over the end would gladly take for more elements.
  const sequences = outcome(target, input, 0x30);
  assert.equal(zeros, sequences, 'the outcome depends on octets around the input');
  return zeros;
}

function outcome(target: Target, input: Uint8Array, around: number): string {
  const buffer = new ArrayBuffer(MARGIN + input.length + MARGIN);
  new Uint8Array(buffer).fill(around);
  const bytes = new Uint8Array(buffer, MARGIN, input.length);
  bytes.set(input);
  let result: unknown;
  try {
    result = target.read(bytes);
  } catch (error) {
    if (isRefusal(error)) return `refused: ${error.message}`;
    throw error;
  }
  return `read: ${describe(result, buffer, input.length)}`;
}

/** Values as text; a view on the input's buffer must lie within the input. */
function describe(result: unknown, buffer: ArrayBuffer, length: number): string {
  return JSON.stringify(result, function plain(this: Record<string, unknown>, key, value: unknown) {
    const held = this[key];
    if (held instanceof Uint8Array) {
      const inside = held.byteOffset >= MARGIN && held.byteOffset + held.length <= MARGIN + length;
      assert.ok(held.buffer !== buffer || inside || held.length === 0, `a view outside of the input at ${key}`);
      return Buffer.from(held).toString('hex');
    }
    if (held instanceof SharedArrayBuffer) return Buffer.from(held).toString('hex');
    if (held instanceof Map) return [...held];
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}
