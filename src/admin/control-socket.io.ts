/**
 * The control socket: a unix socket in the data folder over which the command line talks to the running gateway. Only
 * the account that runs the gateway (and root) can open it. The control thread listens here and passes octets on to the
 * API in the admin thread, which it starts at the first connection: a gateway that nobody asks anything needs no memory
 * for it, and an API that dies is started anew behind the same socket.
 * Effects: listens on a unix socket.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

export const CONTROL_SOCKET = 'control.sock';
/** The admin thread's own folder: its database and the socket where it listens. */
export const ADMIN_FOLDER = 'admin';
export const API_SOCKET = `${ADMIN_FOLDER}/api.sock`;

const MAX_CONNECTIONS = 128;

export type ControlSocket = { close(): void };

/** `ready` resolves once the admin thread listens. */
export async function openControlSocket(dataDir: string, ready: () => Promise<void>): Promise<ControlSocket> {
  // A thread has no mask of its own for what it makes, so its socket lies where nobody else can look.
  fs.mkdirSync(path.join(dataDir, ADMIN_FOLDER), { recursive: true, mode: 0o700 });
  const folder = openFolder(dataDir);
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    client.on('error', () => client.destroy());
    ready().then(
      () => join(client, net.connect({ path: socketPath(folder, API_SOCKET), allowHalfOpen: true })),
      () => client.destroy(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenPrivately(server, dataDir, { folder, name: CONTROL_SOCKET });
  return {
    close: () => {
      server.close();
      fs.rmSync(path.join(dataDir, CONTROL_SOCKET), { force: true });
      fs.closeSync(folder);
    },
  };
}

function join(client: net.Socket, api: net.Socket): void {
  client.once('close', () => api.destroy());
  api.once('close', () => client.destroy());
  api.on('error', () => client.destroy());
  client.pipe(api);
  api.pipe(client);
}

type Place = { readonly folder: number; readonly name: string };

/** Listening makes the file at once, and the mask leaves no moment in which others could connect. */
async function listenPrivately(server: net.Server, dataDir: string, { folder, name }: Place): Promise<void> {
  fs.rmSync(path.join(dataDir, name), { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      server.listen(socketPath(folder, name), () => {
        server.removeAllListeners('error');
        server.on('error', () => undefined);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

export const openFolder = (dataDir: string): number =>
  fs.openSync(dataDir, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);

/** A unix socket's path may have 107 octets only; through the open folder's descriptor any data folder will do. */
export const socketPath = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`;
