/**
 * `smtproutes`: where mail for a domain goes. In the dialogue NEW, EDIT, DELETE, PRINT, IMPORT, EXPORT, CLEAR; the same words
 * for scripts. Effects: the configuration, the dialogue, files.
 */
import { thereAre } from '../core/counted.ts';
import type { Edit } from '../config/configuration-store.ts';
import { isMapping, type Mapping } from '../config/document.ts';
import { routeKeyFault } from '../config/semantics-delivery.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { UsageError } from './arguments.ts';
import type { ConfigCommand, ExtraOperation, Script } from './collection.ts';
import { Interrupted } from './dialogue.io.ts';
import { type Editor, editedLines } from './editor.io.ts';
import { shown } from './form.ts';
import { refusedByFile, said } from './on-configuration.io.ts';
import { choice, line, required, type Understood, yesNo } from './question.ts';
import { hostsFault, hostsOf, parseRoutes, routeLine, routesText } from './smtp-routes-text.ts';
import { readTextOf, writeNewFile } from './text-files.io.ts';

const SECTION = ['smtpRoutes'];

const ASK_DOMAIN = [
  'Enter the domain for which you want a permanent route to the destination hosts.',
  'Partial hostnames such as ".example.com" are allowed.',
  'Use "ALL" for the default route.',
].join('\n');

const askHosts = (domain: string): string =>
  [
    `Enter the destination hosts, separated by commas, to which you want mail for ${domain} to be delivered.`,
    'Enter USEDNS by itself to use normal DNS resolution for this route.',
    'Enter /dev/null by itself if you wish to discard the mail.',
  ].join('\n');

async function routesOf(editor: Editor): Promise<Mapping> {
  const { smtpRoutes } = await editor.document();
  return isMapping(smtpRoutes) ? smtpRoutes : {};
}

const put = (domain: string, hosts: readonly string[]): Edit => ({
  op: 'set',
  path: [...SECTION, domain],
  value: hosts,
});

function readHosts(domain: string, text: string): Understood<readonly string[]> {
  const hosts = hostsOf(text);
  const why = hostsFault(domain, hosts);
  return why === undefined ? { ok: true, value: hosts } : { ok: false, why };
}

async function pick(editor: Editor, what: string): Promise<string> {
  const rows = Object.entries(await routesOf(editor)).map(([domain, hosts]) => ({
    value: domain,
    name: domain,
    label: routeLine(domain, hosts),
  }));
  if (rows.length === 0) {
    editor.dialogue.write('There are no routes.\n');
    throw new Interrupted();
  }
  return await editor.dialogue.ask(choice(`Enter the domain or number of the route you wish to ${what}.`, rows));
}

async function create(editor: Editor): Promise<void> {
  const known = await routesOf(editor);
  const read = (text: string): Understood<string> => {
    const why =
      routeKeyFault(text) ?? (Object.hasOwn(known, text) ? `there is a route for ${text} already` : undefined);
    return why === undefined ? { ok: true, value: text } : { ok: false, why };
  };
  const domain = await editor.dialogue.ask(line({ text: ASK_DOMAIN, read }));
  const hosts = await editor.dialogue.ask(
    line<readonly string[]>({ text: askHosts(domain), read: (text) => readHosts(domain, text) }),
  );
  if (await editor.change([put(domain, hosts)]))
    editor.dialogue.write(`Mapping for ${domain} to ${hosts.join(', ')} created.\n\n`);
}

async function modify(editor: Editor): Promise<void> {
  const domain = await pick(editor, 'edit');
  const preset = shown((await routesOf(editor))[domain] ?? '');
  const hosts = await editor.dialogue.ask(
    line<readonly string[]>({ text: askHosts(domain), preset, read: (text) => readHosts(domain, text) }),
  );
  await editor.change([put(domain, hosts)]);
}

