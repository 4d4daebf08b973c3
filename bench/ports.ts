/** Whether a server is there yet. Effects: connections to loopback. */
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const LIMIT_MS = 30_000;

/** Resolves once the port accepts connections and, for SMTP, greets. */
export async function answers(port: number, { greeting = true } = {}): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await probe(port, greeting))) {
    if (performance.now() > deadline) throw new Error(`nothing answers on port ${port}`);
    await wait(50);
  }
}

const probe = (port: number, greeting: boolean): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const done = (found: boolean): void => {
      if (found && greeting) socket.end('QUIT\r\n');
      else socket.destroy();
      socket.on('error', () => undefined).resume();
      resolve(found);
    };
    socket.once(greeting ? 'data' : 'connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('end', () => done(false));
  });
