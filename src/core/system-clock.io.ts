/** The wall clock of this machine, for those who are handed one. Effects: time. */
import type { Clock } from './ports.ts';

export const systemClock: Clock = { now: () => Date.now() };
