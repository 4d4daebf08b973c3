import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { logOutput } from './log-output.io.ts';

class Pipe extends EventEmitter {
  writableLength = 0;
  text = '';
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

const outputOf = (pipe: Pipe) => logOutput(pipe as unknown as Parameters<typeof logOutput>[0]);

test('what a full pipe cannot take is left out, and the log says how much once it is read again', () => {
  const pipe = new Pipe();
  const write = outputOf(pipe);
  write('one\n');
  pipe.writableLength = 9_000_000;
  write('two\nthree\n');
  write('four\n');
  pipe.writableLength = 0;
  write('five\n');
  write('six\n');
  assert.equal(pipe.text, 'one\nsallyport: 3 lines are missing here: the log was not read\nfive\nsix\n');
});

test('a reader that has gone away ends the log alone', () => {
  const pipe = new Pipe();
  pipe.on('error', () => assert.fail('the process would end'));
  const write = outputOf(pipe);
  pipe.emit('error', new Error('EPIPE'));
  write('one\n');
  assert.equal(pipe.text, '');
});
