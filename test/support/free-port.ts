/**
 * TCP ports for programs that must be told their port before they start. They are taken from below the kernel's
 * ephemeral range, so that no outgoing connection of another test grabs one in between, and each process has a range
 * of its own. Effects: binds and closes sockets on loopback.
 */
import net from 'node:net';

const FIRST = 10_000;
const PER_PROCESS = 100;
const RANGES = 220;

let next = 0;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/** A port of 127.0.0.1 on which nothing listens. No port is handed out twice by one process. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < PER_PROCESS * RANGES; tries++) {
    const port = FIRST + (((process.pid % RANGES) * PER_PROCESS + next++) % (PER_PROCESS * RANGES));
    if (await isFree(port)) return port;
  }
  throw new Error('no free port');
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
