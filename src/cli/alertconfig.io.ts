/**
 * `alertconfig`: who is told what by mail, as AsyncOS asks: NEW, EDIT, DELETE, CLEAR, SETUP, FROM, and TEST. Effects: the
 * configuration, the dialogue; TEST asks the running gateway.
 */
import { isList, isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { addressFault } from '../config/semantics-alerts.ts';
import type { AlertSeverity } from '../core/alert.ts';
import {
  alertsHeading,
  alertText,
  CLASS_OPTIONS,
  recipientRow,
  several,
  SEVERITY_OPTIONS,
  subscription,
} from './alert-view.ts';
import type { ConfigCommand, ExtraOperation, Script } from './collection.ts';
import { type Editor, optionOf } from './editor.io.ts';
import { fillIn } from './form.io.ts';
import { bodyOf, gatewayAt } from './gateway-answer.io.ts';
import { localZone } from './monitor.io.ts';
import { line, type Understood, yesNo } from './question.ts';

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

/** Classes and severities; what other classes have stays where single ones are chosen. */
async function subscribe(editor: Editor, address: string, before: Mapping = {}): Promise<void> {
  const { dialogue } = editor;
  const classes = await dialogue.ask(
    several('Choose the Alert Classes. Separate multiple choices with commas.', CLASS_OPTIONS, classesOf(before)),
  );
  dialogue.write('\n');
  const first = before[classes?.[0] ?? 'all'];
  const severities = await dialogue.ask(
    several('Select a Severity Level. Separate multiple choices with commas.', SEVERITY_OPTIONS, severitiesOf(first)),
  );
  dialogue.write('\n');
  const value = subscription(classes, severities);
  await editor.change([{ op: 'set', path: [...RECIPIENTS, address], value }]);
}

/** What is there, as an answer would be. */
function classesOf(before: Mapping): string {
  const numbers = CLASS_OPTIONS.flatMap(({ value }, i) => (value in before ? [i + 2] : []));
  return 'all' in before || numbers.length === 0 ? '1' : numbers.join(',');
}

function severitiesOf(severities: Json | undefined): string {
  if (!isList(severities)) return '1';
  const numbers = SEVERITY_OPTIONS.flatMap(({ value }, i) =>
    severities.includes(value as AlertSeverity) ? [i + 2] : [],
  );
  return numbers.length === SEVERITY_OPTIONS.length || numbers.length === 0 ? '1' : numbers.join(',');
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
    name: 'from',
    does: 'Configure the From Address of alert emails.',
    run: async (editor) => {
      const document = await editor.document();
      const before = valueAt(document, SECTION);
      const ask = 'Please enter the From Address; empty for alert@ and the host name.';
      const given = isMapping(before) ? before : {};
      const value = await fillIn(editor.dialogue, [{ key: 'from', ask }], given, { path: SECTION, document });
      await editor.change([{ op: 'set', path: SECTION, value }]);
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
  ],
  extras: EXTRAS,
  scripts: { test: TEST },
};
