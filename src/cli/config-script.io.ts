/**
 * The configuration commands for scripts: `crlconfig new NAME --type pem --primary-url …`. The options are the keys of the
 * schema. Wrong usage is exit code 2, what the schema or the store refuses 1 with the reason; with --json the answer holds the
 * version of the candidate and what a commit would still refuse. Effects: the configuration, standard output.
 */
import type { Edit } from '../config/configuration-store.ts';
import { isMapping, type Mapping, valueAt } from '../config/document.ts';
import { nameFault } from '../config/schema-place.ts';
import { refuseImpossible, refuseMissing } from '../config/refusals.ts';
import { UsageError } from './arguments.ts';
import { type Collection, type ConfigCommand, type Settings, withArticle } from './collection.ts';
import { type Editor, editedLines } from './editor.io.ts';
import { optionNames, secretOptions, withOptions } from './form.ts';
import { PLACE_OPTIONS, PLACE_USAGE, refusedByFile, said } from './on-configuration.io.ts';
import { readPassword } from './password.io.ts';

type Verb = {
  readonly usage: string;
  readonly names: number;
  /** Takes the keys of the object as options. */
  readonly keys?: true;
  readonly run: (collection: Collection, editor: Editor, names: readonly string[]) => Promise<number>;
};

const VERBS: Readonly<Record<string, Verb>> = {
  list: { usage: '', names: 0, run: list },
  show: { usage: ' NAME', names: 1, run: show },
  new: { usage: ' NAME --KEY VALUE...', names: 1, keys: true, run: create },
  edit: { usage: ' NAME --KEY VALUE...', names: 1, keys: true, run: modify },
  delete: { usage: ' NAME', names: 1, run: remove },
  rename: { usage: ' NAME NEW-NAME', names: 2, run: rename },
};

const typesOf = ({ types }: Collection): Mapping[] =>
  types === undefined ? [{}] : types.options.map(({ value }) => ({ type: value }));

// `--data` says where the configuration is.
const isKey = (name: string): boolean => !PLACE_OPTIONS.some((each) => each === name);
const keysOf = (collection: Collection): string[] =>
  optionNames([...collection.section, 'x'], typesOf(collection)).filter(isKey);
const keysOfSettings = ({ section }: Settings): string[] => optionNames(section, [{}]).filter(isKey);

/** Keys that the objects of a command, and its settings, may have; options of its other operations. */
export function scriptOptions({ collections, settings = [], scripts = {} }: ConfigCommand): string[] {
  const others = Object.values(scripts).flatMap(({ options }) => options);
  return [...new Set([...collections.flatMap(keysOf), ...settings.flatMap(keysOfSettings), ...others])];
}

type Usage = { readonly rows: readonly string[]; readonly keys?: string };

const verbRow = ({ name, collections }: ConfigCommand, { kind }: Collection, verb: string): string =>
  `sallyport ${name} ${collections[0]?.kind === kind ? '' : `${kind} `}${verb}${VERBS[verb]?.usage ?? ''} [--json]`;
const keysRow = (collection: Collection): string =>
  `KEY of ${withArticle(collection.noun)}: ${keysOf(collection).join(', ')}`;
const ofSettings = ({ name }: ConfigCommand, settings: Settings): Usage & { readonly keys: string } => ({
  rows: [`sallyport ${name} ${settings.name} --KEY VALUE... [--json]`],
  keys: `KEY of ${settings.name}: ${keysOfSettings(settings).join(', ')}`,
});
const scriptRows = ({ name, scripts = {} }: ConfigCommand, word: string): string[] =>
  (scripts[word]?.usage ?? []).map((row) => `sallyport ${name} ${`${word} ${row}`.trimEnd()} [--json]`);

const KEYS_NOTE =
  'An empty value removes a key; - stands for a secret, which is asked for or read from standard input.';

export function scriptUsage(command: ConfigCommand): string {
  const { name, collections, settings = [], scripts = {} } = command;
  const keyed = [...collections.map(keysRow), ...settings.map((each) => ofSettings(command, each).keys)];
  const rows = [
    `usage: sallyport ${name} ${PLACE_USAGE}   (asks)`,
    ...[
      ...collections.flatMap((each) => Object.keys(VERBS).map((verb) => verbRow(command, each, verb))),
      ...settings.flatMap((each) => ofSettings(command, each).rows),
      ...Object.keys(scripts).flatMap((word) => scriptRows(command, word)),
    ].map((row) => `  ${row}`),
    ...keyed,
    ...(keyed.length > 0 ? [KEYS_NOTE] : []),
  ];
  return rows.map((row) => `${row}\n`).join('');
}

/** The lines of the operation that was meant; of all, where that cannot be told. */
export function scriptUsageOf(command: ConfigCommand, args: readonly string[]): string {
  const meant = meantBy(command, args);
  if (meant === undefined) return scriptUsage(command);
  const { rows, keys } = meant;
  const lines = [`usage: ${rows.join('\n       ')} ${PLACE_USAGE}`, ...(keys === undefined ? [] : [keys, KEYS_NOTE])];
  return lines.map((line) => `${line}\n`).join('');
}

function meantBy(command: ConfigCommand, args: readonly string[]): Usage | undefined {
  const { collections, settings = [], scripts = {} } = command;
  const [word = '', second = ''] = args.filter((arg) => !arg.startsWith('--'));
  const named = settings.find(({ name }) => name === word);
  if (named !== undefined) return ofSettings(command, named);
  if (Object.hasOwn(scripts, word)) return { rows: scriptRows(command, word) };
  const kind = collections.find((each, i) => i > 0 && each.kind === word);
  const collection = kind ?? collections[0];
  const verb = kind === undefined ? word : second;
  if (collection === undefined || !Object.hasOwn(VERBS, verb)) return undefined;
  const rows = [verbRow(command, collection, verb)];
  return VERBS[verb]?.keys === true ? { rows, keys: keysRow(collection) } : { rows };
}

