/**
 * Other people's programs: run to the end with what they printed, or led by what they print.
 * Effects: starts and ends processes.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { atEnd } from './at-end.ts';
import { PATIENCE_MS } from './eventually.ts';

export type ProgramOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};
export type Finished = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly output: string;
};

/** Runs the program; its exit code and output. It is killed where it does not end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Finished> {
  const running = Program.start(program, args, options);
  running.write(options.input ?? '');
  running.end();
  const code = await running.finished();
  return { code, stdout: running.stdout, stderr: running.stderr, output: running.output };
}

export class Program {
  stdout = '';
  stderr = '';
  /** Both, in the order they came. */
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;
  #over = false;
  #wake: () => void = () => undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdin?.on('error', () => undefined);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#more(text);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#more(text);
    });
    this.#closed = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        this.#over = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  static start(program: string, args: readonly string[], { env = {}, cwd }: ProgramOptions = {}): Program {
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: 'C', ...env },
      stdio: 'pipe',
      ...(cwd === undefined ? {} : { cwd }),
    });
    const running = new Program(child);
    atEnd(() => running.kill());
    return running;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  write(text: string): void {
    if (text !== '') this.#child.stdin?.write(text);
  }

  end(): void {
    this.#child.stdin?.end();
  }

  /** Waits until the output has what the pattern says, behind what was found before. */
  async shows(pattern: RegExp, from = 0): Promise<number> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.output.slice(from));
      if (match !== null) return from + match.index + match[0].length;
      assert.ok(!this.#over, `the program ended before it showed ${pattern}\n${this.output}`);
      assert.ok(Date.now() < deadline, `the program did not show ${pattern}\n${this.output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async finished(): Promise<number | null> {
    const timer = setTimeout(() => this.kill(), PATIENCE_MS);
    const code = await this.#closed;
    clearTimeout(timer);
    return code;
  }

  kill(): void {
    if (!this.#over) this.#child.kill('SIGKILL');
  }

  #more(text: string): void {
    this.output += text;
    this.#wake();
  }
}
