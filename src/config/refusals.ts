/** Why the configuration store refuses, in the sentence that an administrator reads. Pure. */
import type { Conflict, Path, Refusal, StoreFault, Unconfirmed } from './configuration-store.ts';
import { renderFaultPath } from '../core/fault.ts';
import { isoSeconds } from '../core/time-text.ts';
import { renderPlainFault } from './located-fault.ts';

export type Refused = { readonly ok: false; readonly refusal: Refusal };

const refused = (refusal: Refusal): Refused => ({ ok: false, refusal });

export function refuseFaults(faults: readonly StoreFault[], what: string): Refused {
  const errors = faults.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const count = errors.length === 1 ? '1 fault' : `${errors.length} faults`;
  const why = `${what}: ${count}${first === undefined ? '' : `; ${renderPlainFault(first)}`}`;
  return refused({ kind: 'faults', why, faults });
}

export function refuseConflicts(conflicts: readonly Conflict[]): Refused {
  const words = conflicts.map(({ path, revision: { author, atMs, number, comment } }) => {
    const note = comment === '' ? '' : ` (${comment})`;
    return `${renderFaultPath(path)} was changed by ${author} at ${isoSeconds(atMs)} in revision ${number}${note}`;
  });
  const why = `somebody else has changed the same: ${words.join('; ')}. Choose for each: mine or theirs`;
  return refused({ kind: 'conflict', why, conflicts });
}

export const refuseStale = (what: string, actual: number): Refused =>
  refused({ kind: 'stale', why: `not what you have seen: ${what} is ${actual} now`, actual });

export const refuseUnconfirmed = (unconfirmed: Unconfirmed): Refused =>
  refused({
    kind: 'unconfirmed',
    why: `revision ${unconfirmed.revision} of ${unconfirmed.author} waits until ${isoSeconds(unconfirmed.deadlineMs)} to be confirmed: confirm it or roll back first`,
    unconfirmed,
  });

export const refuseMissing = (why: string, path?: Path): Refused =>
  refused({ kind: 'not-found', why, ...(path === undefined ? {} : { path }) });

export const refuseNoChanges = (why = 'there are no changes to commit'): Refused =>
  refused({ kind: 'no-changes', why });
export const refuseImpossible = (why: string): Refused => refused({ kind: 'not-possible', why });
export const refuseFailed = (why: string): Refused =>
  refused({ kind: 'failed', why: `the configuration in force goes on: ${why}` });
export const refuseFileMode = (file: string): Refused =>
  refused({
    kind: 'file-mode',
    file,
    why: `this gateway was started with --config ${file}: that file is the only truth. Change the file and send SIGHUP, or sallyport config load`,
  });