export async function scripted(command: ConfigCommand, editor: Editor): Promise<number> {
  const [word = '', ...more] = editor.session.rest;
  const settings = command.settings?.find(({ name }) => name === word);
  if (settings !== undefined && more.length === 0) return await change(settings, editor);
  const script = Object.hasOwn(command.scripts ?? {}, word) ? command.scripts?.[word] : undefined;
  if (script !== undefined) return await script.run(editor, more);
  const kind = command.collections.find((each, i) => i > 0 && each.kind === word);
  const collection = kind ?? command.collections[0];
  const [name = '', ...names] = kind === undefined ? [word, ...more] : more;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (collection === undefined || verb === undefined) throw new UsageError(`there is no operation ${name}`);
  if (names.length !== verb.names) throw new UsageError(`${name} needs${verb.usage}`);
  if (verb.keys !== true && keysGiven(editor).length > 0) throw new UsageError(`${name} takes no keys`);
  if (!['list', 'show'].includes(name) && refusedByFile(editor.session)) return 1;
  return await verb.run(collection, editor, names);
}

const keysGiven = ({ session }: Editor): [string, string][] =>
  Object.entries(session.parsed.options).filter(([name]) => !PLACE_OPTIONS.some((each) => each === name));

async function list(collection: Collection, editor: Editor): Promise<number> {
  const document = await editor.document();
  const objects = valueAt(document, collection.section) ?? {};
  const rows = Object.entries(isMapping(objects) ? objects : {});
  return said(
    editor.session,
    { ok: true, objects },
    () => rows.map(([name, object]) => `${`${name} ${collection.row(object, document)}`.trimEnd()}\n`).join(''),
    { json: (answer) => answer.objects },
  );
}

async function show(
  { section, noun, summary }: Collection,
  editor: Editor,
  [name = '']: readonly string[],
): Promise<number> {
  const document = await editor.document();
  const value = valueAt(document, [...section, name]);
  const answer = value === undefined ? refuseMissing(`there is no ${noun} ${name}`) : { ok: true as const, value };
  return said(
    editor.session,
    answer,
    (found) => (summary === undefined ? `${JSON.stringify(found.value, null, 2)}\n` : `${summary(name, document)}\n`),
    {
      json: (found) => found.value,
    },
  );
}

async function create(collection: Collection, editor: Editor, [name = '']: readonly string[]): Promise<number> {
  const { section, noun, begin = {}, types } = collection;
  if (types !== undefined && editor.session.parsed.options['type'] === undefined)
    throw new UsageError(`--type is needed: ${types.options.map(({ value }) => value).join(' or ')}`);
  const bad = nameFault(section, name);
  if (bad !== undefined) return said(editor.session, refuseImpossible(`${JSON.stringify(name)}: ${bad}`), () => '');
  const document = await editor.document();
  if (valueAt(document, [...section, name]) !== undefined)
    return said(editor.session, refuseImpossible(`there is ${withArticle(noun)} ${name} already`), () => '');
  return await put({ path: [...section, name], object: begin, document }, editor);
}

async function modify({ section, noun }: Collection, editor: Editor, [name = '']: readonly string[]): Promise<number> {
  const document = await editor.document();
  const object = valueAt(document, [...section, name]);
  if (!isMapping(object)) return said(editor.session, refuseMissing(`there is no ${noun} ${name}`), () => '');
  return await put({ path: [...section, name], object, document }, editor);
}

async function change({ section }: Settings, editor: Editor): Promise<number> {
  if (refusedByFile(editor.session)) return 1;
  const document = await editor.document();
  const object = valueAt(document, section);
  return await put({ path: section, object: isMapping(object) ? object : {}, document }, editor);
}

type Put = { readonly path: readonly string[]; readonly object: Mapping; readonly document: Mapping };

async function put({ path, object, document }: Put, editor: Editor): Promise<number> {
  const options = Object.fromEntries(keysGiven(editor));
  const changed = withOptions(object, { options, typed: await typedSecrets(path, options) }, { path, document });
  if (!changed.ok) return said(editor.session, refuseImpossible(changed.why), () => '');
  return await apply(editor, { op: 'set', path, value: changed.value });
}

/** A secret is asked for, or a line of standard input, where its option is `-`. */
async function typedSecrets(
  path: readonly string[],
  options: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const typed: Record<string, string> = {};
  for (const name of secretOptions(path, [{}]))
    if (options[name] === '-') typed[name] = await readPassword(`Secret for --${name}`);
  return typed;
}

async function remove({ section, noun }: Collection, editor: Editor, [name = '']: readonly string[]): Promise<number> {
  const path = [...section, name];
  if (valueAt(await editor.document(), path) !== undefined) return await apply(editor, { op: 'delete', path });
  return said(editor.session, refuseMissing(`there is no ${noun} ${name}`), () => '');
}

async function rename(
  { section }: Collection,
  editor: Editor,
  [name = '', to = '']: readonly string[],
): Promise<number> {
  return await apply(editor, { op: 'rename', path: [...section, name], to });
}

async function apply(editor: Editor, edit: Edit): Promise<number> {
  return said(editor.session, await editor.edit([edit]), editedLines);
}
