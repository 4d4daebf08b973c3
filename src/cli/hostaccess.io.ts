/**
 * `listenerconfig > edit > hostaccess`: the sender groups of a listener in their order, the policies they name, the default
 * policy, the table as text. Effects: the configuration, the dialogue, files.
 */
import { isMapping, type Mapping, valueAt } from '../config/document.ts';
import { nameFault } from '../config/schema-place.ts';
import { create, modifyByForm, remove } from './config-object.io.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { fillIn } from './form.io.ts';
import { type Field, namesOf, shown } from './form.ts';
import { hostAccessText, parseHostAccess } from './host-access-text.ts';
import { hostAccessHeading, senderGroups } from './listener-summary.ts';
import { defaultPolicyFields, MAIL_FLOW_POLICIES } from './mail-flow-policy.ts';
import { choice, line, required, yesNo } from './question.ts';
import { readTextOf, writeNewFile } from './text-files.io.ts';

const HOSTS = [
  'Enter the hosts to add. CIDR addresses such as 10.1.1.0/24 are allowed. IP address ranges such as 10.1.1.10-20 are',
  'allowed. IP subnets such as 10.2.3. are allowed. Hostnames such as crm.example.com are allowed. Partial hostnames such',
  'as .example.com are allowed. Separate multiple hosts with commas.',
].join('\n');

const GROUP_FIELDS: readonly Field[] = [
  { key: 'senders', ask: HOSTS, when: ({ senderGroup }) => senderGroup !== 'ALL' },
  { key: 'policy', ask: 'Select a policy for this sender group.' },
];

/** The table of one listener, as the configuration has it now. */
export class HostAccess {
  readonly editor: Editor;
  readonly path: readonly string[];

  constructor(editor: Editor, listener: string) {
    this.editor = editor;
    this.path = ['listeners', listener, 'hat'];
  }

  async listener(): Promise<{
    readonly document: Mapping;
    readonly listener: Mapping;
    readonly groups: readonly Mapping[];
  }> {
    const document = await this.editor.document();
    const found = valueAt(document, this.path.slice(0, 2));
    const listener = isMapping(found) ? found : {};
    return { document, listener, groups: senderGroups(listener) };
  }

  heading = async (): Promise<string> => {
    const { document, listener } = await this.listener();
    return hostAccessHeading(document, listener);
  };

