/**
 * The work queue of AsyncOS, as far as there is one here: nothing is done to a message between receipt and delivery yet,
 * so that it passes through at once and the work queue is empty. While it is paused, new messages wait in it: they are on
 * stable storage and not due. What was queued for delivery before goes on.
 * Pure.
 */

/** The time of a recipient whose message waits in the work queue: later than any other, so that no claim walks over it. */
export const IN_WORK_QUEUE_MS = Number.MAX_SAFE_INTEGER;

/** Under which name the store keeps that the work queue is paused. */
export const WORK_QUEUE = 'workQueue';

/** More messages than this are not counted one by one. */
export const COUNTED_MESSAGES = 100_000;

/** `more`: there are more than counted. */
export type WorkQueueCount = { readonly messages: number; readonly more: boolean };
