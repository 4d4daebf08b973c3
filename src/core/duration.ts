/** Durations and sizes as the configuration writes them: `15m`, `0s`, `3d`; `10M`, `512k`. Pure. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const UNIT_MS: Record<string, number> = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS, s: 1000, ms: 1 };
const UNIT_BYTES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Milliseconds, or undefined where the text is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})\s*(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN) : undefined;
}

/** In the largest unit that divides it: `15m`, not `900s`. */
export function durationText(ms: number): string {
  const [unit, unitMs] = Object.entries(UNIT_MS).find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / unitMs}${unit}`;
}

/** Bytes, or undefined where the text is not a size. Suffixes are powers of 1024, as in AsyncOS. */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d{1,9})\s*([kKmMgG]?)[bB]?$/.exec(text.trim());
  return match ? Number(match[1]) * (UNIT_BYTES[(match[2] ?? '').toLowerCase()] ?? Number.NaN) : undefined;
}
