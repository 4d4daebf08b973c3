/**
 * Waiting for work, but not for ever. What is late goes on, and nobody hears of it. Effects: a timer.
 */

/** What `work` came to, or what `late` says where that takes longer than `withinMs`; without `late` that is undefined. */
export async function within<T, L = undefined>(
  withinMs: number,
  work: Promise<T>,
  late: () => L = () => undefined as L,
): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<'over'>((resolve) => {
    timer = setTimeout(resolve, withinMs, 'over');
  });
  try {
    return await Promise.race([work, over.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