  operations(): MenuOperation[] {
    const { editor } = this;
    return [
      { name: 'new', does: 'Create a new entry.', run: () => this.#new() },
      { name: 'edit', does: 'Modify an entry.', run: () => this.#edit() },
      { name: 'delete', does: 'Remove an entry.', run: () => this.#delete() },
      { name: 'move', does: 'Move an entry.', run: () => this.#move() },
      {
        name: 'default',
        does: 'Set the defaults.',
        run: () => modifyByForm({ section: ['mailFlowPolicies'], fields: defaultPolicyFields }, editor, 'default'),
      },
      { name: 'print', does: 'Display the table.', looks: true, run: () => this.#print() },
      { name: 'import', does: 'Import a table from a file.', run: () => this.#import() },
      { name: 'clear', does: 'Remove all sender groups but ALL.', run: () => this.#clear() },
      { name: 'export', does: 'Export the table to a file.', looks: true, run: () => this.#export() },
    ];
  }

  async #which(verb: string): Promise<'group' | 'policy'> {
    return await this.editor.dialogue.ask(
      choice<'group' | 'policy'>(
        '',
        [
          { value: 'group', label: `${verb} Sender Group` },
          { value: 'policy', label: `${verb} Policy` },
        ],
        'group',
      ),
    );
  }

  async #new(): Promise<void> {
    const { editor, path } = this;
    if ((await this.#which('New')) === 'policy') return await create(MAIL_FLOW_POLICIES, editor);
    const { document, groups } = await this.listener();
    const senderGroup = await editor.dialogue.ask(
      line({ text: 'Enter a name for this sender group.', read: (text) => this.#newGroupName(text, groups) }),
    );
    // Nothing comes behind ALL.
    const last = groups.at(-1)?.['senderGroup'] === 'ALL' ? groups.length - 1 : groups.length;
    const value = await fillIn(editor.dialogue, GROUP_FIELDS, { senderGroup }, { path: [...path, last], document });
    await editor.change([{ op: 'insert', path: [...path, last], value }]);
  }

  #newGroupName(text: string, groups: readonly Mapping[]) {
    const why = nameFault(['listeners'], text);
    if (why !== undefined)
      return { ok: false as const, why: `${JSON.stringify(text)} is no name for a sender group: ${why}.` };
    if (groups.some(({ senderGroup }) => senderGroup === text))
      return { ok: false as const, why: `There is a sender group ${text} already.` };
    return { ok: true as const, value: text };
  }

  async #pick(what: string): Promise<number> {
    const { groups } = await this.listener();
    const rows = groups.map(({ senderGroup = '', policy = '' }, i) => ({
      value: i,
      name: shown(senderGroup),
      label: `${shown(senderGroup)} ($${shown(policy)})`,
    }));
    return await this.editor.dialogue.ask(choice(`Enter the sender group number or name you wish to ${what}.`, rows));
  }

  async #edit(): Promise<void> {
    const { editor } = this;
    if ((await this.#which('Edit')) === 'policy') return await this.#editPolicy();
    const at = await this.#pick('edit');
    const { document, groups } = await this.listener();
    const path = [...this.path, at];
    const value = await fillIn(editor.dialogue, GROUP_FIELDS, groups[at] ?? {}, { path, document });
    await editor.change([{ op: 'set', path, value }]);
  }

  async #editPolicy(): Promise<void> {
    const { editor } = this;
    const { document } = await this.listener();
    const rows = namesOf(document, 'mailFlowPolicies').map((name) => ({ value: name, label: name }));
    const name = await editor.dialogue.ask(choice('Enter the policy number or name you wish to edit.', rows));
    await modifyByForm(MAIL_FLOW_POLICIES, editor, name);
  }

  async #delete(): Promise<void> {
    const { editor } = this;
    if ((await this.#which('Delete')) === 'policy') return await remove(MAIL_FLOW_POLICIES, editor);
    const at = await this.#pick('delete');
    if (await editor.dialogue.ask(yesNo('Are you sure you want to delete this sender group?', false)))
      await editor.change([{ op: 'delete', path: [...this.path, at] }]);
  }

  async #move(): Promise<void> {
    const at = await this.#pick('move');
    const { groups } = await this.listener();
    const to = await this.editor.dialogue.ask(
      line<number>({
        text: `Enter the position to move it to, from 1 to ${groups.length}.`,
        read: (text) => position(text, groups.length),
      }),
    );
    await this.editor.change([{ op: 'move', path: [...this.path, at], to }]);
  }

  async #clear(): Promise<void> {
    const { groups } = await this.listener();
    const all = groups.filter(({ senderGroup }) => senderGroup === 'ALL');
    const value = all.length > 0 ? all : [{ senderGroup: 'ALL', policy: 'BLOCKED' }];
    if (await this.editor.dialogue.ask(yesNo('Are you sure you want to remove all sender groups but ALL?', false)))
      await this.editor.change([{ op: 'set', path: this.path, value }]);
  }

  async #print(): Promise<void> {
    const { document, listener } = await this.listener();
    this.editor.dialogue.write(`${hostAccessText(document, listener)}\n`);
  }

  async #import(): Promise<void> {
    const file = await this.editor.dialogue.ask(
      line({ text: 'Enter the name of the file to import.', read: required }),
    );
    const read = readTable(file);
    if (typeof read === 'string') this.editor.dialogue.write(`${read}\n\n`);
    else {
      this.editor.dialogue.write(leftOutLine(read));
      await this.editor.change(importEdits(this.path, read));
    }
  }

  async #export(): Promise<void> {
    const { document, listener } = await this.listener();
    const file = await this.editor.dialogue.ask(line({ text: 'Enter the name of the file.', read: required }));
    this.editor.dialogue.write(`${writeNewFile(file, hostAccessText(document, listener)).text}\n\n`);
  }
}

export const position = (text: string, count: number) =>
  /^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= count
    ? { ok: true as const, value: Number(text) - 1 }
    : { ok: false as const, why: `Enter a number from 1 to ${count}.` };

type Table = Extract<ReturnType<typeof parseHostAccess>, { ok: true }>;

/** A string: why not. */
export function readTable(file: string): Table | string {
  const read = readTextOf(file);
  if (!read.ok) return read.why;
  const parsed = parseHostAccess(read.text);
  return parsed.ok ? parsed : `${file}: ${parsed.why}`;
}

/** Empty where everything has its counterpart. */
export const leftOutLine = ({ unknown }: Table): string =>
  unknown.length === 0 ? '' : `Left out, for there is no such key here: ${unknown.join(', ')}\n`;

export const importEdits = (path: readonly string[], { groups, policies }: Table) => [
  ...Object.entries(policies).map(([name, value]) => ({ op: 'set' as const, path: ['mailFlowPolicies', name], value })),
  { op: 'set' as const, path, value: groups },
];
