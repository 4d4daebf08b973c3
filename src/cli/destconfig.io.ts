/**
 * `destconfig`: limits and TLS by destination, as AsyncOS asks: SETUP, NEW, EDIT, DELETE, DEFAULT, LIST, DETAIL, CLEAR,
 * IMPORT, EXPORT. Effects: the configuration, the dialogue, files.
 */
import { counted, thereAre } from '../core/counted.ts';
import type { Edit } from '../config/configuration-store.ts';
import { isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { faultAt } from '../config/schema-place.ts';
import { destinationKeyFault } from '../config/semantics-destinations.ts';
import type { ConfigCommand, ExtraOperation, Script } from './collection.ts';
import { defaultEntry, domainsOf, entryRow, iniText, limitText, listText, parseIni } from './destination-text.ts';
import { type Editor, editedLines } from './editor.io.ts';
import { shown, withValue } from './form.ts';
import { refusedByFile, said } from './on-configuration.io.ts';
import { choice, line, type Question, required, type Understood, yesNo } from './question.ts';
import { readTextOf, writeNewFile } from './text-files.io.ts';

const SECTION = ['destinationControls'];
const DOMAINS = [...SECTION, 'domains'];

/** A number that the schema takes at this key. */
function number(text: string, path: readonly string[], preset: Json | undefined): Question<number> {
  return line<number>({
    text,
    ...(preset === undefined ? {} : { preset: shown(preset) }),
    read: (given): Understood<number> => {
      const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
      const why = Number.isNaN(value) ? 'a whole number is needed' : faultAt({}, path, value);
      return why === undefined ? { ok: true, value } : { ok: false, why: `${path.at(-1)}: ${why}` };
    },
  });
}

type Asked = { readonly path: readonly string[]; readonly entry: Mapping; readonly otherwise: Mapping };

const TLS = [
  { value: 'off', label: 'No' },
  { value: 'preferred', label: 'Preferred' },
  { value: 'required', label: 'Required' },
];

/** Each key is left to Default, or asked for. */
async function askEntry({ dialogue }: Editor, what: string, asked: Asked, isDefault: boolean): Promise<Mapping> {
  const { path, otherwise } = asked;
  let { entry } = asked;
  const keep = (key: string, value: Json | undefined): void => {
    const next = withValue(entry, [key], value);
    entry = isMapping(next) ? next : entry;
  };
  const wants = async (key: string, text: string): Promise<boolean> =>
    isDefault || (await dialogue.ask(yesNo(text, entry[key] !== undefined)));
  const now = (key: string): Json | undefined => entry[key] ?? otherwise[key];

  const concurrency = await wants('maxConnections', `Do you wish to configure a concurrency limit for ${what}?`);
  const limit = number('Enter the max concurrency limit.', [...path, 'maxConnections'], now('maxConnections'));
  keep('maxConnections', concurrency ? await dialogue.ask(limit) : undefined);

  const messages = await wants(
    'maxMessagesPerConnection',
    'Do you wish to apply a messages-per-connection limit to this domain?',
  );
  const most = number(
    'Enter the maximum number of messages per connection.',
    [...path, 'maxMessagesPerConnection'],
    now('maxMessagesPerConnection'),
  );
  keep('maxMessagesPerConnection', messages ? await dialogue.ask(most) : undefined);

  const limited = isDefault
    ? isMapping(now('recipientLimit'))
    : entry['recipientLimit'] !== undefined && entry['recipientLimit'] !== 'none';
  if (await dialogue.ask(yesNo('Do you wish to apply a recipient limit to this domain?', limited)))
    keep('recipientLimit', await askRecipientLimit(dialogue, path, now('recipientLimit')));
  else keep('recipientLimit', !isDefault && isMapping(otherwise['recipientLimit']) ? 'none' : undefined);

  const tls = await wants('tls', 'Do you wish to apply a specific TLS setting for this domain?');
  const setting = choice('Do you want to use TLS support?', TLS, shown(now('tls') ?? ''));
  keep('tls', tls ? await dialogue.ask(setting) : undefined);
  dialogue.write('\n');
  return entry;
}

async function askRecipientLimit(
  dialogue: Editor['dialogue'],
  path: readonly string[],
  current: Json | undefined,
): Promise<Mapping> {
  const before = isMapping(current) ? current : {};
  const within = (key: string) => (value: number) => ({ recipients: 1, minutes: 60, ...before, [key]: value });
  const ask = (text: string, key: string, preset: Json | undefined): Promise<number> =>
    dialogue.ask(
      line<number>({
        text,
        ...(preset === undefined ? {} : { preset: shown(preset) }),
        read: (given) => {
          const value = /^\d{1,9}$/.test(given) ? Number(given) : -1;
          const why = faultAt({}, [...path, 'recipientLimit'], within(key)(value));
          return why === undefined
            ? { ok: true, value }
            : { ok: false, why: value < 0 ? 'A whole number is needed.' : why };
        },
      }),
    );
  const minutes = await ask(
    'Enter the number of minutes used to measure the recipient limit.',
    'minutes',
    before['minutes'] ?? 60,
  );
  const recipients = await ask(
    `Enter the max number of recipients per ${counted(minutes, 'minute')}.`,
    'recipients',
    before['recipients'],
  );
  return { recipients, minutes };
}

async function create(editor: Editor): Promise<void> {
  const known = domainsOf(await editor.document());
  const read = (text: string): Understood<string> => {
    const why =
      destinationKeyFault(text) ?? (Object.hasOwn(known, text) ? `there is an entry for ${text} already` : undefined);
    return why === undefined ? { ok: true, value: text } : { ok: false, why };
  };
  const domain = await editor.dialogue.ask(line({ text: 'Enter the domain you wish to configure.', read }));
  editor.dialogue.write('\n');
  await putEntry(editor, domain, {});
}

async function modify(editor: Editor, domain: string): Promise<void> {
  const before = valueAt(await editor.document(), [...DOMAINS, domain]);
  await putEntry(editor, domain, isMapping(before) ? before : {});
}

async function changeDefault(editor: Editor): Promise<void> {
  const document = await editor.document();
  const path = [...SECTION, 'default'];
  const before = valueAt(document, path);
  const entry = isMapping(before) ? before : {};
  const value = await askEntry(editor, 'the default', { path, entry, otherwise: defaultEntry(document) }, true);
  await editor.change([{ op: 'set', path, value }]);
}

async function putEntry(editor: Editor, domain: string, entry: Mapping): Promise<void> {
  const path = [...DOMAINS, domain];
  const otherwise = defaultEntry(await editor.document());
  const value = await askEntry(editor, domain, { path, entry, otherwise }, false);
  await editor.change([{ op: 'set', path, value }]);
}

const EXTRAS: readonly ExtraOperation[] = [
  {
    name: 'list',
    does: 'Display a summary list of all entries.',
    looks: true,
    run: async (editor) => editor.dialogue.write(`${listText(await editor.document())}\n`),
  },
  {
    name: 'clear',
    does: 'Remove all entries.',
    run: async (editor) => {
      if (await editor.dialogue.ask(yesNo('Are you sure you want to remove all entries?', false)))
        await editor.change([{ op: 'set', path: DOMAINS, value: {} }]);
    },
  },
  {
    name: 'import',
    does: 'Import tables from a file.',
    run: async (editor) => {
      const file = await editor.dialogue.ask(line({ text: 'Enter the name of the file to import.', read: required }));
      const read = readFile(file);
      if (!read.ok) {
        editor.dialogue.write(`${read.why}\n\n`);
        return;
      }
      for (const each of read.left) editor.dialogue.write(`Not taken over, there is no such setting here: ${each}\n`);
      await editor.change(read.edits);
    },
  },
  {
    name: 'export',
    does: 'Export tables to a file.',
    looks: true,
    run: async (editor) => {
      const file = await editor.dialogue.ask(line({ text: 'Enter the name of the file.', read: required }));
      editor.dialogue.write(`${writeNewFile(file, iniText(await editor.document())).text}\n\n`);
    },
  },
];

type ReadFile =
  | { readonly ok: true; readonly edits: readonly Edit[]; readonly left: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** The tables are replaced as a whole. */
function readFile(file: string): ReadFile {
  const text = readTextOf(file);
  if (!text.ok) return text;
  const parsed = parseIni(text.text);
  if (!parsed.ok) return { ok: false, why: `${file}: ${parsed.why}` };
  const { common, domains, sendTlsRequiredAlert, left } = parsed;
  const edits: Edit[] = [
    { op: 'set', path: [...SECTION, 'default'], value: common },
    { op: 'set', path: DOMAINS, value: domains },
  ];
  if (sendTlsRequiredAlert !== undefined)
    edits.push({ op: 'set', path: [...SECTION, 'sendTlsRequiredAlert'], value: sendTlsRequiredAlert });
  return { ok: true, edits, left };
}

const importScript: Script = {
  usage: ['FILE'],
  options: [],
  run: async (editor, [file = '']) => {
    const { session } = editor;
    if (refusedByFile(session)) return 1;
    const read = readFile(file);
    if (!read.ok) return said(session, refuseImpossible(read.why), () => '');
    const answer = await editor.edit(read.edits);
    return said(session, answer.ok ? { ...answer, notTakenOver: read.left } : answer, (edited) =>
      [
        ...read.left.map((each) => `not taken over, there is no such setting here: ${each}\n`),
        editedLines(edited),
      ].join(''),
    );
  },
};

const exportScript: Script = {
  usage: ['FILE'],
  options: [],
  run: async (editor, [file = '']) => {
    const written = writeNewFile(file, iniText(await editor.document()));
    if (!written.ok) return said(editor.session, refuseImpossible(written.text), () => '');
    return said(editor.session, { ok: true, file }, () => `${written.text}\n`);
  },
};

export const DESTCONFIG: ConfigCommand = {
  name: 'destconfig',
  heading: (document) => {
    const count = Object.keys(domainsOf(document)).length;
    return `${thereAre(count, 'entry', 'entries')} configured.\nDefault: ${entryRow(defaultEntry(document))}`;
  },
  collections: [
    {
      kind: 'domain',
      section: DOMAINS,
      noun: 'entry',
      askName: 'Enter the domain you wish to configure.',
      fields: () => [],
      row: entryRow,
      create,
      modify,
      summary: (name, document) => {
        const entry = valueAt(document, [...DOMAINS, name]);
        const { recipientLimit }: Mapping = isMapping(entry) ? entry : {};
        return `${name}\n  ${entryRow(entry ?? {})}\n  Recipient limit: ${limitText(recipientLimit)}`;
      },
    },
  ],
  settings: [
    {
      name: 'setup',
      does: 'Change global settings.',
      section: SECTION,
      fields: () => [
        {
          key: 'sendTlsRequiredAlert',
          ask: 'Do you want to send an alert when a required TLS connection fails?',
        },
      ],
    },
    {
      name: 'default',
      does: 'Change the default.',
      section: [...SECTION, 'default'],
      fields: () => [],
      ask: changeDefault,
    },
    {
      name: 'concurrency',
      does: 'Change the limit of all destinations together.',
      section: ['delivery'],
      fields: () => [{ key: 'maxConnections', ask: 'Enter the maximum outbound concurrency, to all hosts together.' }],
    },
  ],
  extras: EXTRAS,
  scripts: { import: importScript, export: exportScript },
};
