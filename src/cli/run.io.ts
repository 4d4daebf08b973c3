/**
 * `sallyport run`: the gateway in the foreground. SIGTERM and SIGINT stop it gracefully, SIGHUP reads the configuration
 * again. Only whoever presses Ctrl-C again ends it at once. Effects: signals, standard output, the gateway.
 */
import path from 'node:path';
import { type Gateway, startGateway } from '../gateway.ts';
import { parseArguments, type Write } from './arguments.ts';
import { dataFolder } from './data-folder.ts';
import { logOutput } from './log-output.io.ts';

export async function run(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'data', 'key-file', 'log'] });
  const format = typeof parsed === 'string' ? 'text' : (parsed.options['log'] ?? 'text');
  if (
    typeof parsed === 'string' ||
    (parsed.options['config'] === undefined && parsed.options['data'] === undefined) ||
    parsed.rest.length > 0 ||
    !['text', 'json'].includes(format)
  ) {
    write(
      `usage: sallyport run (--config FILE [--data DIR] | --data DIR [--key-file FILE]) [--log text|json]${typeof parsed === 'string' ? `\n${parsed}` : ''}\n`,
    );
    return 2;
  }
  const { config, data, 'key-file': keyFile } = parsed.options;
  const configFile = config === undefined ? undefined : path.resolve(config);
  return serve({
    configFile,
    keyFile,
    dataDir: configFile === undefined ? path.resolve(data ?? '') : dataFolder(configFile, data),
    logFormat: format as 'text' | 'json',
    write: logOutput(process.stdout),
  });
}

type Serving = {
  readonly configFile: string | undefined;
  readonly keyFile?: string | undefined;
  readonly dataDir: string;
  readonly logFormat: 'text' | 'json';
  readonly write: Write;
};

/** Runs until a signal ends it; the exit code. `onReady` gets the running gateway. */
export async function serve(serving: Serving, onReady?: (gateway: Gateway) => void): Promise<number> {
  const { write } = serving;
  // From the first moment on: whoever reads "ready" may send a signal before the next line here has run.
  const signals = new Signals(write);
  const started = await startGateway({
    ...serving,
    onFatal: (why) => {
      write(`sallyport: cannot go on: ${why}\n`);
      process.exit(1);
    },
  });
  if (!started.ok) {
    write(started.faults.map((line) => `${line}\n`).join(''));
    return 1;
  }
  signals.attend(started.gateway);
  onReady?.(started.gateway);
  const code = await signals.ended;
  // Whatever is left (an HTTP keep-alive, a log that nobody reads) must not hold up the exit.
  setTimeout(() => process.exit(code), LEFT_OVER_MS).unref();
  return code;
}

const LEFT_OVER_MS = 300;

/** npm passes Ctrl-C on to a process that the terminal has told already: that is no second one. */
const SAME_KEY_MS = 1000;

/** SIGTERM and SIGINT stop, a second SIGINT at once; SIGHUP reads the configuration again. An early SIGHUP is kept. */
class Signals {
  /** The exit code, once the gateway has stopped. */
  readonly ended: Promise<number>;
  readonly #write: Write;
  #end: (code: number) => void = () => undefined;
  #gateway: Gateway | undefined;
  #stoppingSinceMs: number | undefined;
  #reload = false;

  constructor(write: Write) {
    this.#write = write;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    process.on('SIGTERM', () => this.#stop());
    process.on('SIGINT', () => {
      if (performance.now() - (this.#stoppingSinceMs ?? Number.POSITIVE_INFINITY) > SAME_KEY_MS) process.exit(1);
      this.#stop();
    });
    process.on('SIGHUP', () => {
      this.#reload = true;
      this.#obey();
    });
  }

  attend(gateway: Gateway): void {
    this.#gateway = gateway;
    this.#obey();
  }

  #stop(): void {
    if (this.#stoppingSinceMs !== undefined) return;
    // Nothing listens yet, so there is nothing to finish; the store is durable at any moment.
    if (this.#gateway === undefined) process.exit(0);
    this.#stoppingSinceMs = performance.now();
    this.#obey();
  }

  #obey(): void {
    const gateway = this.#gateway;
    if (gateway === undefined) return;
    if (this.#stoppingSinceMs !== undefined) {
      this.#gateway = undefined; // once
      gateway.stop().then(
        () => this.#end(0),
        (error: unknown) => {
          this.#write(`sallyport: stop failed: ${String(error)}\n`);
          this.#end(1);
        },
      );
    } else if (this.#reload) {
      this.#reload = false;
      void gateway.reload();
    }
  }
}
