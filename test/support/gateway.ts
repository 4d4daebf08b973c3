/**
 * A running gateway as an administrator runs it: `bin/sallyport run --config FILE --data DIR --log json` in a process
 * of its own. The test sees its log events, its exit code and its SMTP port, and nothing else.
 * Effects: starts and ends processes, writes files in a temporary folder.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atEnd } from './at-end.ts';
import { PATIENCE_MS } from './eventually.ts';
import { runProgram } from './program.ts';

export const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'sallyport');

/** A log line of `--log json`. */
export type LogEvent = {
  readonly event?: string;
  readonly icid?: number;
  readonly mid?: number;
  readonly [field: string]: unknown;
};

export type Refusal = {
  readonly stage: string;
  readonly listener: string;
  readonly remoteAddress: string;
  readonly senderGroup: string;
  readonly policy: string;
  readonly rule: string;
  readonly reason: string;
  readonly reply: string;
  readonly user?: string;
  readonly certificate?: { readonly subject: string; readonly issuer: string; readonly serial: string };
};

/** A folder that is gone when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The configuration as YAML text, or as an object (JSON is YAML). */
export type ConfigText = string | object;

export const configText = (config: ConfigText): string =>
  typeof config === 'string' ? config : JSON.stringify(config, null, 1);

export function writeConfig(file: string, config: ConfigText): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, configText(config));
  return file;
}

/** `sallyport check`: the exit code and the lines it printed. */
export function check(file: string): { readonly code: number | null; readonly lines: readonly string[] } {
  const { status, stdout } = spawnSync(PROGRAM, ['check', file], { encoding: 'utf8', timeout: PATIENCE_MS });
  return { code: status, lines: stdout.split('\n').filter((line) => line !== '') };
}

/** `sallyport config …`: the exit code and what it printed. */
export async function configCommand(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  return await runProgram(PROGRAM, ['config', ...args]);
}

export type GatewayOptions = {
  readonly config: ConfigText;
  /** Where the configuration is written; relative paths in it start here. */
  readonly folder: string;
  readonly data?: string;
  readonly log?: 'json' | 'text';
  /** Runs on the configuration store, into which the configuration is loaded first, instead of on the file. */
  readonly store?: boolean;
  /** Strips the types itself, as a first start does. */
  readonly first?: boolean;
};

/** A data folder that has been started on before: in a run of the tests all gateways share what test/run.sh has stripped. */
function stripped(data: string): void {
  const cache = process.env['NODE_COMPILE_CACHE'];
  const place = join(data, 'compile-cache');
  if (cache === undefined || existsSync(place)) return;
  mkdirSync(data, { recursive: true, mode: 0o750 });
  symlinkSync(cache, place);
}

function load(configFile: string, data: string): void {
  const args = ['config', 'load', configFile, '--commit', '--data', data];
  const { status, stdout } = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: PATIENCE_MS });
  assert.equal(status, 0, stdout);
}

export class Gateway {
  readonly configFile: string;
  readonly data: string;
  /** Everything the process printed, line by line. */
  readonly lines: string[] = [];
  readonly events: LogEvent[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #over = false;

  private constructor(child: ChildProcess, configFile: string, data: string) {
    this.#child = child;
    this.configFile = configFile;
    this.data = data;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#over = true;
        this.#wake();
        resolve(signal === null ? code : null);
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#read(line);
        this.#wake();
      });
    }
  }

  /** Starts the program and returns at once. */
  static launch(options: GatewayOptions): Gateway {
    const { config, folder, data = join(folder, 'data'), log = 'json', store = false, first = false } = options;
    const configFile = writeConfig(join(folder, 'sallyport.yaml'), config);
    if (!first) stripped(data);
    if (store && !existsSync(join(data, 'config.db'))) load(configFile, data);
    const source = store ? [] : ['--config', configFile];
    const child = spawn(PROGRAM, ['run', ...source, '--data', data, '--log', log], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const gateway = new Gateway(child, configFile, data);
    atEnd(() => gateway.kill());
    return gateway;
  }

  /** On the configuration store in `data`, which `configCommand` has filled; `args` are further arguments of `run`. */
  static launchStore(data: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Gateway {
    if (existsSync(data)) stripped(data);
    const child = spawn(PROGRAM, ['run', '--data', data, '--log', 'json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const gateway = new Gateway(child, '', data);
    atEnd(() => gateway.kill());
    return gateway;
  }

  static async startStore(data: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Gateway> {
    const gateway = Gateway.launchStore(data, args, env);
    await gateway.line(/\bready\b/);
    return gateway;
  }

  /** Starts the program and waits for `ready`. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const gateway = Gateway.launch(options);
    await gateway.line(/\bready\b/);
    return gateway;
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined, 'the gateway did not start');
    return this.#child.pid;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#over) process.kill(this.pid, name);
  }

  /** SIGTERM; the exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), PATIENCE_MS);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }

  /** `kill -9`: no farewell. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Replaces the configuration and sends SIGHUP; resolves when the log shows what came of it. */
  async reload(config: ConfigText): Promise<LogEvent> {
    writeConfig(this.configFile, config);
    const from = this.events.length;
    this.signal('SIGHUP');
    return await this.event(
      (event) => /configuration (revision \d+ in force|not changed)/.test(String(event['text'])),
      { from },
    );
  }

  /** The first line that matches, now or later. */
  async line(pattern: RegExp): Promise<string> {
    return await this.#until(() => this.lines.find((line) => pattern.test(line)), `a line that matches ${pattern}`);
  }

  /** The first event for which `matches` holds, now or later. */
  async event(matches: (event: LogEvent) => boolean, { from = 0 } = {}): Promise<LogEvent> {
    return await this.#until(() => this.events.slice(from).find(matches), `an event for which ${matches.toString()}`);
  }

  /** Resolves with the ICID of the connection that came from this client port. */
  eventsOf(icid: number): LogEvent[] {
    return this.events.filter((event) => event.icid === icid);
  }

  /** The refusal records, of one connection or of all. */
  refusals(icid?: number): Refusal[] {
    const records = this.events.filter(
      (event) => event.event === 'refused' && (icid === undefined || event.icid === icid),
    );
    return records.map((record) => (record['refusal'] ?? record) as Refusal);
  }

  /** Waits until the connection is closed in the log, so that all it had to say is there. */
  async closedEvents(icid: number): Promise<LogEvent[]> {
    await this.event((event) => event.event === 'icid-close' && event.icid === icid);
    return this.eventsOf(icid);
  }

  output(): string {
    return this.lines.slice(-60).join('\n');
  }

  async #until<T>(find: () => T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      assert.ok(!this.#over, `the gateway ended before ${what}\n${this.output()}`);
      assert.ok(Date.now() < deadline, `not in ${PATIENCE_MS} ms: ${what}\n${this.output()}`);
      await this.#change(deadline - Date.now());
    }
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(1, limitMs));
      this.#watchers.add(done);
    });
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #read(line: string): void {
    this.lines.push(line);
    if (!line.startsWith('{')) return;
    try {
      this.events.push(JSON.parse(line) as LogEvent);
    } catch {
      // A line that is no JSON stays in `lines`.
    }
  }
}