const EXTRAS: readonly ExtraOperation[] = [
  { name: 'new', does: 'Create a new route.', run: create },
  { name: 'edit', does: 'Edit destinations of an existing route.', run: modify },
  {
    name: 'delete',
    does: 'Remove a route.',
    run: async (editor) =>
      void (await editor.change([{ op: 'delete', path: [...SECTION, await pick(editor, 'delete')] }])),
  },
  {
    name: 'print',
    does: 'Display all routes.',
    looks: true,
    run: async (editor) => editor.dialogue.write(`${routesText(await routesOf(editor))}\n`),
  },
  {
    name: 'import',
    does: 'Import new routes from a file.',
    run: async (editor) => {
      const read = readFile(
        await editor.dialogue.ask(line({ text: 'Enter the name of the file to import.', read: required })),
      );
      if (read.ok) await editor.change([{ op: 'set', path: SECTION, value: read.routes }]);
      else editor.dialogue.write(`${read.why}\n\n`);
    },
  },
  {
    name: 'export',
    does: 'Export all routes to a file.',
    looks: true,
    run: async (editor) => {
      const file = await editor.dialogue.ask(line({ text: 'Enter the name of the file.', read: required }));
      editor.dialogue.write(`${writeNewFile(file, routesText(await routesOf(editor))).text}\n\n`);
    },
  },
  {
    name: 'clear',
    does: 'Remove all routes.',
    run: async (editor) => {
      if (await editor.dialogue.ask(yesNo('Are you sure you want to remove all routes?', false)))
        await editor.change([{ op: 'set', path: SECTION, value: {} }]);
    },
  },
];

function readFile(file: string): ReturnType<typeof parseRoutes> {
  const read = readTextOf(file);
  if (!read.ok) return read;
  const parsed = parseRoutes(read.text);
  return parsed.ok ? parsed : { ok: false, why: `${file}: ${parsed.why}` };
}

type Change = (editor: Editor, words: readonly string[]) => Promise<readonly Edit[] | string>;

/** A script's change: the edits, or why not. */
const changing = (usage: string, change: Change): Script => ({
  usage: [usage],
  options: [],
  run: async (editor, words) => {
    if (refusedByFile(editor.session)) return 1;
    const edits = await change(editor, words);
    if (typeof edits === 'string') return said(editor.session, refuseImpossible(edits), () => '');
    return said(editor.session, await editor.edit(edits), editedLines);
  },
});

const routeGiven =
  (mayBeThere: boolean): Change =>
  async (editor, [domain = '', list = '', ...more]) => {
    if (list === '' || more.length > 0) throw new UsageError('DOMAIN and HOST,HOST are needed');
    const there = Object.hasOwn(await routesOf(editor), domain);
    if (there !== mayBeThere)
      return there ? `there is a route for ${domain} already` : `there is no route for ${domain}`;
    const hosts = readHosts(domain, list);
    return routeKeyFault(domain) ?? (hosts.ok ? [put(domain, hosts.value)] : hosts.why);
  };

export const SMTPROUTES: ConfigCommand = {
  name: 'smtproutes',
  collections: [],
  heading: ({ smtpRoutes }) => {
    const count = isMapping(smtpRoutes) ? Object.keys(smtpRoutes).length : 0;
    return count === 0 ? 'There are currently no routes configured.' : `${thereAre(count, 'route')} configured.`;
  },
  extras: EXTRAS,
  scripts: {
    print: {
      usage: [''],
      options: [],
      run: async (editor) => {
        const routes = await routesOf(editor);
        return said(editor.session, { ok: true, routes }, () => routesText(routes), {
          json: (answer) => answer.routes,
        });
      },
    },
    new: changing('DOMAIN HOST,HOST', routeGiven(false)),
    edit: changing('DOMAIN HOST,HOST', routeGiven(true)),
    delete: changing('DOMAIN', async (editor, [domain = '']) =>
      Object.hasOwn(await routesOf(editor), domain)
        ? [{ op: 'delete', path: [...SECTION, domain] }]
        : `there is no route for ${domain}`,
    ),
    import: changing('FILE', async (_editor, [file = '']) => {
      const read = readFile(file);
      return read.ok ? [{ op: 'set', path: SECTION, value: read.routes }] : read.why;
    }),
    export: {
      usage: ['FILE'],
      options: [],
      run: async (editor, [file = '']) => {
        const written = writeNewFile(file, routesText(await routesOf(editor)));
        if (!written.ok) return said(editor.session, refuseImpossible(written.text), () => '');
        return said(editor.session, { ok: true, file }, () => `${written.text}\n`);
      },
    },
    clear: changing('', async () => [{ op: 'set', path: SECTION, value: {} }]),
  },
};
