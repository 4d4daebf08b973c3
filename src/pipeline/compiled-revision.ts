/** What is compiled once for all threads of a revision: the host access tables, in shared memory. Pure. */
import type { Revision } from '../config/schema.ts';
import type { CompiledRevision } from './thread-messages.ts';
import { type CompiledHat, compileHat } from '../policy/host-access-table.ts';

/** `slots`: which counters of the connection limits are a listener's, for as long as the process lives; new names are added. */
export function compileRevision(revision: Revision, slots: Map<string, number>): CompiledRevision {
  const hats: Record<string, CompiledHat> = {};
  for (const listener of Object.keys(revision.config.listeners)) {
    const { hat } = compileHat(listener, revision.config);
    if (hat !== undefined) hats[listener] = hat;
    if (!slots.has(listener)) slots.set(listener, slots.size);
  }
  return { ...revision, hats, slots: Object.fromEntries(slots) };
}
