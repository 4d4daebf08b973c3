/**
 * `listenerconfig`: what the gateway listens on, who may connect and on which terms, as the AsyncOS guide walks through it.
 * Effects: the configuration, the dialogue, the names of this machine's interfaces.
 */
import { networkInterfaces } from 'node:os';
import { type Json, type Mapping, valueAt } from '../config/document.ts';
import type { Collection, ConfigCommand } from './collection.ts';
import { askNewName, modifyByForm, rename } from './config-object.io.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { fillIn } from './form.io.ts';
import { type Field, reader } from './form.ts';
import { keysAt } from '../config/schema-place.ts';
import { HostAccess } from './hostaccess.io.ts';
import { hostAccessScript } from './hostaccess-script.io.ts';
import { type Interface, listenerRow, listenerSummary } from './listener-summary.ts';
import { defaultPolicyFields, MAIL_FLOW_POLICIES } from './mail-flow-policy.ts';
import { choice, line, type Option, type Understood } from './question.ts';
import { ASK_RECIPIENTS, RecipientAccess } from './rcptaccess.io.ts';

const SECTION = ['listeners'];

const interfaces = (): Interface[] =>
  Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ address }) => !address.startsWith('fe80:'))
      .map(({ address, cidr }) => ({ name, address, cidr: cidr ?? address })),
  );

const TLS_MODE: Field = {
  key: 'tlsMode',
  ask: 'Choose a protocol.',
  labels: { starttls: 'SMTP', implicit: 'SMTPS (TLS from the first octet)' },
};

const FORMS: Readonly<Record<string, { readonly does: string; readonly fields: readonly Field[] }>> = {
  interface: {
    does: 'Change the interface.',
    fields: [
      TLS_MODE,
      {
        key: 'address',
        ask: 'Enter the addresses to listen on, with commas between (IPv4:port, [IPv6]:port or :port).',
      },
    ],
  },
  certificate: {
    does: 'Choose the certificate.',
    fields: [
      {
        key: 'certificate',
        ask: 'Please choose the certificate to apply (None: the demonstration certificate, which is not secure):',
      },
    ],
  },
  limits: {
    does: 'Change the injection limits.',
    fields: [
      {
        key: 'maxConcurrency',
        ask: 'Enter the maximum number of concurrent connections; empty for 1000 (public) or 600 (private).',
      },
      { key: 'tcpQueue', ask: 'Enter the TCP listen queue size.' },
      { key: 'unsuccessfulTimeout', ask: 'Enter the timeout for unsuccessful inbound connections.' },
      { key: 'totalTimeout', ask: 'Enter the total time limit for all inbound connections.' },
    ],
  },
  setup: {
    does: 'Configure general options.',
    fields: [
      { key: 'defaultDomain', ask: 'Enter the default domain, which completes addresses that have none.' },
      { key: 'receivedHeader', ask: 'Would you like to add a Received: header?' },
      {
        key: 'bareLineEnds',
        ask: 'What should happen to messages with bare CR and LF characters?',
        labels: { reject: 'Reject', clean: 'Clean' },
      },
    ],
  },
  smtpauth: {
    does: 'Choose the SMTP authentication profile.',
    fields: [{ key: 'smtpAuthProfile', ask: 'Please choose the SMTP Authentication profile:' }],
  },
};

const LISTENERS: Collection = {
  kind: 'listener',
  section: SECTION,
  noun: 'listener',
  askName: 'Please create a name for this listener (Ex: "InboundMail"):',
  // For scripts: nobody may connect until sender groups are there.
  begin: { hat: [{ senderGroup: 'ALL', policy: 'BLOCKED' }] },
  fields: () => Object.values(FORMS).flatMap(({ fields }) => fields),
  row: (object) => listenerRow(object, interfaces()),
  summary: (name, document) => listenerSummary(name, { document, interfaces: interfaces() }),
  create: createListener,
  edit: editListener,
};

async function createListener(editor: Editor): Promise<void> {
  const { dialogue } = editor;
  const type = await dialogue.ask(
    choice(
      'Please select the type of listener you want to create.',
      [
        { value: 'private', label: 'Private' },
        { value: 'public', label: 'Public' },
      ],
      'public',
    ),
  );
  const document = await editor.document();
  const name = await askNewName(LISTENERS, editor, document);
  const host = await askInterface(editor);
  const path = [...SECTION, name];
  const begun = await fillIn(dialogue, [TLS_MODE], { type }, { path, document });
  const address = await askPort(editor, host, { begun, path, document });
  const access =
    type === 'public' ? await acceptedFor(editor, { path, document }) : await relayedFrom(editor, { path, document });
  dialogue.write('\n');
  const changed = await editor.change([{ op: 'set', path, value: { ...begun, address: [address], ...access } }]);
  if (!changed) return;
  dialogue.write(
    [
      `Listener ${name} created.`,
      `Defaults have been set for a ${type} listener.`,
      'Use the listenerconfig->EDIT command to customize the listener.\n\n',
    ].join('\n'),
  );
}

