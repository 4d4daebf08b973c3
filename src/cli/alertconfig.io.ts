/**
 * `alertconfig`: who is told what by mail, as AsyncOS asks: NEW, EDIT, DELETE, CLEAR, SETUP, FROM, and TEST. Effects: the
 * configuration, the dialogue; TEST asks the running gateway.
 */
import { isList, isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { addressFault } from '../config/semantics-alerts.ts';
import type { AlertClass, AlertSeverity } from '../core/alert.ts';
import {
  alertsHeading,
  alertText,
  type Chosen,
  CLASS_OPTIONS,
  recipientRow,
  SEVERITY_OPTIONS,
  subscription,
} from './alert-view.ts';
import type { ConfigCommand, ExtraOperation, Script } from './collection.ts';
import { type Editor, optionOf } from './editor.io.ts';
import { localZone } from './monitor.io.ts';
import { bodyOf, gatewayAt } from './on-gateway.io.ts';
import { choices, line, type Understood, yesNo } from './question.ts';

const SECTION = ['alerts'];
const RECIPIENTS = [...SECTION, 'recipients'];

async function create(editor: Editor): Promise<void> {
  const found = valueAt(await editor.document(), RECIPIENTS);
  const known = isMapping(found) ? Object.keys(found) : [];
  const read = (text: string): Understood<string> => {
    const why = addressFault(text) ?? (known.includes(text) ? `alerts are sent to ${text} already` : undefined);
    return why === undefined ? { ok: true, value: text } : { ok: false, why };
  };
  const address = await editor.dialogue.ask(
    line({ text: 'Please enter a new email address to send alerts.\n(Ex: "administrator@example.com")', read }),
  );
  editor.dialogue.write('\n');
  await subscribe(editor, address);
}

async function subscribe(editor: Editor, address: string, before: Mapping = {}): Promise<void> {
  const { dialogue } = editor;
  const classes = await dialogue.ask(
    choices('Choose the Alert Classes. Separate multiple choices with commas.', CLASS_OPTIONS, classesOf(before)),
  );
  dialogue.write('\n');
  const severities = await dialogue.ask(
    choices(
      'Select a Severity Level. Separate multiple choices with commas.',
      SEVERITY_OPTIONS,
      severitiesOf(before[classes[0] ?? 'all']),
    ),
  );
  dialogue.write('\n');
  await editor.change([{ op: 'set', path: [...RECIPIENTS, address], value: subscription(classes, severities) }]);
}

/** What is there, as an answer would be; `all` where nothing is. */
function classesOf(before: Mapping): Chosen<AlertClass>[] {
  const there = CLASS_OPTIONS.map(({ value }) => value).filter((value) => value in before);
  return there.length === 0 || there.includes('all') ? ['all'] : there;
}

function severitiesOf(severities: Json | undefined): Chosen<AlertSeverity>[] {
  if (!isList(severities)) return ['all'];
  return SEVERITY_OPTIONS.map(({ value }) => value).filter((value) => severities.includes(value));
}

/** A test alert to one recipient of the running configuration, or all; the exit code. */
async function test(editor: Editor, recipient: string | undefined, json: boolean): Promise<number> {
  const [, data] = optionOf(editor, 'data');
  const { write } = editor.session;
  const body = recipient === undefined ? {} : { recipient };
  const answer = await gatewayAt(data).call('POST /api/alerts/test', { body });
  if (json) {
    write(`${JSON.stringify(answer.ok ? answer.body : { refusal: answer.refusal }, null, 2)}\n`);
    return answer.ok && answer.body.recipients.every(({ state }) => state === 'sent') ? 0 : 1;
  }
  const sent = bodyOf<Parameters<typeof alertText>[0]>(answer, write);
  if (sent === undefined) return 1;
  write(alertText(sent, localZone));
  return sent.recipients.every(({ state }) => state === 'sent') ? 0 : 1;
}

const EXTRAS: readonly ExtraOperation[] = [
  {
    name: 'clear',
    does: 'Remove all recipients.',
    run: async (editor) => {
      if (await editor.dialogue.ask(yesNo('Are you sure you want to remove all recipients?', false)))
        await editor.change([{ op: 'set', path: RECIPIENTS, value: {} }]);
    },
  },
  {
    name: 'test',
    does: 'Send a test alert by the running configuration.',
    looks: true,
    run: async (editor) => {
      const address = await editor.dialogue.ask(line({ text: 'Enter the email address; empty for all of them.' }));
      await test(editor, address === '' ? undefined : address, false);
      editor.dialogue.write('\n');
    },
  },
];

const TEST: Script = {
  usage: ['[ADDRESS]'],
  options: [],
  run: (editor, [address]) => test(editor, address, editor.session.parsed.flags.has('json')),
};

export const ALERTCONFIG: ConfigCommand = {
  name: 'alertconfig',
  heading: alertsHeading,
  collections: [
    {
      kind: 'recipient',
      section: RECIPIENTS,
      noun: 'recipient',
      askName: 'Please enter a new email address to send alerts.',
      fields: () => [],
      row: recipientRow,
      create,
      modify: async (editor, address) => {
        const before = valueAt(await editor.document(), [...RECIPIENTS, address]);
        await subscribe(editor, address, isMapping(before) ? before : {});
      },
    },
  ],
  settings: [
    {
      name: 'setup',
      does: 'Configure alert settings.',
      section: SECTION,
      fields: () => [
        {
          key: 'initialWait',
          ask: [
            'Enter the initial time to wait before sending a duplicate alert, such as 300s.',
            'If this value is 0s, all duplicate alerts are sent without any time delay.',
          ].join('\n'),
        },
        { key: 'maxWait', ask: 'Enter the maximum time to wait before sending a duplicate alert.' },
        {
          key: 'smtpHosts',
          ask: 'Enter the hosts that take alerts, with commas between; empty to follow SMTP routes and DNS.',
        },
      ],
    },
    {
      name: 'from',
      does: 'Configure the From Address of alert emails.',
      section: SECTION,
      fields: () => [{ key: 'from', ask: 'Please enter the From Address; empty for alert@ and the host name.' }],
    },
  ],
  extras: EXTRAS,
  scripts: { test: TEST },
};
