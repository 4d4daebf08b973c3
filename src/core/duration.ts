/** Durations and sizes as the configuration writes them: `15m`, `0s`, `3d`; `10M`, `512k`. Pure. */
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UNIT_BYTES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Milliseconds, or undefined where the text is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})\s*(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN) : undefined;
}

/** Bytes, or undefined where the text is not a size. Suffixes are powers of 1024, as in AsyncOS. */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^(\d{1,9})\s*([kKmMgG]?)[bB]?$/.exec(text.trim());
  return match ? Number(match[1]) * (UNIT_BYTES[(match[2] ?? '').toLowerCase()] ?? Number.NaN) : undefined;
}
