/**
 * Asks questions on a terminal, or on standard input that is a pipe; then the answers are printed behind the prompts, so that
 * the output reads as the same session would. A bad answer repeats its question with the reason. Ctrl-C gives up what is
 * being asked (`Interrupted`), the end of input all of it (`EndOfInput`): both are thrown, because they leave a dialogue of
 * any depth without a change. Effects: standard input, output and error.
 */
import type readline from 'node:readline';
import { Writable } from 'node:stream';
import type { Question } from './question.ts';

/** Ctrl-C at a question. */
export class Interrupted extends Error {}
/** Standard input ended at a question. */
export class EndOfInput extends Error {}

export interface Dialogue {
  write(text: string): void;
  ask<T>(question: Question<T>): Promise<T>;
  /** Several lines, up to one that is a single dot or to the end of input. */
  lines(text: string): Promise<string>;
}

const MAX_TEXT_CHARACTERS = 8 * 1024 * 1024;

type Waiting = { readonly resolve: (line: string) => void; readonly reject: (why: Error) => void };
type Kind = Pick<Question<unknown>, 'secret' | 'command' | 'words'>;

class TerminalDialogue implements Dialogue {
  #reader: readline.Interface | undefined;
  #waiting: Waiting | undefined;
  #asked: Kind = {};
  readonly #early: string[] = [];
  /** For the arrow keys; answers are not among them. */
  #commands: readonly string[] = [];
  #ended = false;
  #muted = false;

  write(text: string): void {
    process.stdout.write(visible(text));
  }

  async ask<T>(question: Question<T>): Promise<T> {
    // What a command prints may be going to a file: see `config save`.
    const print = (text: string): unknown =>
      (question.secret === true ? process.stderr : process.stdout).write(visible(text));
    for (;;) {
      if (question.text !== '') print(`${question.text}\n`);
      const understood = question.understand(await this.#line(question.prompt, question, print));
      if (understood.ok) return understood.value;
      print(`${understood.why}\n\n`);
    }
  }

  async lines(text: string): Promise<string> {
    for (;;) {
      this.write(`${text}\n`);
      const rows = await this.#rows();
      if (rows !== undefined) return rows.map((each) => `${each}\n`).join('');
      this.write('That is too long.\n\n');
    }
  }

  /** Undefined where they are too many; they are read to their end all the same. */
  async #rows(): Promise<string[] | undefined> {
    const rows: string[] = [];
    let size = 0;
    for (;;) {
      const row = await this.#line('', {}, (shown) => process.stdout.write(shown)).catch((error: unknown) => {
        if (error instanceof EndOfInput && size > 0) return '.';
        throw error;
      });
      if (row.trimEnd() === '.') return size > MAX_TEXT_CHARACTERS ? undefined : rows;
      size += row.length + 1;
      if (size <= MAX_TEXT_CHARACTERS) rows.push(row);
    }
  }

  /** Gives standard input back; the next question takes it again. */
  close(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.close();
  }

  async #line(prompt: string, kind: Kind, print: (text: string) => unknown): Promise<string> {
    const reader = this.#open();
    const terminal = process.stdin.isTTY;
    this.#asked = kind;
    if (!terminal || kind.secret === true) print(prompt);
    else {
      reader.setPrompt(visible(prompt));
      reader.prompt();
    }
    this.#muted = kind.secret === true;
    try {
      const typed = this.#early.shift() ?? (await this.#next());
      if (!terminal || kind.secret === true) print(kind.secret === true ? '\n' : `${typed}\n`);
      return typed;
    } catch (error) {
      print(error instanceof Interrupted ? '^C\n' : '\n');
      throw error;
    } finally {
      this.#muted = false;
    }
  }

  #next(): Promise<string> {
    if (this.#ended) return Promise.reject(new EndOfInput());
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #open(): readline.Interface {
    if (this.#reader !== undefined) return this.#reader;
    // Not imported: every gateway passes by here, and none of them asks anything.
    const reader = process.getBuiltinModule('node:readline').createInterface({
      input: process.stdin,
      output: this.#output(),
      terminal: process.stdin.isTTY,
      completer: (typed: string, done: (error: null, found: [string[], string]) => void) => {
        void this.#complete(typed, done);
      },
    });
    this.#reader = reader;
    const settle = (how: (waiting: Waiting) => void): void => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting !== undefined) how(waiting);
    };
    reader.on('line', (typed) => {
      if (this.#waiting === undefined) this.#early.push(typed);
      else settle(({ resolve }) => resolve(typed));
    });
    reader.on('history', (history) => {
      if (this.#asked.command === true) this.#commands = [...history];
      else history.splice(0, history.length, ...this.#commands);
    });
    reader.on('SIGINT', () => {
      // At work, not asking: as anywhere else.
      if (this.#waiting === undefined) process.exit(130);
      this.#muted = true;
      reader.write(null, { ctrl: true, name: 'e' });
      reader.write(null, { ctrl: true, name: 'u' });
      settle(({ reject }) => reject(new Interrupted()));
    });
    reader.on('close', () => {
      if (this.#reader !== reader) return;
      this.#ended = true;
      settle(({ reject }) => reject(new EndOfInput()));
    });
    return reader;
  }

  async #complete(typed: string, done: (error: null, found: [string[], string]) => void): Promise<void> {
    const found = (await this.#asked.words?.(typed)) ?? [];
    done(null, [[...found], typed]);
  }

  /** Standard output, but for what is typed at a secret. */
  #output(): Writable {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#muted) process.stdout.write(chunk);
        done();
      },
    });
    Object.defineProperty(output, 'columns', { get: () => process.stdout.columns });
    process.stdout.on('resize', () => output.emit('resize'));
    return output;
  }
}

/** What stands in a configuration or came from the network cannot drive the terminal. */
const visible = (text: string): string => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');

/** Standard input is one, and so is who asks on it. */
export const terminal = new TerminalDialogue();
