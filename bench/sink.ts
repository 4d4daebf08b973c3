/** The bare C loop as the next hop: what it has counted. Effects: starts it. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from '../test/support/free-port.ts';
import { Account } from './account.ts';

export type SinkCount = { readonly messages: number; readonly connections: number; readonly seconds: number };
export type Sink = { readonly route: string; count(): Promise<SinkCount>; stop(): Promise<void> };

export async function startSink(program: string, name: string): Promise<Sink> {
  const port = await freePort();
  const account = Account.open(name);
  const child = account.start(program, ['--port', String(port)]);
  if (child.stdout === null) throw new Error('the sink has no output');
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return {
    route: `127.0.0.1:${port}`,
    async count() {
      const line = once(lines, 'line');
      child.stdin?.write('\n');
      const [messages = 0, connections = 0, seconds = 0] = String((await line)[0])
        .split(' ')
        .map(Number);
      return { messages, connections, seconds };
    },
    stop: () => account.end('SIGKILL'),
  };
}
