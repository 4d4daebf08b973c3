/**
 * Calls from one thread to objects that live in another, over a MessagePort: `calls.crls.list()` here runs `list()` of
 * the object `crls` there. Arguments and answers are structured-clone data. A GatewayError keeps its code on the way;
 * anything else that is thrown arrives as an Error with its message. When the other thread is gone, what is pending and
 * every later call rejects with GatewayError `closed`.
 * Effects: the port; it keeps the thread alive only while an answer is awaited.
 */
import type { MessagePort } from 'node:worker_threads';
import { GatewayError, type GatewayErrorCode, whyOf } from './errors.ts';

/** Objects by name; each has async methods only. */
export type CallGroups = Readonly<Record<string, object>>;

type Call = { readonly id: number; readonly group: string; readonly method: string; readonly args: readonly unknown[] };
type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly why: string; readonly code?: GatewayErrorCode };
type Pending = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };
type Method = (...args: unknown[]) => unknown;

/** Answers calls until the port closes. */
export function serveCalls(port: MessagePort, groups: CallGroups): void {
  port.on('message', (call: Call) => {
    void perform(groups, call).then((answer) => post(port, answer));
  });
  port.unref();
}

function post(port: MessagePort, answer: Answer): void {
  try {
    port.postMessage(answer);
  } catch (error) {
    // What cannot be cloned is a bug of the method; its caller must not wait for ever.
    const why = whyOf(error);
    port.postMessage({ id: answer.id, ok: false, why } satisfies Answer);
  }
}

async function perform(groups: CallGroups, { id, group, method, args }: Call): Promise<Answer> {
  try {
    const target = groups[group] as Readonly<Record<string, Method>> | undefined;
    const run = target?.[method];
    if (typeof run !== 'function') throw new Error(`there is no call ${group}.${method}`);
    return { id, ok: true, value: await run.apply(target, [...args]) };
  } catch (error) {
    const why = whyOf(error);
    return error instanceof GatewayError ? { id, ok: false, why, code: error.code } : { id, ok: false, why };
  }
}

/** The other end: an object per group whose methods call over the port. */
export function callsOver<Groups extends CallGroups>(port: MessagePort): Groups {
  const line = new CallLine(port);
  const group = (name: string): object =>
    new Proxy(
      {},
      {
        get: (_, method) =>
          typeof method === 'string' ? (...args: readonly unknown[]) => line.call(name, method, args) : undefined,
      },
    );
  const groups = new Map<string, object>();
  return new Proxy({} as Groups, {
    get: (_, name) => {
      if (typeof name !== 'string') return undefined;
      const known = groups.get(name) ?? group(name);
      groups.set(name, known);
      return known;
    },
  });
}

class CallLine {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (answer: Answer) => this.#receive(answer));
    port.on('close', () => this.#close());
    port.unref();
  }

  call(group: string, method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(ended());
    const id = ++this.#lastId;
    if (this.#pending.size === 0) this.#port.ref();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#port.postMessage({ id, group, method, args } satisfies Call);
    });
  }

  #receive(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (this.#pending.size === 0) this.#port.unref();
    if (answer.ok) pending?.resolve(answer.value);
    else pending?.reject(answer.code === undefined ? new Error(answer.why) : new GatewayError(answer.code, answer.why));
  }

  #close(): void {
    this.#closed = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(ended());
  }
}

const ended = (): GatewayError => new GatewayError('closed', 'the other thread has ended');
