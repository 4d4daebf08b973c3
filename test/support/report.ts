/**
 * Test reporter: a line per file, every failure in full, and at the end the counts (passed, failed) for test/run.sh in
 * the file that SALLYPORT_TEST_COUNTS names. A file without a test and a skipped test count as failures: Node itself
 * reports both as success. Effects: writes the counts.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type Counts = { passed: number; failed: number; filesDone: Set<string>; filesSeen: Set<string> };

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: Counts = { passed: 0, failed: 0, filesDone: new Set(), filesSeen: new Set() };
  for await (const event of source) yield* lines(event, counts);
  for (const file of counts.filesSeen) {
    if (counts.filesDone.has(file)) continue;
    counts.failed += 1;
    yield `FAILED ${name(file)}: the file ended without running a test\n`;
  }
  const path = process.env['SALLYPORT_TEST_COUNTS'];
  if (path !== undefined) writeFileSync(path, `${counts.passed} ${counts.failed}\n`);
}

const name = (file: string): string => relative(process.cwd(), file);

function* lines(event: TestEvent, counts: Counts): Generator<string> {
  if (event.type === 'test:enqueue' || event.type === 'test:start') return;
  if (event.type === 'test:pass' || event.type === 'test:fail') {
    // A test that a file took from another one counts for the file that ran it.
    if (event.data.file?.endsWith('.test.ts')) counts.filesSeen.add(event.data.file);
    if (event.type === 'test:fail') yield* failure(event.data);
    else if (event.data.skip !== undefined || event.data.todo !== undefined) yield `SKIPPED ${event.data.name}\n`;
  } else if (event.type === 'test:summary' && event.data.file !== undefined) {
    const { passed, tests } = event.data.counts;
    counts.filesDone.add(event.data.file);
    counts.passed += passed;
    counts.failed += tests - passed;
    const seconds = (event.data.duration_ms / 1000).toFixed(1);
    yield `${tests === passed ? 'ok' : 'FAILED'} ${name(event.data.file)}: ${passed} of ${tests} in ${seconds} s\n`;
  } else if (event.type === 'test:stderr') {
    yield event.data.message;
  }
}

function* failure(data: Extract<TestEvent, { type: 'test:fail' }>['data']): Generator<string> {
  const error = data.details.error;
  const cause = error.cause ?? error;
  if (typeof cause === 'object' && 'failureType' in cause && cause.failureType === 'subtestsFailed') return;
  if (/subtests? failed/.test(error.message)) return;
  const where = data.file === undefined ? '' : ` (${name(data.file)}:${data.line ?? 0})`;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
  yield `FAILED ${data.name}${where}\n${text.replace(/^/gm, '    ')}\n`;
}
