/**
 * A configuration command made of its description (`collection.ts`): the dialogue with NEW, EDIT, DELETE and what else it has
 * when asked nothing, `NAME new|edit|delete|rename|show|list [OBJECT] --key value` for scripts. Both change the candidate of
 * the account. Effects: the configuration, the dialogue.
 */
import type { Mapping } from '../config/document.ts';
import type { Write } from './arguments.ts';
import type { ConfigCommand } from './collection.ts';
import type { CommandContext } from './command.ts';
import { collectionOperations, innerMenu, listText, settingsOperation } from './config-object.io.ts';
import { scripted, scriptOptions, scriptUsageOf } from './config-script.io.ts';
import { Editor } from './editor.io.ts';
import { onConfiguration, placeAlone } from './on-configuration.io.ts';

export async function configCommand(
  command: ConfigCommand,
  args: readonly string[],
  { write, context }: { readonly write: Write; readonly context: CommandContext },
): Promise<number> {
  const place = placeAlone(args);
  const { dialogue } = context;
  if (place === undefined) {
    return await onConfiguration(args, write, {
      usage: scriptUsageOf(command, args),
      options: scriptOptions(command),
      flags: ['json'],
      least: 1,
      most: 4,
      run: (session) => scripted(command, new Editor(session, dialogue)),
    });
  }
  return await onConfiguration(place, write, {
    usage: '',
    run: async (session) => {
      await commandMenu(command, new Editor(session, dialogue));
      return 0;
    },
  });
}

/** The dialogue, which may also stand within that of another command. */
export async function commandMenu(command: ConfigCommand, editor: Editor): Promise<void> {
  const [first, ...others] = command.collections;
  await editor.menu(
    async () => headingOf(command, await editor.document()),
    async () => [
      ...(first === undefined ? [] : collectionOperations(first, editor)),
      ...others.map((each) => innerMenu(each, editor)),
      ...(command.settings ?? []).map((each) => settingsOperation(each, editor)),
      ...(command.extras ?? []).map((each) => ({ ...each, run: () => each.run(editor) })),
    ],
  );
}

function headingOf({ heading, collections }: ConfigCommand, document: Mapping): string {
  const [first] = collections;
  if (heading !== undefined) return heading(document);
  return first === undefined ? '' : listText(first, document);
}
