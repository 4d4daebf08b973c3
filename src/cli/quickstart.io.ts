/**
 * `npm start`: everything the main job needs on a machine with nothing but this checkout. Makes a demonstration CA,
 * certificates for six people, a revocation list, an embedded directory, a commented configuration and a next hop that
 * keeps mail in a Maildir; then runs the gateway. What exists already is kept. `--demo` plays four sessions and ends.
 * Effects: files below the folder, listening ports, the gateway.
 */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parseArguments, type Write } from './arguments.ts';
import { playDemo } from './demo.io.ts';
import { logOutput } from './log-output.io.ts';
import { openMaildirNextHop } from './maildir-next-hop.io.ts';
import { apart } from '../core/apart.io.ts';
import { CARDS, configuration, directoryLdif, MESSAGE, pasteLines, type Ports } from './quickstart-files.ts';
import { serve } from './run.io.ts';

const PREFERRED_PORTS: Ports = { submission: 5587, submissions: 5465, nextHop: 2526, metrics: 9587 };

export async function quickstart(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['dir'], flags: ['demo'] });
  if (typeof parsed === 'string' || parsed.rest.length > 0) {
    write('usage: sallyport quickstart [--demo] [--dir DIR]\n');
    return 2;
  }
  const shown = parsed.options['dir'] ?? 'quickstart';
  const dir = path.resolve(shown);
  const ports = await prepare(dir, write, shown);
  if (parsed.flags.has('demo') && (await answers(ports.submission))) return playDemo(dir, ports, write);
  const nextHop = await openMaildirNextHop(path.join(dir, 'mail'), ports.nextHop);
  const serving = {
    configFile: path.join(dir, 'sallyport.yaml'),
    dataDir: path.join(dir, 'data'),
    logFormat: 'text' as const,
  };
  if (!parsed.flags.has('demo')) {
    const log = logOutput(process.stdout);
    const code = await serve({ ...serving, write: log }, () => log(pasteLines(shown, ports)));
    nextHop.close();
    return code;
  }
  let demo = 1;
  const code = await serve({ ...serving, write: () => undefined }, () => {
    playDemo(dir, ports, write).then(
      (result) => {
        demo = result;
        process.kill(process.pid, 'SIGTERM');
      },
      (error: unknown) => {
        write(`demo failed: ${String(error)}\n`);
        process.kill(process.pid, 'SIGTERM');
      },
    );
  });
  nextHop.close();
  return code === 0 ? demo : code;
}

/** Makes what is missing below `dir`; the ports are those of the configuration that is there. */
async function prepare(dir: string, write: Write, shown: string): Promise<Ports> {
  const portsFile = path.join(dir, 'ports.json');
  if (fs.existsSync(portsFile)) return JSON.parse(fs.readFileSync(portsFile, 'utf8')) as Ports;
  const ports = await freePorts();
  for (const folder of ['pki/people', 'crl', 'data', 'mail'])
    fs.mkdirSync(path.join(dir, folder), { recursive: true, mode: 0o700 });
  // In a process of its own: its libraries are not needed again.
  await apart(new URL('./demonstration-authority.io.ts', import.meta.url), 'makeDemonstrationAuthority', {
    dir,
    cards: CARDS,
  });
  fs.writeFileSync(path.join(dir, 'directory.ldif'), directoryLdif());
  fs.writeFileSync(path.join(dir, 'message.eml'), MESSAGE);
  fs.writeFileSync(path.join(dir, 'sallyport.yaml'), configuration(ports));
  // Last, so that an interrupted first start begins again.
  fs.writeFileSync(portsFile, `${JSON.stringify(ports)}\n`);
  write(`Made a demonstration CA, six people and a configuration in ${shown}\n`);
  return ports;
}

async function freePorts(): Promise<Ports> {
  const taken: number[] = [];
  const ports: Record<string, number> = {};
  for (const [name, preferred] of Object.entries(PREFERRED_PORTS)) {
    const port = await freePort(preferred, taken);
    taken.push(port);
    ports[name] = port;
  }
  return ports as Ports;
}

async function freePort(preferred: number, taken: readonly number[]): Promise<number> {
  const port = (await canBind(preferred)) ?? (await canBind(0));
  if (port === undefined) throw new Error('no free TCP port on 127.0.0.1');
  return taken.includes(port) ? freePort(0, taken) : port;
}

function canBind(port: number): Promise<number | undefined> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const bound = (server.address() as net.AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', () => resolve(true)).once('error', () => resolve(false));
    socket.setTimeout(2000, () => resolve(false));
    socket.once('data', () => socket.end('QUIT\r\n'));
  });
}
