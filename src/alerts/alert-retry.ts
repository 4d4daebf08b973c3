/**
 * How often an alert that could not be sent is tried again: six times more, within about five and a half hours. After
 * that it is news no longer; the log has it. Pure.
 */
const WAITS_MS = [10_000, 60_000, 5 * 60_000, 15 * 60_000, 3_600_000, 4 * 3_600_000];

/** The wait after this many attempts; undefined = given up. */
export const waitAfter = (attempts: number): number | undefined => WAITS_MS[attempts - 1];
