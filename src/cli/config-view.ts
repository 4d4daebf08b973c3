/** What `sallyport config` prints: changes, refusals, history. Pure. */
import type {
  Change,
  Checked,
  Committed,
  Conflict,
  Json,
  Refusal,
  RevisionInfo,
  StoreFault,
  StoreStatus,
} from '../config/configuration-store.ts';
import { renderFault, renderPlainFault } from '../config/located-fault.ts';
import { renderFaultPath } from '../core/fault.ts';
import { printable } from '../core/reply.ts';
import { isoSeconds } from '../core/time-text.ts';
import type { LoadedFile } from './config-load.io.ts';

const MAX_VALUE_CHARS = 200;

/** One line a change; a value that is longer than a line is cut. */
export function changeLines(changes: readonly Change[]): string {
  if (changes.length === 0) return 'no differences\n';
  return changes.map((change) => `${changeLine(change)}\n`).join('');
}

function changeLine({ path, op, before, after, secret }: Change): string {
  const where = path.length === 0 ? '(the whole)' : renderFaultPath(path);
  if (secret === true) return `${SIGN[op]} ${where}: the secret ${SECRET_WORDS[op]}`;
  if (op === 'add') return `+ ${where}: ${shown(after)}`;
  if (op === 'remove') return `- ${where}: ${shown(before)}`;
  return `* ${where}: ${shown(before)} -> ${shown(after)}`;
}

const SIGN = { add: '+', remove: '-', change: '*' } as const;
const SECRET_WORDS = { add: 'was added', remove: 'was removed', change: 'was changed' } as const;

function shown(value: Json | undefined): string {
  const text = printable(value === undefined ? 'nothing' : JSON.stringify(value));
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}...` : text;
}

/** `FILE:LINE:COLUMN: key: …` where the fault has a place in the file, else `key: …`. */
export const faultLine = (fault: StoreFault, file: string | undefined): string =>
  file !== undefined && fault.line !== undefined && fault.column !== undefined
    ? renderFault(file, { ...fault, line: fault.line, column: fault.column })
    : renderPlainFault(fault);

export function refusalLines(refusal: Refusal, file?: string): string {
  switch (refusal.kind) {
    case 'faults':
      return refusal.faults.map((fault) => `${faultLine(fault, file)}\n`).join('');
    case 'conflict':
      return conflictsText(refusal.conflicts);
    case 'file-mode':
    case 'stale':
    case 'unconfirmed':
    case 'not-found':
    case 'no-changes':
    case 'not-possible':
    case 'failed':
      return `sallyport: ${printable(refusal.why)}\n`;
  }
}

export function conflictLines({ path, mine, theirs, revision }: Conflict): string {
  const { author, atMs, number, comment } = revision;
  const note = comment === '' ? '' : `: ${comment}`;
  return [
    `${renderFaultPath(path)} was changed by ${printable(author)} at ${isoSeconds(atMs)} in revision ${number}${printable(note)}`,
    `  mine:   ${shown(mine)}`,
    `  theirs: ${shown(theirs)}`,
    '',
  ].join('\n');
}

export function historyLines(revisions: readonly RevisionInfo[]): string {
  return revisions
    .map(
      ({ number, atMs, author, comment }) =>
        `${number}  ${isoSeconds(atMs)}  ${printable(author)}  ${printable(comment)}\n`,
    )
    .join('');
}

/** What a person must know who has loaded a file while others have committed; where a file is the truth, nothing. */
export function mergedLines(loaded: LoadedFile | Checked, file: string): string {
  if (!('takesBack' in loaded)) return '';
  const { base, conflicts, stays, savedFrom, takesBack } = loaded;
  const lines: string[] = [];
  if (takesBack.length > 0) {
    const places = takesBack.map(({ path }) => `  ${renderFaultPath(path)}\n`).join('');
    lines.push(
      `${file} was saved from revision ${savedFrom}. Of what was committed since then it takes back:\n${places}`,
    );
    lines.push(`With --base ${savedFrom} that stays, and the same keys are asked about.\n`);
  }
  if (stays.length > 0)
    lines.push(`Committed by others since revision ${base}, and not changed by ${file}: stays\n${changeLines(stays)}`);
  if (conflicts.length > 0) lines.push(conflictsText(conflicts));
  return lines.join('');
}

const conflictsText = (conflicts: readonly Conflict[]): string =>
  `${conflicts.map((each) => conflictLines(each)).join('')}choose: sallyport config rebase mine PATH... theirs PATH...\n`;

export function committedLines({ revision, changes, warnings, unconfirmed }: Committed, offline: boolean): string {
  const lines = warnings.map((fault) => `${renderPlainFault(fault)}\n`);
  const when = offline ? 'counts from the next start' : 'in force';
  lines.push(changeLines(changes), `Changes committed: revision ${revision.number}, ${when}\n`);
  if (unconfirmed !== undefined) {
    const { deadlineMs, backTo } = unconfirmed;
    lines.push(
      `Goes back to revision ${backTo} at ${isoSeconds(deadlineMs)} unless confirmed: sallyport config confirm\n`,
    );
  }
  return lines.join('');
}

export function statusLines({ mode, file, running, unconfirmed, candidates }: StoreStatus, offline: boolean): string {
  const lines = [
    `Configuration: ${mode === 'file' ? `file ${file ?? ''}` : 'store'}${offline ? ' (no gateway is running)' : ''}`,
    `Revision ${running.number} of ${isoSeconds(running.atMs)} by ${printable(running.author)}: ${printable(running.comment)}`,
  ];
  if (unconfirmed !== undefined)
    lines.push(`Goes back to revision ${unconfirmed.backTo} at ${isoSeconds(unconfirmed.deadlineMs)} unless confirmed`);
  for (const { session, author, base, changedMs } of candidates)
    lines.push(
      `Uncommitted changes of ${printable(author)} (${printable(session)}) since ${isoSeconds(changedMs)}, based on revision ${base}`,
    );
  return `${lines.join('\n')}\n`;
}
