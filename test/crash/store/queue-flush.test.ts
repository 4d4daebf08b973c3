/**
 * What kill -9 cannot show, because the page cache survives it: that the flush to disk comes before the answer. strace
 * sees the system calls in their order.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PATIENCE_MS } from '../../support/eventually.ts';

const CHILD = path.join(import.meta.dirname, 'accepting-child.ts');
const MESSAGES = 10;

type Call = { readonly name: string; readonly rest: string };

/** The completed calls that matter, in the order in which they completed; `rest` names files and data. */
async function traced(kind: 'inline' | 'spooled'): Promise<Call[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-strace-'));
  const trace = path.join(folder, 'trace');
  const calls = 'fsync,fdatasync,pwrite64,pwritev,write,rename,renameat,renameat2';
  const args = [
    '-f',
    '-y',
    '-s',
    '40',
    '-o',
    trace,
    '-e',
    `trace=${calls}`,
    process.execPath,
    CHILD,
    path.join(folder, 'data'),
    String(MESSAGES),
    kind,
  ];
  try {
    await promisify(execFile)('mkdir', [path.join(folder, 'data')]);
    await promisify(execFile)('strace', args, { timeout: PATIENCE_MS });
    return completed(readFileSync(trace, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** strace splits a call in two where another thread comes between; the call counts where it ends. */
function completed(text: string): Call[] {
  const begun = new Map<string, string>();
  const calls: Call[] = [];
  for (const line of text.split('\n')) {
    const [, pid = '', what = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (what.endsWith('<unfinished ...>')) {
      begun.set(pid, what.slice(0, -'<unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(what)?.[1];
    const whole = resumed === undefined ? what : `${begun.get(pid) ?? ''}${resumed}`;
    const [, name = '', rest = ''] = /^(\w+)\((.*)$/.exec(whole) ?? [];
    if (name !== '') calls.push({ name, rest });
  }
  return calls;
}

const isFlushOf = ({ name, rest }: Call, file: string): boolean =>
  (name === 'fsync' || name === 'fdatasync') && rest.includes(`${file}>`) && rest.endsWith('= 0');
const isAnswer = ({ name, rest }: Call): boolean => name === 'write' && rest.includes('"ACK ');

test('each answer comes after the log has been written and flushed', async () => {
  const calls = await traced('inline');
  let written = false;
  let flushed = false;
  let answers = 0;
  for (const call of calls) {
    if (call.name.startsWith('pwrite') && call.rest.includes('queue.db-wal>')) {
      written = true;
      flushed = false;
    } else if (isFlushOf(call, 'queue.db-wal')) flushed = written;
    else if (isAnswer(call)) {
      assert.ok(flushed, `answer ${answers + 1} came before its flush`);
      answers++;
      written = false;
      flushed = false;
    }
  }
  assert.equal(answers, MESSAGES);
});

test('a spooled body is flushed, then named, then its folder is flushed, then the log, then comes the answer', async () => {
  const calls = await traced('spooled');
  const steps: readonly ((call: Call) => boolean)[] = [
    (call) => isFlushOf(call, '.eml.tmp'),
    ({ name, rest }) => name.startsWith('rename') && rest.includes('.eml.tmp'),
    (call) => isFlushOf(call, '/spool'),
    (call) => isFlushOf(call, 'queue.db-wal'),
  ];
  let step = 0;
  let answers = 0;
  for (const call of calls) {
    if (steps[step]?.(call) === true) step++;
    else if (isAnswer(call)) {
      assert.equal(step, steps.length, `answer ${answers + 1} came after step ${step} of ${steps.length}`);
      answers++;
      step = 0;
    }
  }
  assert.equal(answers, MESSAGES);
});