async function askInterface({ dialogue }: Editor): Promise<string> {
  const options: Option<string>[] = interfaces().map(({ name, address, cidr }) => ({
    value: address.includes(':') ? `[${address}]` : address,
    name: address,
    label: `${name} (${cidr})`,
  }));
  return await dialogue.ask(
    choice('Please choose an IP interface for this Listener.', [...options, { value: '', label: 'All' }]),
  );
}

type Begun = { readonly begun: Mapping; readonly path: readonly string[]; readonly document: Mapping };

async function askPort({ dialogue }: Editor, host: string, { begun, path, document }: Begun): Promise<string> {
  const key = keysAt(path, begun).find((each) => each.path[0] === 'address');
  const read = (text: string): Understood<string> => {
    if (key === undefined) return { ok: true, value: `${host}:${text}` };
    const understood = reader(key, { object: begun, place: { path, document } })(`${host}:${text}`);
    return understood.ok ? { ok: true, value: `${host}:${text}` } : understood;
  };
  const preset = begun['tlsMode'] === 'implicit' ? '465' : '25';
  return await dialogue.ask(line({ text: 'Please enter the TCP port for this listener.', preset, read }));
}

type At = { readonly path: readonly string[]; readonly document: Mapping };

/** A public listener: the first entry of its recipient access table. */
async function acceptedFor({ dialogue }: Editor, { path, document }: At): Promise<Mapping> {
  const entry = await fillIn(
    dialogue,
    [{ key: 'recipients', ask: ASK_RECIPIENTS }],
    { action: 'accept' },
    { path: [...path, 'rat', 0], document },
  );
  return { hat: [{ senderGroup: 'ALL', policy: 'ACCEPTED' }], rat: [entry] };
}

/** A private listener: who may relay. */
async function relayedFrom({ dialogue }: Editor, { path, document }: At): Promise<Mapping> {
  const ask = [
    'Please specify the systems allowed to relay email through this gateway. Hostnames such as "example.com" are allowed.',
    'Partial hostnames such as ".example.com" are allowed. IP addresses, IP address ranges, and partial IP addresses are allowed.',
    'Separate multiple entries with commas.',
  ].join('\n');
  const group = await fillIn(
    dialogue,
    [{ key: 'senders', ask }],
    { senderGroup: 'RELAYLIST', policy: 'RELAYED' },
    { path: [...path, 'hat', 0], document },
  );
  const relays: Json[] = group['senders'] === undefined ? [] : [group];
  return { hat: [...relays, { senderGroup: 'ALL', policy: 'BLOCKED' }] };
}

function editListener(editor: Editor, first: string) {
  let name = first;
  const form = (operation: string, { does, fields }: { does: string; fields: readonly Field[] }): MenuOperation => ({
    name: operation,
    does,
    run: () => modifyByForm({ section: SECTION, fields: () => fields }, editor, name),
  });
  const operations = async (): Promise<MenuOperation[]> => {
    const isPublic = valueAt(await editor.document(), [...SECTION, name, 'type']) === 'public';
    const [toInterface, ...others] = Object.entries(FORMS).map(([operation, each]) => form(operation, each));
    return [
      {
        name: 'name',
        does: 'Change the name of the listener.',
        run: async () => {
          name = await rename(LISTENERS, editor, name);
        },
      },
      ...(toInterface === undefined ? [] : [toInterface]),
      ...others,
      {
        name: 'hostaccess',
        does: 'Modify the Host Access Table.',
        looks: true,
        run: async () => {
          const table = new HostAccess(editor, name);
          await editor.menu(table.heading, async () => table.operations());
        },
      },
      ...(isPublic
        ? [
            {
              name: 'rcptaccess',
              does: 'Modify the Recipient Access Table.',
              looks: true as const,
              run: async () => {
                const table = new RecipientAccess(editor, name);
                await editor.menu(table.heading, async () => table.operations());
              },
            },
          ]
        : []),
    ];
  };
  const heading = async (): Promise<string> =>
    listenerSummary(name, { document: await editor.document(), interfaces: interfaces() });
  return { heading, operations };
}

export const LISTENERCONFIG: ConfigCommand = {
  name: 'listenerconfig',
  collections: [LISTENERS, MAIL_FLOW_POLICIES],
  settings: [
    {
      name: 'setup',
      does: 'Change the default policy parameters of all listeners.',
      section: ['mailFlowPolicies', 'default'],
      fields: defaultPolicyFields,
    },
  ],
  scripts: { hostaccess: hostAccessScript },
};
