/**
 * What `certconfig` does to certificates and to authorities alike: list, print, export, rename, remove. Private keys are
 * neither printed nor exported. Effects: the configuration, the dialogue, files.
 */
import { isMapping, type Mapping } from '../config/document.ts';
import { certificateTable } from './certificate-table.ts';
import { describedLines, entriesOf, NOUNS, readEntry, rowsOf, type Section } from './certificate-entries.io.ts';
import { newName } from './config-object.io.ts';
import { pemOf } from './cert.ts';
import { Interrupted } from './dialogue.io.ts';
import type { Editor, MenuOperation } from './editor.io.ts';
import { choice, line, required, yesNo } from './question.ts';
import { writeNewFile } from './text-files.io.ts';

export class CertificateObjects {
  readonly editor: Editor;
  readonly section: Section;

  constructor(editor: Editor, section: Section) {
    this.editor = editor;
    this.section = section;
  }

  heading = async (): Promise<string> => {
    const rows = await rowsOf(this.editor, this.section);
    if (rows.length === 0) return `There is no ${NOUNS[this.section]} yet.`;
    const title = this.section === 'certificates' ? 'List of Certificates' : 'List of Certificate Authorities';
    return `${title}\n${certificateTable(rows, Date.now())}`;
  };

  operations(): MenuOperation[] {
    const noun = NOUNS[this.section];
    return [
      { name: 'print', does: `Show a ${noun} in full.`, looks: true, run: () => this.#print() },
      {
        name: 'export',
        does: `Write a ${noun} to a file, without private key.`,
        looks: true,
        run: () => this.#export(),
      },
      { name: 'rename', does: `Give a ${noun} another name.`, run: () => this.#rename() },
      { name: 'delete', does: `Remove a ${noun}.`, run: () => this.#delete() },
    ];
  }

  async entry(name: string): Promise<Mapping> {
    const found = (await entriesOf(this.editor, this.section))[name];
    return isMapping(found) ? found : {};
  }

  async askNewName(): Promise<string> {
    const { section, editor } = this;
    const names = Object.keys(await entriesOf(editor, section));
    return await editor.dialogue.ask(
      line({
        text: `Enter a name for this ${NOUNS[section]}:`,
        read: (text) => newName(text, { section: [section], noun: NOUNS[section], names }),
      }),
    );
  }

  async put(name: string, value: Mapping): Promise<boolean> {
    return await this.editor.change([{ op: 'set', path: [this.section, name], value }]);
  }

  async pick(what: string): Promise<string> {
    const names = Object.keys(await entriesOf(this.editor, this.section));
    if (names.length === 0) {
      this.editor.dialogue.write(`There is no ${NOUNS[this.section]} yet.\n`);
      throw new Interrupted();
    }
    const rows = names.map((name) => ({ value: name, label: name }));
    return await this.editor.dialogue.ask(
      choice(`Enter the name or number of the ${NOUNS[this.section]} you wish to ${what}.`, rows),
    );
  }

  /** The certificates as PEM, or why not. */
  async pem(
    name: string,
  ): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string }> {
    const read = await readEntry(this.editor, this.section, name);
    return read.ok ? { ok: true, text: read.certificates.map(({ der }) => pemOf(der)).join('') } : read;
  }

  async described(
    name: string,
  ): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string }> {
    const read = await readEntry(this.editor, this.section, name);
    return read.ok ? { ok: true, text: describedLines(read.certificates) } : read;
  }

  async #print(): Promise<void> {
    const found = await this.described(await this.pick('print'));
    this.editor.dialogue.write(`${found.ok ? found.text : `${found.why}\n`}\n`);
  }

  async #export(): Promise<void> {
    const found = await this.pem(await this.pick('export'));
    const { dialogue } = this.editor;
    if (!found.ok) dialogue.write(`${found.why}\n\n`);
    else {
      const file = await dialogue.ask(line({ text: 'Enter the name of the file:', read: required }));
      dialogue.write(`${writeNewFile(file, found.text).text}\n\n`);
    }
  }

  async #rename(): Promise<void> {
    const name = await this.pick('rename');
    await this.editor.change([{ op: 'rename', path: [this.section, name], to: await this.askNewName() }]);
  }

  async #delete(): Promise<void> {
    const name = await this.pick('delete');
    if (await this.editor.dialogue.ask(yesNo(`Are you sure you want to delete ${name}?`, false)))
      await this.editor.change([{ op: 'delete', path: [this.section, name] }]);
  }
}
