/**
 * The bare loop in Node: net and tls, no policy, a message on stable storage before its 250. `file`: write, fsync and
 * rename for every message. `log`: one file, everything that arrived while the last group was synced is the next group.
 * Usage: node bare-node.ts file|log DATA CERT KEY CA TLS_PORT PLAIN_PORT LDAP_PORT LDAP_URL.
 * Effects: listens on loopback, writes DATA.
 */
import fs from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { Client } from 'ldapts';
import { BASE_DN, GATEWAY_ACCOUNT } from '../material.ts';

const [mode, folder = '', cert = '', key = '', ca = '', tlsPort, plainPort, ldapPort, ldapUrl = ''] =
  process.argv.slice(2);

const open = promisify(fs.open);
const writev = promisify(fs.writev);
const fsync = promisify(fs.fsync);
const fdatasync = promisify(fs.fdatasync);
const close = promisify(fs.close);
const rename = promisify(fs.rename);

let files = 0;

async function storeFile(parts: readonly Buffer[]): Promise<void> {
  const name = join(folder, `m${++files}`);
  const fd = await open(`${name}.tmp`, 'w');
  await writev(fd, parts);
  await fsync(fd);
  await close(fd);
  await rename(`${name}.tmp`, name);
}

let group: Buffer[] = [];
let waiting: (() => void)[] = [];
let busy = false;
const log = mode === 'log' ? fs.openSync(join(folder, 'log'), 'a') : -1;

async function commit(): Promise<void> {
  busy = true;
  while (group.length > 0) {
    const parts = group;
    const done = waiting;
    group = [];
    waiting = [];
    await writev(log, parts);
    await fdatasync(log);
    for (const resolve of done) resolve();
  }
  busy = false;
}

function storeInLog(parts: readonly Buffer[]): Promise<void> {
  return new Promise((resolve) => {
    for (const part of parts) group.push(part);
    waiting.push(resolve);
    if (!busy) void commit();
  });
}

const store = mode === 'log' ? storeInLog : storeFile;

const directory = new Client({ url: ldapUrl });
await directory.bind(GATEWAY_ACCOUNT.dn, GATEWAY_ACCOUNT.password);

async function isKnown(socket: tls.TLSSocket): Promise<boolean> {
  const { subject, serialNumber } = socket.getPeerX509Certificate() ?? {};
  const name = /CN=([A-Z.0-9]+)/.exec(subject ?? '')?.[1];
  const filter = `(&(caccn=${name})(cacserial=${serialNumber}))`;
  const { searchEntries } = await directory.search(BASE_DN, { filter, attributes: ['uid'] });
  return searchEntries.length === 1;
}

const END = Buffer.from('\r\n.\r\n');
type Door = { readonly secure: boolean; readonly asks: boolean };

class Session {
  readonly #door: Door;
  #socket: net.Socket | tls.TLSSocket;
  #line = '';
  #parts: Buffer[] | undefined;
  #tail = Buffer.from('\r\n');

  constructor(socket: net.Socket, door: Door) {
    this.#socket = socket;
    this.#door = door;
    this.#attach(socket);
    socket.write('220 bare ESMTP\r\n');
  }

  #attach(socket: net.Socket): void {
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#take(bytes)).on('error', () => socket.destroy());
  }

  #take(bytes: Buffer): void {
    if (this.#parts !== undefined) return this.#content(bytes);
    this.#line += bytes.toString('latin1');
    for (let end = this.#line.indexOf('\r\n'); end >= 0; end = this.#line.indexOf('\r\n')) {
      const line = this.#line.slice(0, end);
      this.#line = this.#line.slice(end + 2);
      this.#command(line);
    }
  }

  #content(bytes: Buffer): void {
    this.#parts?.push(bytes);
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-END.length)]).subarray(-END.length);
    if (!this.#tail.equals(END)) return; // this client sends nothing behind the final dot
    const parts = this.#parts ?? [];
    this.#parts = undefined;
    void store(parts).then(() => this.#socket.write('250 ok\r\n'));
  }

  #command(line: string): void {
    const socket = this.#socket;
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        socket.write(
          this.#door.secure && !(socket instanceof tls.TLSSocket)
            ? '250-bare\r\n250 STARTTLS\r\n'
            : '250-bare\r\n250 SIZE\r\n',
        );
        break;
      case 'STAR':
        socket.write('220 go on\r\n');
        this.#startTls();
        break;
      case 'MAIL':
        if (!this.#door.asks) socket.write('250 ok\r\n');
        else void isKnown(socket as tls.TLSSocket).then((known) => socket.write(known ? '250 ok\r\n' : '550 who?\r\n'));
        break;
      case 'DATA':
        this.#parts = [];
        this.#tail = Buffer.from('\r\n');
        socket.write('354 go on\r\n');
        break;
      case 'QUIT':
        socket.end('221 bye\r\n');
        break;
      default:
        socket.write('250 ok\r\n');
    }
  }

  #startTls(): void {
    const raw = this.#socket;
    raw.removeAllListeners('data');
    upgrades.set(raw, (socket) => {
      this.#socket = socket;
      this.#attach(socket);
    });
    server.emit('connection', raw);
  }
}

const upgrades = new WeakMap<net.Socket, (socket: tls.TLSSocket) => void>();
const server = tls.createServer({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3',
  ecdhCurve: 'X25519:P-256',
});
server.on('tlsClientError', (_error, socket) => socket.destroy());
server.on('secureConnection', (socket) =>
  upgrades.get((socket as unknown as { _parent: net.Socket })._parent)?.(socket),
);

const listen = (port: string | undefined, door: Door): void => {
  // Several of them may share the ports.
  const where = { port: Number(port), host: '127.0.0.1', backlog: 4096, reusePort: true };
  net.createServer((socket) => new Session(socket, door)).listen(where);
};
listen(tlsPort, { secure: true, asks: false });
listen(plainPort, { secure: false, asks: false });
listen(ldapPort, { secure: true, asks: true });
