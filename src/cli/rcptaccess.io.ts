/**
 * `listenerconfig > edit > rcptaccess`: the recipient access table of a public listener, in its order.
 * Effects: the configuration, the dialogue.
 */
import { thereAre } from '../core/counted.ts';
import { isList, isMapping, type Mapping, valueAt } from '../config/document.ts';
import { Interrupted } from './dialogue.io.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { fillIn } from './form.io.ts';
import { type Field, shown } from './form.ts';
import { position } from './hostaccess.io.ts';
import { choice, line, yesNo } from './question.ts';

const rejects = ({ action }: Mapping): boolean => action === 'reject';
const answers = ({ response }: Mapping): boolean => response !== undefined;

export const ASK_RECIPIENTS = [
  'Enter the recipient addresses. Hostnames such as "example.com" and "[1.2.3.4]" are allowed. Partial hostnames such as',
  '".example.com" are allowed. Usernames such as "postmaster@" are allowed. Full email addresses such as "joe@example.com" are',
  'allowed. ALL stands for every recipient. Separate multiple addresses with commas.',
].join('\n');

const FIELDS: readonly Field[] = [
  { key: 'recipients', ask: ASK_RECIPIENTS },
  { key: 'action', ask: 'Select the action to apply to this address:', labels: { accept: 'Accept', reject: 'Reject' } },
  { key: 'response', ask: 'Would you like to specify a custom SMTP response?', when: rejects },
  { key: 'response.code', ask: 'Enter the SMTP code to use in the response.', preset: 550, when: answers },
  { key: 'response.text', ask: 'Enter your custom SMTP response.', when: answers },
];

export class RecipientAccess {
  readonly #editor: Editor;
  readonly #path: readonly string[];

  constructor(editor: Editor, listener: string) {
    this.#editor = editor;
    this.#path = ['listeners', listener, 'rat'];
  }

  heading = async (): Promise<string> =>
    `Recipient Access Table\n\n${thereAre((await this.#entries()).length, 'entry', 'entries')}.`;

  operations(): MenuOperation[] {
    return [
      { name: 'new', does: 'Create a new entry.', run: () => this.#new() },
      { name: 'edit', does: 'Modify an entry.', run: () => this.#edit() },
      { name: 'delete', does: 'Remove an entry.', run: () => this.#delete() },
      { name: 'move', does: 'Move an entry.', run: () => this.#move() },
      { name: 'print', does: 'Display all entries.', looks: true, run: () => this.#print() },
      { name: 'clear', does: 'Remove all entries.', run: () => this.#clear() },
    ];
  }

  async #entries(): Promise<Mapping[]> {
    const rat = valueAt(await this.#editor.document(), this.#path);
    return isList(rat) ? rat.filter((each) => isMapping(each)) : [];
  }

  async #pick(what: string): Promise<number> {
    const rows = (await this.#entries()).map((entry, i) => ({ value: i, label: rowOf(entry) }));
    if (rows.length === 0) {
      this.#editor.dialogue.write('There are no entries yet.\n');
      throw new Interrupted();
    }
    return await this.#editor.dialogue.ask(choice(`Enter the number of the entry you wish to ${what}.`, rows));
  }

  async #fill(at: number, entry: Mapping): Promise<void> {
    const path = [...this.#path, at];
    const document = await this.#editor.document();
    const value = await fillIn(this.#editor.dialogue, FIELDS, entry, { path, document });
    await this.#editor.change([{ op: 'set', path, value }]);
  }

  async #new(): Promise<void> {
    await this.#fill((await this.#entries()).length, {});
  }

  async #edit(): Promise<void> {
    const at = await this.#pick('edit');
    await this.#fill(at, (await this.#entries())[at] ?? {});
  }

  async #delete(): Promise<void> {
    await this.#editor.change([{ op: 'delete', path: [...this.#path, await this.#pick('delete')] }]);
  }

  async #move(): Promise<void> {
    const at = await this.#pick('move');
    const count = (await this.#entries()).length;
    const text = `Enter the position to move it to, from 1 to ${count}.`;
    const to = await this.#editor.dialogue.ask(line<number>({ text, read: (given) => position(given, count) }));
    await this.#editor.change([{ op: 'move', path: [...this.#path, at], to }]);
  }

  async #print(): Promise<void> {
    this.#editor.dialogue.write(`${(await this.#entries()).map((entry) => `${rowOf(entry)}\n`).join('')}\n`);
  }

  async #clear(): Promise<void> {
    if (await this.#editor.dialogue.ask(yesNo('Are you sure you want to remove all entries?', false)))
      await this.#editor.change([{ op: 'set', path: this.#path, value: [] }]);
  }
}

const rowOf = ({ recipients = [], action = '' }: Mapping): string =>
  `${shown(recipients)} ${shown(action).toUpperCase()}`;
