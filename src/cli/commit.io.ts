/**
 * The commands of AsyncOS that put changes into force, show them or give them up: `commit`, `showchanges`, `clearchanges`,
 * `rollbackconfig`. With arguments they are `sallyport config …`; asked nothing, they ask. A commit that somebody else's
 * change stands in the way of asks for each key whose value shall stay. Effects: the configuration, standard output.
 */
import type { Candidate, Choice } from '../config/configuration-store.ts';
import { counted } from '../core/counted.ts';
import type { Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { localAdministrator } from './config-access.io.ts';
import { usageOf } from './commands-configuration.io.ts';
import { committedLines, conflictLines, refusalLines } from './config-view.ts';
import { configOperation } from './config.io.ts';
import { type Dialogue, EndOfInput } from './dialogue.io.ts';
import { type ConfigurationContext, onConfiguration, placeAlone, refusedByFile, said } from './on-configuration.io.ts';
import { choice, line, yesNo } from './question.ts';
import { printable } from '../core/reply.ts';
import { isoSeconds } from '../core/time-text.ts';

const MAX_SHOWN_REVISIONS = 20;

export async function commit(args: readonly string[], write: Write, { dialogue }: CommandContext): Promise<number> {
  const place = placeAlone(args);
  if (place === undefined) return await configOperation('commit', args, write, usageOf('commit'));
  return await onConfiguration(place, write, { usage: '', run: (session) => askAndCommit(session, dialogue) });
}

async function askAndCommit(session: ConfigurationContext, dialogue: Dialogue): Promise<number> {
  if (refusedByFile(session)) return 1;
  const { store, offline } = session;
  const who = localAdministrator();
  const found = await store.candidate(who.session);
  if (!found.ok && found.refusal.kind === 'not-found') {
    session.write('There are no changes to commit.\n');
    return 0;
  }
  if (!found.ok) return said(session, found, () => '');
  if (!(await settleConflicts(session, found.candidate, dialogue))) return 1;
  const valid = await store.validate(who.session);
  if (!valid.ok) return said(session, valid, () => '');
  const comment = await dialogue
    .ask(line({ text: '\nPlease enter some comments describing your changes:' }))
    // A comment is not needed: `sallyport commit </dev/null`.
    .catch((error: unknown) => {
      if (error instanceof EndOfInput) return '';
      throw error;
    });
  return said(session, await store.commit(who, { comment }), (committed) => committedLines(committed, offline));
}

/** False where the choices did not hold, because somebody was faster again. */
async function settleConflicts(
  { store, write }: ConfigurationContext,
  { conflicts }: Candidate,
  dialogue: Dialogue,
): Promise<boolean> {
  if (conflicts.length === 0) return true;
  write('Somebody else has committed a change of what you have changed.\n');
  const choices: Choice[] = [];
  for (const conflict of conflicts) {
    const keep = await dialogue.ask(
      choice<'mine' | 'theirs'>(`\n${conflictLines(conflict)}Which value shall stay?`, [
        { value: 'mine', label: 'Mine' },
        { value: 'theirs', label: 'Theirs' },
      ]),
    );
    choices.push({ path: conflict.path, keep });
  }
  const answer = await store.rebase(localAdministrator(), choices);
  if (!answer.ok) write(refusalLines(answer.refusal));
  return answer.ok;
}

export const showchanges = (args: readonly string[], write: Write): Promise<number> =>
  configOperation('diff', args, write, usageOf('showchanges'));

export async function clearchanges(
  args: readonly string[],
  write: Write,
  { dialogue }: CommandContext,
): Promise<number> {
  return await onConfiguration(args, write, {
    usage: `usage: sallyport ${usageOf('clearchanges')}\n`,
    flags: ['yes', 'json'],
    run: async (session) => {
      if (refusedByFile(session)) return 1;
      const { store, parsed } = session;
      const { session: own } = localAdministrator();
      const found = await store.candidate(own);
      if (!found.ok && found.refusal.kind === 'not-found')
        return said(session, { ok: true, dropped: 0 }, () => 'There are no changes.\n');
      const sure =
        parsed.flags.has('yes') || parsed.flags.has('json') || (await dialogue.ask(yesNo(SURE_TO_CLEAR, false)));
      if (!sure) return 0;
      return said(session, await store.clear(own), () => 'Changes cleared.\n');
    },
  });
}

const SURE_TO_CLEAR = 'Are you sure you want to clear all changes since the last commit?';

export async function rollbackconfig(
  args: readonly string[],
  write: Write,
  { dialogue }: CommandContext,
): Promise<number> {
  const place = placeAlone(args);
  if (place === undefined) return await configOperation('rollback', args, write, usageOf('rollbackconfig'));
  return await onConfiguration(place, write, { usage: '', run: (session) => askAndRollBack(session, dialogue) });
}

async function askAndRollBack(session: ConfigurationContext, dialogue: Dialogue): Promise<number> {
  if (refusedByFile(session)) return 1;
  const { store, write, offline } = session;
  const revisions = await store.history({ limit: MAX_SHOWN_REVISIONS });
  write('Previous commits:\n');
  write(`${'Revision'.padEnd(9)} ${'Committed on'.padEnd(20)} ${'User'.padEnd(15)} Description\n`);
  for (const { number, atMs, author, comment } of revisions)
    write(`${String(number).padEnd(9)} ${isoSeconds(atMs)} ${printable(author).padEnd(15)} ${printable(comment)}\n`);
  const to = await dialogue.ask(
    line<number>({
      text: '\nEnter the number of the revision to go back to.',
      read: (text) =>
        /^\d{1,15}$/.test(text)
          ? { ok: true, value: Number(text) }
          : { ok: false, why: 'A revision is a number of the list.' },
    }),
  );
  const seen = await store.diff('running', to);
  if (!seen.ok) return said(session, seen, () => '');
  const sure = `Are you sure you want to roll back the configuration? ${counted(seen.changes.length, 'key')} would change; uncommitted changes stay uncommitted.`;
  if (!(await dialogue.ask(yesNo(sure, false)))) return 0;
  const comment = await dialogue.ask(
    line({ text: 'Please enter some comments describing why:', preset: `back to revision ${to}` }),
  );
  return said(session, await store.rollback(localAdministrator(), { to, comment }), (committed) =>
    committedLines(committed, offline),
  );
}
