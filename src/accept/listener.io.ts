/**
 * Listening sockets of one receive thread. All threads bind the same addresses with SO_REUSEPORT and the kernel deals
 * connections out. A socket outlives configuration revisions as long as some listener wants its address, so that a new
 * revision never refuses a connection. AsyncOS terms: listener, TCP listen queue.
 * Effects: binds, accepts, closes.
 */
import net, { type Socket } from 'node:net';

export type SocketAddress = { readonly host: string; readonly port: number };

/** `127.0.0.1:587`, `[::1]:587`, `:587` and `*:587` (all addresses, IPv6 and IPv4). */
export function parseSocketAddress(text: string): SocketAddress {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host: host === '' || host === '*' ? '::' : host, port: Number(text.slice(colon + 1)) };
}

export type Accept = (socket: Socket, address: string) => void;

/** The sockets of this thread by address, as the configuration writes it. */
export class ListeningSockets {
  readonly #open = new Map<string, net.Server>();
  readonly #accept: Accept;

  constructor(accept: Accept) {
    this.#accept = accept;
  }

  /** Binds what is not bound yet; on any failure nothing new stays bound and the error names the address. */
  async bind(wanted: ReadonlyMap<string, { readonly tcpQueue: number }>): Promise<string[]> {
    const added: string[] = [];
    try {
      for (const [address, { tcpQueue }] of wanted) {
        if (this.#open.has(address)) continue;
        this.#open.set(address, await listen(address, { backlog: tcpQueue, reusePort: true }, this.#accept));
        added.push(address);
      }
    } catch (error) {
      for (const address of added) this.close(address);
      throw error;
    }
    return added;
  }

  /** Stops accepting on every address that is not wanted any more. */
  keepOnly(wanted: ReadonlySet<string>): void {
    for (const address of [...this.#open.keys()]) if (!wanted.has(address)) this.close(address);
  }

  close(address: string): void {
    this.#open.get(address)?.close();
    this.#open.delete(address);
  }

  closeAll(): void {
    this.keepOnly(new Set());
  }
}

type BindOptions = { readonly backlog: number; readonly reusePort: boolean };

function listen(address: string, options: BindOptions, accept: Accept): Promise<net.Server> {
  const { host, port } = parseSocketAddress(address);
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => accept(socket, address));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${address}: ${error.code ?? error.message}`)),
    );
    server.listen({ host, port, ...options }, () => {
      server.removeAllListeners('error');
      // EMFILE and the like while accepting: the connection is lost, the listener is not.
      server.on('error', () => undefined);
      resolve(server);
    });
  });
}

/**
 * Refuses an address that another process holds. SO_REUSEPORT alone would let a second gateway of the same user share
 * the port silently and take half of the connections.
 */
export async function claimAddress(address: string): Promise<void> {
  const server = await listen(address, { backlog: 1, reusePort: false }, (socket) => socket.destroy());
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
