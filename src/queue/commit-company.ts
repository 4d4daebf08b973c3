/**
 * Whether a message that has arrived waits for others, so that they share one commit: a flush to disk costs as much for
 * one message as for fifty. Who is alone never waits; where many messages are on their way, the first one waits until
 * half of them have arrived, and never longer than a few milliseconds.
 * Pure.
 */

/** Added to the time from the final dot to 250 at most. */
export const LONGEST_WAIT_MS = 10;

/** `waiting` messages have arrived, of `underWay` that have begun with MAIL and have no answer yet. */
export const awaitsCompany = (waiting: number, underWay: number): boolean => 2 * waiting < underWay;
