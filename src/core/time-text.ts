/** Points of time as text, in UTC, where they are handed in as milliseconds since 1970. Pure. */

/** `2026-11-24T14:00:00.000Z` */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** `2026-11-24T14:00:00Z` */
export const isoSeconds = (ms: number): string => isoTime(ms).replace(/\.\d+Z$/, 'Z');

/** `2026-11-24` */
export const isoDay = (ms: number): string => isoTime(ms).slice(0, 10);

/** `2026-11-24 14:00:00Z`, for people. */
export const spacedTime = (ms: number): string => isoTime(ms).replace('T', ' ').replace('.000', '');
