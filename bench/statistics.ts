/** Medians and spread of a few runs. Pure. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export type Summary = { readonly median: number; readonly least: number; readonly most: number; readonly runs: number };

export function summary(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values), runs: values.length };
}

/** Ratio of two series that were measured in alternation: the median of the ratios round by round. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): number {
  const count = Math.min(ours.length, theirs.length);
  return median(Array.from({ length: count }, (_, i) => (ours[i] ?? Number.NaN) / (theirs[i] ?? Number.NaN)));
}

/** Three significant digits, with thousands set apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 3);
}
