/**
 * `alertconfig`: who is told what by mail, and how often; the last alerts of the running gateway, and a test of their way.
 * Effects: see `config-command.io.ts`; the control socket.
 */
import { isAddress, ADDRESS } from '../config/semantics-alerts.ts';
import { isList, isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { printable } from '../core/reply.ts';
import type { Collection, ConfigCommand } from './collection.ts';
import { isoTime } from './config-view.ts';
import type { Editor } from './editor.io.ts';
import { type Field, shown } from './form.ts';
import { bodyOf, gatewayAt } from './gateway-answer.io.ts';
import { choice, choices, line, type Option, type Understood, yesNo } from './question.ts';

const SECTION = ['alerts', 'recipients'];
const FROM_DEFAULT = 'Alerts will be sent using the system-default From Address.';

const CLASSES: readonly Option<string>[] = [
  { value: 'all', label: 'All' },
  { value: 'system', label: 'System' },
  { value: 'certificates', label: 'Certificates' },
  { value: 'directory', label: 'Directory' },
  { value: 'delivery', label: 'Message Delivery' },
];
const SEVERITIES: readonly Option<string>[] = [
  { value: 'all', label: 'All' },
  { value: 'critical', label: 'Critical' },
  { value: 'warning', label: 'Warning' },
  { value: 'information', label: 'Information' },
];

const labelOf = (options: readonly Option<string>[], value: string): string =>
  options.find((each) => each.value === value)?.label ?? value;

/** `Class: All - Severities: Critical, Warning` */
const classLine = (name: string, severities: Json): string => {
  const words = (isList(severities) ? severities : [severities]).map((each) => labelOf(SEVERITIES, shown(each)));
  return `Class: ${labelOf(CLASSES, name)} - Severities: ${words.join(', ')}`;
};

const severityFields = (): Field[] =>
  CLASSES.map(({ value, label }) => ({
    key: value,
    ask: `Severities of the class ${label}: all, or critical, warning, information with commas between.`,
  }));

const RECIPIENTS: Collection = {
  kind: 'recipient',
  section: SECTION,
  noun: 'alert recipient',
  askName: 'Please enter a new email address to send alerts. (Ex: "administrator@example.com")',
  fields: severityFields,
  row: (classes) =>
    isMapping(classes)
      ? Object.entries(classes)
          .map(([name, severities]) => `\n  ${classLine(name, severities)}`)
          .join('')
      : '',
  create: subscribe,
};

async function subscribe(editor: Editor): Promise<void> {
  const { dialogue } = editor;
  const known = valueAt(await editor.document(), SECTION);
  const names = isMapping(known) ? Object.keys(known).map((each) => each.toLowerCase()) : [];
  const read = (text: string): Understood<string> => {
    if (!isAddress(text)) return { ok: false, why: `${JSON.stringify(text.slice(0, 60))} is none: ${ADDRESS}.` };
    if (names.includes(text.toLowerCase())) return { ok: false, why: `${text} gets alerts already.` };
    return { ok: true, value: text };
  };
  const address = await dialogue.ask(line({ text: RECIPIENTS.askName, read }));
  const classes = await dialogue.ask(
    choices('Choose the Alert Classes. Separate multiple choices with commas.', CLASSES, 'all'),
  );
  const chosen = await dialogue.ask(
    choices('Select a Severity Level. Separate multiple choices with commas.', SEVERITIES, 'all'),
  );
  const severities: Json = chosen.includes('all') ? 'all' : chosen;
  const subscribed = classes.includes('all') ? ['all'] : classes;
  const value = Object.fromEntries(subscribed.map((name) => [name, severities]));
  await editor.change([{ op: 'set', path: [...SECTION, address], value }]);
}

function heading({ alerts }: Mapping): string {
  const { recipients, initialWait = '300s', maxWait = '1h', from }: Mapping = isMapping(alerts) ? alerts : {};
  const rows = isMapping(recipients) ? Object.entries(recipients) : [];
  return [
    ...(rows.length === 0
      ? ['Nobody is sent alerts.']
      : ['Sending alerts to:', ...rows.map(([address, classes]) => `${address}${RECIPIENTS.row(classes, {})}`)]),
    '',
    `Initial wait before sending a duplicate alert: ${shown(initialWait)}`,
    `Maximum wait before sending a duplicate alert: ${shown(maxWait)}`,
    from === undefined ? FROM_DEFAULT : `Alerts will be sent from ${shown(from)}.`,
  ].join('\n');
}

async function clear(editor: Editor): Promise<void> {
  if (await editor.dialogue.ask(yesNo('Are you sure you want to remove all email addresses (disable alerts)?', false)))
    await editor.change([{ op: 'set', path: SECTION, value: {} }]);
}

type Sent = { readonly address: string; readonly state: string; readonly why?: string };
type Shown = {
  readonly atMs: number;
  readonly class: string;
  readonly severity: string;
  readonly text: string;
  readonly recipients: readonly Sent[];
};

const alertLines = ({ atMs, class: name, severity, text, recipients }: Shown): string =>
  [
    `${isoTime(atMs)} ${labelOf(SEVERITIES, severity)} (${labelOf(CLASSES, name)}) ${printable(text)}`,
    ...recipients.map(
      ({ address, state, why }) => `  ${printable(address)}: ${state}${why === undefined ? '' : `, ${printable(why)}`}`,
    ),
    '',
  ].join('\n');

const api = (editor: Editor) => gatewayAt(editor.session.parsed.options['data']);

async function showLast(editor: Editor): Promise<void> {
  const write = (text: string): void => editor.dialogue.write(text);
  const body = bodyOf<{ alerts: readonly Shown[] }>(await api(editor).call('GET /api/alerts'), write);
  if (body === undefined) return;
  write(
    body.alerts.length === 0 ? 'There was no alert since the start.\n\n' : `${body.alerts.map(alertLines).join('')}\n`,
  );
}

async function sendTest(editor: Editor): Promise<void> {
  const write = (text: string): void => editor.dialogue.write(text);
  const known = valueAt(await editor.document(), SECTION);
  const options = [
    ...(isMapping(known) ? Object.keys(known) : []).map((address) => ({ value: address, label: address })),
    { value: '', label: 'All of them' },
  ];
  const recipient = await editor.dialogue.ask(
    choice('Who is sent a test? (Recipients in force, after commit.)', options, ''),
  );
  const answer = await api(editor).call('POST /api/alerts/test', { body: recipient === '' ? {} : { recipient } });
  const sent = bodyOf<Shown>(answer, write);
  if (sent !== undefined) write(`${alertLines(sent)}\n`);
}

export const ALERTCONFIG: ConfigCommand = {
  name: 'alertconfig',
  heading,
  collections: [RECIPIENTS],
  settings: [
    {
      name: 'setup',
      does: 'Configure alert settings.',
      section: ['alerts'],
      fields: () => [
        { key: 'initialWait', ask: 'Initial wait before sending a duplicate alert (0s sends every one):' },
        { key: 'maxWait', ask: 'Maximum wait before sending a duplicate alert:' },
        { key: 'smtpHosts', ask: 'Hosts that take alerts, with commas between; empty follows SMTP routes and DNS.' },
      ],
    },
    {
      name: 'from',
      does: 'Configure the From Address of alert emails.',
      section: ['alerts'],
      fields: () => [
        { key: 'from', ask: 'Please enter the From Address of alert emails; empty for the system default.' },
      ],
    },
  ],
  extras: [
    { name: 'clear', does: 'Remove all email addresses (disable alerts).', run: clear },
    { name: 'last', does: 'Show the last alerts of the running gateway.', looks: true, run: showLast },
    { name: 'test', does: 'Send a test alert.', looks: true, run: sendTest },
  ],
};
