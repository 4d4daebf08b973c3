/**
 * Work that needs big libraries for a moment (checking a configuration, making certificates, filling the compile cache) in
 * a process of its own: its memory goes when it ends, which that of a thread does not. Effects: a child process.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyOf } from './errors.ts';

type Task = { readonly module: string; readonly name: string; readonly argument: unknown };
type Result = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

const HERE = fileURLToPath(import.meta.url);

/** What `module`'s export `name` answers to `argument`; both are structured-clone data. Rejects with the task's own words. */
export function apart<T>(module: URL, name: string, argument: unknown): Promise<T> {
  // Not our own standard output: a process that ends sets back how a pipe is written to, for all who have it.
  const child = fork(HERE, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  child.stderr?.on('data', (words: Buffer) => process.stderr.write(words));
  return new Promise((resolve, reject) => {
    child.once('message', (result: Result) => {
      if (result.ok) resolve(result.value as T);
      else reject(new Error(result.why));
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${name} ended without an answer`)));
    child.send({ module: module.href, name, argument } satisfies Task);
  });
}

async function perform({ module, name, argument }: Task): Promise<Result> {
  try {
    const exports = (await import(module)) as Record<string, (argument: unknown) => unknown>;
    const run = exports[name];
    if (run === undefined) return { ok: false, why: `${module} has no ${name}` };
    return { ok: true, value: await run(argument) };
  } catch (error) {
    return { ok: false, why: whyOf(error) };
  }
}

if (process.send !== undefined && path.resolve(process.argv[1] ?? '') === HERE) {
  // A signal to the process group (Ctrl-C) is the gateway's to handle.
  process.on('SIGINT', () => undefined);
  process.once('message', (task: Task) => {
    void perform(task).then((result) => process.send?.(result, () => process.disconnect?.()));
  });
}
