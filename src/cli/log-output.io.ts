/**
 * Standard output as the log of a running gateway. A pipe that nobody empties must stop neither the control thread nor the
 * end of the process: what is written waits in bounded memory, what is beyond is left out and said to be, and a reader
 * that has gone away ends the log and not the mail.
 * Effects: standard output, and that writing to it does not wait.
 */
import type { Write } from './arguments.ts';

const MAX_WAITING_BYTES = 8 * 1024 * 1024;

type Output = Pick<NodeJS.WriteStream, 'writableLength' | 'write' | 'on' | 'removeAllListeners'>;

export function logOutput(output: Output): Write {
  // Node waits for a pipe that is its standard output; only the handle can tell it not to. Whoever has the pipe too (npm,
  // a process that we start) may set that back.
  const handle = (output as { _handle?: { setBlocking?: (blocking: boolean) => void } })._handle;
  let gone = false;
  let left = 0;
  output.removeAllListeners('error');
  output.on('error', () => {
    gone = true;
  });
  return (text) => {
    if (gone) return;
    handle?.setBlocking?.(false);
    if (output.writableLength > MAX_WAITING_BYTES) left += text.split('\n').length - 1;
    else {
      output.write(left === 0 ? text : `sallyport: ${left} lines are missing here: the log was not read\n${text}`);
      left = 0;
    }
  };
}
