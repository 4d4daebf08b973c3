/**
 * TCP ports for programs that must be told their port before they start. They are taken from below the kernel's
 * ephemeral range, so that no outgoing connection of another test grabs one in between, and each process has ranges of
 * its own: it listens on the first port of a range for as long as it lives, and whoever finds that port taken goes on to
 * the next range. So a port stays its process's own while the program on it is stopped and started again.
 * Effects: binds sockets on loopback.
 */
import net from 'node:net';

const FIRST = 10_000;
const RANGE = 100;
const RANGES = 220;

let ports: Promise<number[]> = Promise.resolve([]);

/** Listens there, and goes on listening where `keep` says so; false where somebody else does. */
const isFree = (port: number, keep = false): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer((socket) => socket.destroy()).unref();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      if (keep) resolve(true);
      else server.close(() => resolve(true));
    });
  });

/** The ports of a range that no other process has. */
async function claim(): Promise<number[]> {
  for (let i = 0; i < RANGES; i++) {
    const first = FIRST + ((process.pid + i) % RANGES) * RANGE;
    if (await isFree(first, true)) return Array.from({ length: RANGE - 1 }, (_, n) => first + 1 + n);
  }
  throw new Error('no free range of ports');
}

/** A port of 127.0.0.1 on which nothing listens. No port is handed out twice by one process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = (await ports).shift();
    if (port === undefined) ports = claim();
    else if (await isFree(port)) return port;
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const taken: number[] = [];
  while (taken.length < count) taken.push(await freePort());
  return taken;
}
