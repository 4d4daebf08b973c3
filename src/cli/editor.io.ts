/**
 * What the configuration commands do to the candidate of the account: look at it, change it, say what is still wrong with
 * it, and offer operations until one goes back. Ctrl-C gives up an operation and shows the menu again.
 * Effects: the configuration, the dialogue.
 */
import type { Answer, Edit, Seen, StoreFault } from '../config/configuration-store.ts';
import { isMapping, type Mapping } from '../config/document.ts';
import { localAdministrator } from './config-access.io.ts';
import { faultLine, refusalLines } from './config-view.ts';
import { type Dialogue, EndOfInput, Interrupted } from './dialogue.io.ts';
import { type ConfigurationContext, refusedByFile } from './on-configuration.io.ts';
import { operation, type Operation } from './question.ts';

export type MenuOperation = Operation & {
  /** Looks only: allowed where a file is the truth. */
  readonly looks?: true;
  readonly run: () => Promise<void>;
};

export type Edited = { readonly version: number; readonly base: number; readonly faults: readonly StoreFault[] };

export class Editor {
  readonly session: ConfigurationContext;
  readonly dialogue: Dialogue;
  /** What was last looked at: what another session of the account, or another administrator, did since is not overwritten. */
  #seen: Seen = {};

  constructor(session: ConfigurationContext, dialogue: Dialogue) {
    this.session = session;
    this.dialogue = dialogue;
  }

  /** The candidate; the running configuration where there is none. Secrets are masked. */
  async document(): Promise<Mapping> {
    const answer = await this.session.store.document({ session: localAdministrator().session });
    if (answer.ok) {
      const { version, revision } = answer;
      this.#seen = version === undefined ? { ifVersion: 0, base: revision } : { ifVersion: version };
    }
    return answer.ok && isMapping(answer.value) ? answer.value : {};
  }

  /** Changes the candidate, and looks at what a commit would say of it. */
  async edit(edits: readonly Edit[]): Promise<Answer<Edited>> {
    const { store } = this.session;
    const who = localAdministrator();
    const answer = await store.edit(who, edits, this.#seen);
    if (!answer.ok) return answer;
    this.#seen = { ifVersion: answer.version };
    const valid = await store.validate(who.session);
    const faults = valid.ok ? valid.warnings : valid.refusal.kind === 'faults' ? valid.refusal.faults : [];
    return { ...answer, faults };
  }

  /** The same with words for the person: what is still wrong, with the path. */
  async change(edits: readonly Edit[]): Promise<boolean> {
    const answer = await this.edit(edits);
    this.dialogue.write(answer.ok ? `${editedLines(answer)}\n` : refusalLines(answer.refusal));
    return answer.ok;
  }

  /** Until an empty line, Ctrl-C or the end of input goes back. The heading is made anew each time. */
  async menu(heading: () => Promise<string>, operations: () => Promise<readonly MenuOperation[]>): Promise<void> {
    for (;;) {
      const title = await heading();
      if (title !== '') this.dialogue.write(`${title}\n\n`);
      const available = await operations();
      const chosen = await this.#orBack(() => this.dialogue.ask(operation(available)));
      if (chosen === undefined) return;
      this.dialogue.write('\n');
      if (chosen.looks !== true && refusedByFile(this.session)) continue;
      try {
        await chosen.run();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        this.dialogue.write('Nothing was changed.\n\n');
      }
    }
  }

  async #orBack<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Interrupted || error instanceof EndOfInput) return undefined;
      throw error;
    }
  }
}

export function editedLines({ faults }: Edited): string {
  if (faults.length === 0) return 'Changed; commit puts it into force.\n';
  const errors = faults.some(({ severity }) => severity === 'error');
  const rows = faults.map((fault) => `  ${faultLine(fault, undefined)}\n`).join('');
  return `Changed; ${errors ? 'before commit can put it into force' : 'to be known before commit puts it into force'}:\n${rows}`;
}

/** An option of where the configuration is, for another command. */
export function optionOf({ session }: Editor, name: 'data' | 'config'): string[] {
  const value = session.parsed.options[name];
  return value === undefined ? [] : [`--${name}`, value];
}
