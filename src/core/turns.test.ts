import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

/** Work that ends when the test says so, and how many run at the same time. */
class Work {
  running = 0;
  most = 0;
  readonly #ends: (() => void)[] = [];

  readonly one = async (): Promise<number> => {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise<void>((resolve) => this.#ends.push(resolve));
    return this.running--;
  };

  endOne(): void {
    this.#ends.shift()?.();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('so many run at a time, so many wait, and more are not begun', async () => {
  const work = new Work();
  const turns = new Turns({ atOnce: 2, mayWait: 3 });
  const begun = Array.from({ length: 7 }, () => turns.run(work.one));
  assert.deepEqual(
    begun.map((each) => each !== undefined),
    [true, true, true, true, true, false, false],
  );
  for (let i = 0; i < 5; i++) {
    await settled();
    assert.equal(work.running, Math.min(2, 5 - i));
    work.endOne();
  }
  for (const each of begun) await each;
  assert.equal(work.most, 2);
});

test('who comes in the moment in which a place becomes free does not get it beside the next in line', async () => {
  const work = new Work();
  const turns = new Turns({ atOnce: 1, mayWait: 10 });
  const { promise: first, resolve: endFirst } = Promise.withResolvers<number>();
  const others = [turns.take(() => first), turns.take(work.one)];
  // Runs after the place was given back and before the next in line has begun.
  void first.then(() => others.push(turns.take(work.one)));
  endFirst(0);
  await settled();
  assert.equal(work.running, 1);
  work.endOne();
  await settled();
  work.endOne();
  await Promise.all(others);
  assert.equal(work.most, 1);
});

test('work that fails gives its place back, and its error to its caller alone', async () => {
  const turns = new Turns({ atOnce: 1, mayWait: 1 });
  const broken = turns.run(() => Promise.reject(new Error('broken')));
  const after = turns.run(() => Promise.resolve('done'));
  await assert.rejects(broken ?? Promise.resolve(), /broken/);
  assert.equal(await after, 'done');
  assert.equal(await turns.run(() => Promise.resolve('again')), 'again');
});

test('without a bound everyone gets a turn, in the order of coming', async () => {
  const turns = new Turns({ atOnce: 3 });
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      turns.take(async () => {
        await settled();
        order.push(i);
      }),
    ),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, i) => i),
  );
});
