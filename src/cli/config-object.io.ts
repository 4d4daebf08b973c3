/**
 * What the dialogue of a configuration command does to named objects: list them, create, modify, remove, rename.
 * Effects: the configuration, the dialogue.
 */
import type { Edit } from '../config/configuration-store.ts';
import { isMapping, isSame, type Json, type Mapping, valueAt } from '../config/document.ts';
import { nameFault } from '../config/schema-place.ts';
import { type Collection, type Settings, withArticle } from './collection.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { fillIn } from './form.io.ts';
import { choice, line, type Understood, yesNo } from './question.ts';

const objectsOf = (document: Mapping, { section }: Pick<Collection, 'section'>): Mapping => {
  const found = valueAt(document, section);
  return isMapping(found) ? found : {};
};

const rowsOf = (collection: Collection, document: Mapping) =>
  Object.entries(objectsOf(document, collection)).map(([name, object]) => {
    const row = collection.row(object, document);
    return { value: name, name, label: row === '' ? name : `${name} ${row}` };
  });

export function listText(collection: Collection, document: Mapping): string {
  const rows = rowsOf(collection, document);
  if (rows.length === 0) return `There is no ${collection.noun} yet.`;
  return [`Currently configured:`, ...rows.map(({ label }, i) => `${i + 1}. ${label}`)].join('\n');
}

export function collectionOperations(collection: Collection, editor: Editor): MenuOperation[] {
  const { noun } = collection;
  return [
    {
      name: 'new',
      does: `Create a new ${noun}.`,
      run: () => (collection.create ?? ((each) => create(collection, each)))(editor),
    },
    { name: 'edit', does: `Modify ${withArticle(noun)}.`, run: () => modify(collection, editor) },
    { name: 'delete', does: `Remove ${withArticle(noun)}.`, run: () => remove(collection, editor) },
    { name: 'rename', does: `Give ${withArticle(noun)} another name.`, run: () => pickAndRename(collection, editor) },
  ];
}

/** A collection within the menu of another one. */
export const innerMenu = (collection: Collection, editor: Editor): MenuOperation => ({
  name: collection.kind,
  does: `Create, modify and remove: ${collection.noun}.`,
  looks: true,
  run: () =>
    editor.menu(
      async () => listText(collection, await editor.document()),
      async () => collectionOperations(collection, editor),
    ),
});

export function settingsOperation({ name, does, section, fields, ask }: Settings, editor: Editor): MenuOperation {
  if (ask !== undefined) return { name, does, run: () => ask(editor) };
  return {
    name,
    does,
    run: async () => {
      const document = await editor.document();
      const before = valueAt(document, section);
      const object = isMapping(before) ? before : {};
      const after = await fillIn(editor.dialogue, fields(object, document), object, { path: section, document });
      await keep(editor, { op: 'set', path: section, value: after }, object);
    },
  };
}

export async function create(collection: Collection, editor: Editor): Promise<void> {
  const { dialogue } = editor;
  const document = await editor.document();
  const name = await askNewName(collection, editor, document);
  const type =
    collection.types === undefined
      ? {}
      : { type: await dialogue.ask(choice(collection.types.ask, collection.types.options)) };
  const begin: Mapping = { ...type, ...collection.begin };
  const path = [...collection.section, name];
  const value = await fillIn(dialogue, collection.fields(begin, document, name), begin, { path, document });
  await editor.change([{ op: 'set', path, value }]);
}

export async function askNewName(
  { section, askName, noun }: Collection,
  { dialogue }: Editor,
  document: Mapping,
): Promise<string> {
  const names = Object.keys(objectsOf(document, { section }));
  return await dialogue.ask(line({ text: askName, read: (text) => newName(text, { section, noun, names }) }));
}

type Names = { readonly section: readonly string[]; readonly noun: string; readonly names: readonly string[] };

export function newName(text: string, { section, noun, names }: Names): Understood<string> {
  const why = nameFault(section, text);
  if (why !== undefined)
    return { ok: false, why: `${JSON.stringify(text)} is no name for ${withArticle(noun)}: ${why}.` };
  if (names.includes(text)) return { ok: false, why: `There is ${withArticle(noun)} ${text} already.` };
  return { ok: true, value: text };
}

/** Undefined where there is none; then that was said. */
async function pick(collection: Collection, editor: Editor, what: string): Promise<string | undefined> {
  const rows = rowsOf(collection, await editor.document());
  if (rows.length > 0)
    return await editor.dialogue.ask(
      choice(`Enter the name or number of the ${collection.noun} you wish to ${what}.`, rows),
    );
  editor.dialogue.write(`There is no ${collection.noun} yet.\n\n`);
  return undefined;
}

async function modify(collection: Collection, editor: Editor): Promise<void> {
  const name = await pick(collection, editor, 'edit');
  if (name === undefined) return;
  editor.dialogue.write('\n');
  if (collection.modify !== undefined) {
    await collection.modify(editor, name);
    return;
  }
  if (collection.edit === undefined) {
    await modifyByForm(collection, editor, name);
    return;
  }
  const { heading, operations } = collection.edit(editor, name);
  await editor.menu(heading, operations);
}

/** The questions of the form with what is there in the brackets. */
export async function modifyByForm(
  { section, fields }: Pick<Collection, 'section' | 'fields'>,
  editor: Editor,
  name: string,
): Promise<void> {
  const document = await editor.document();
  const path = [...section, name];
  const before = valueAt(document, path);
  const object = isMapping(before) ? before : {};
  const value = await fillIn(editor.dialogue, fields(object, document, name), object, { path, document });
  await keep(editor, { op: 'set', path, value }, object);
}

async function keep(editor: Editor, edit: Extract<Edit, { op: 'set' }>, before: Json): Promise<void> {
  if (isSame(edit.value, before)) editor.dialogue.write('Nothing was changed.\n\n');
  else await editor.change([edit]);
}

export async function remove(collection: Collection, editor: Editor): Promise<void> {
  const name = await pick(collection, editor, 'remove');
  if (name === undefined) return;
  const sure = yesNo(`Are you sure you want to delete the ${collection.noun} ${name}?`, false);
  if (await editor.dialogue.ask(sure)) await editor.change([{ op: 'delete', path: [...collection.section, name] }]);
}

async function pickAndRename(collection: Collection, editor: Editor): Promise<void> {
  const name = await pick(collection, editor, 'rename');
  if (name !== undefined) await rename(collection, editor, name);
}

/** The name that it has then. */
export async function rename(collection: Collection, editor: Editor, name: string): Promise<string> {
  const to = await askNewName(collection, editor, await editor.document());
  const renamed = await editor.change([{ op: 'rename', path: [...collection.section, name], to }]);
  return renamed ? to : name;
}
