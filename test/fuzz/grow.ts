/**
 * Grows the corpus: `node test/fuzz/grow.ts TARGET SECONDS [FILE...]`. Inputs that reach code of src/ which no shorter
 * one has reached are kept, and so is whatever breaks a promise. V8's own block coverage says what was reached.
 * Effects: writes test/fuzz/corpus; ends with 1 where something broke.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { drop, keep, keptInputs } from './corpus.ts';
import { chanceOf, mutate } from './mutate.ts';
import { observe } from './observe.ts';
import { TARGETS } from './targets.ts';

const [name = '', seconds = '10', ...files] = process.argv.slice(2);
const target = TARGETS[name];
if (target === undefined) throw new Error(`targets are ${Object.keys(TARGETS).join(', ')}`);

type Coverage = {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[];
    }[];
  }[];
};

const session = new Session();
session.connect();
const post = (method: string, params: object = {}): unknown => {
  let answer: unknown;
  // The inspector of the own thread answers before post returns.
  session.post(method, params, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
};
post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

const reached = new Set<string>();

/** Whether the input reached a block that none before it did. Counts since the last question. */
function isNew(): boolean {
  const before = reached.size;
  for (const { url, functions } of (post('Profiler.takePreciseCoverage') as Coverage).result) {
    if (!url.includes('/src/')) continue;
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count > 0) reached.add(`${url}:${startOffset}-${endOffset}`);
      }
    }
  }
  return reached.size > before;
}

const pool: Uint8Array[] = [];

/** Whether the input was worth keeping. */
function tryInput(input: Uint8Array): boolean {
  try {
    observe(target as NonNullable<typeof target>, input);
  } catch (error) {
    console.log(`BROKEN by ${keep(name, input, 'broke-')}: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
    return false;
  }
  if (!isNew()) return false;
  pool.push(input);
  return true;
}

// The shortest first: an input that reaches nothing of its own goes, unless it once broke something.
const former = [...keptInputs(name)].sort(([, a], [, b]) => a.length - b.length);
for (const [file, input] of former) if (!tryInput(input) && !file.startsWith('broke-')) drop(name, file);
for (const file of files) if (tryInput(readFileSync(file))) keep(name, readFileSync(file));
if (pool.length === 0) tryInput(Buffer.of(0x30, 0));

const chance = chanceOf(Date.now());
const until = performance.now() + Number(seconds) * 1000;
let inputs = 0;
for (; performance.now() < until; inputs++) {
  const parent = pool[Math.floor(chance() * pool.length)] as Uint8Array;
  const input = mutate(parent, pool, chance);
  if (tryInput(input)) keep(name, input);
}
console.log(`${name}: ${inputs} inputs, ${pool.length} kept, ${reached.size} blocks reached`);
