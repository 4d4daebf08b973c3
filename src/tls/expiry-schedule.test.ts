import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAYS_BEFORE, dueNotices, type Expiring, nextStepMs, stepAt, type Told } from './expiry-schedule.ts';

const DAY_MS = 86_400_000;
const END_MS = Date.UTC(2027, 0, 1);
const thing = (more: Partial<Expiring> = {}): Expiring => ({
  key: 'a',
  endMs: END_MS,
  daysBefore: DAYS_BEFORE,
  firstDayAfter: 0,
  ...more,
});
/** `days` before the end. */
const at = (days: number): number => END_MS - days * DAY_MS;

test('a step is reached 90, 60, 30, 15, 5, 4, 3, 2 and 1 days before the end, and each day after', () => {
  const steps = [91, 90, 89, 61, 60, 30, 15, 6, 5, 4, 3, 2, 1, 0.5, 0, -0.5, -1, -1.5, -30].map((days) =>
    stepAt(thing(), at(days)),
  );
  assert.deepEqual(steps, [undefined, 90, 90, 90, 60, 30, 15, 15, 5, 4, 3, 2, 1, 1, 1, 0, -1, -1, -30]);
});

test('the next step is the moment at which it is reached', () => {
  const days = [100, 90, 45, 15, 1.5, 1];
  assert.deepEqual(
    days.map((each) => nextStepMs(thing(), at(each))),
    [at(90), at(60), at(30), at(5), at(1), END_MS + 1],
  );
  assert.equal(nextStepMs(thing(), END_MS + 1), END_MS + DAY_MS + 1);
  assert.equal(nextStepMs(thing(), END_MS + 1.5 * DAY_MS), END_MS + 2 * DAY_MS + 1);
});

test('whoever looks at each next step gets every notice once: nine before, and one a day after', () => {
  let told: Told = new Map();
  const steps: (number | undefined)[] = [];
  for (let nowMs = at(200); nowMs < END_MS + 3 * DAY_MS; nowMs = nextStepMs(thing(), nowMs)) {
    const outcome = dueNotices([thing()], told, nowMs);
    told = outcome.told;
    if (outcome.due.length > 0) steps.push(stepAt(thing(), nowMs));
  }
  assert.deepEqual(steps, [...DAYS_BEFORE, 0, -1, -2]);
});

test('within a step nothing is told twice, not by a clock that was set back either', () => {
  const first = dueNotices([thing()], new Map(), at(29));
  assert.equal(first.due.length, 1);
  assert.equal(dueNotices([thing()], first.told, at(20)).due.length, 0);
  assert.equal(dueNotices([thing()], first.told, at(70)).due.length, 0);
  assert.equal(dueNotices([thing()], first.told, at(14)).due.length, 1);
});

test('steps that were slept through are told as one, the latest', () => {
  const early = dueNotices([thing()], new Map(), at(80));
  const late = dueNotices([thing()], early.told, at(2.5));
  assert.equal(late.due.length, 1);
  assert.equal(late.told.get('a'), 3);
});

test('what was renewed is another thing; what is gone is forgotten', () => {
  const { told } = dueNotices([thing(), thing({ key: 'b' })], new Map(), at(10));
  assert.deepEqual([...told.keys()], ['a', 'b']);
  const renewed = dueNotices([thing({ key: 'a2', endMs: END_MS + 365 * DAY_MS })], told, at(10));
  assert.deepEqual([renewed.due, [...renewed.told]], [[], []]);
});

test('the same thing in two places is told once, and what ends first comes first', () => {
  const soon = thing({ key: 'soon', endMs: at(5) });
  const { due } = dueNotices([thing(), soon, thing()], new Map(), at(10));
  assert.deepEqual(
    due.map(({ key }) => key),
    ['soon', 'a'],
  );
});

test('a thing may have fewer steps before, and begin later after', () => {
  const list = thing({ daysBefore: [3, 2], firstDayAfter: 1 });
  assert.deepEqual(
    [stepAt(list, at(5)), stepAt(list, at(2.5)), stepAt(list, at(0.5)), stepAt(list, at(-0.5))],
    [undefined, 3, 2, undefined],
  );
  assert.equal(stepAt(list, at(-1)), -1);
  assert.equal(nextStepMs(list, at(0.5)), END_MS + DAY_MS + 1);
});
