/** How long a client waited, time after time: what is told of it. Pure. */
export type Waits = {
  readonly count: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** The longest time in which the client itself did nothing, whatever the gateway did: none of the figures is finer. */
  readonly ownPauseMs: number;
};

export function waitsOf(samplesMs: readonly number[], ownPauseMs: number): Waits {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const rank = Math.max(0, Math.ceil(sorted.length * 0.99) - 1);
  return { count: sorted.length, p99Ms: sorted[rank] ?? 0, longestMs: sorted.at(-1) ?? 0, ownPauseMs };
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
};
