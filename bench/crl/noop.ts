/**
 * Open sessions that say NOOP while a list is being replaced: `node noop.ts PORT SESSIONS` prints `open`, then, when its
 * input ends, one line of JSON with how long the replies took. Effects: sockets on loopback, standard output.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

export type Waits = { readonly replies: number; readonly longestMs: number; readonly p999Ms: number };

const PAUSE_MS = 20;
const [port, sessions] = process.argv.slice(2).map(Number);
const waits: number[] = [];
let stopping = false;

async function talk(): Promise<void> {
  const socket = tls.connect({
    socket: net.connect(port ?? 0, '127.0.0.1').setNoDelay(true),
    rejectUnauthorized: false,
  });
  let answered = (): void => {};
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    if (/^\d{3} .*\r\n$/m.test(text)) {
      text = '';
      answered();
    }
  });
  const say = async (line: string): Promise<number> => {
    const reply = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const from = performance.now();
    if (line !== '') socket.write(`${line}\r\n`);
    await reply;
    return performance.now() - from;
  };
  const greeting = say('');
  await once(socket, 'secureConnect');
  await greeting;
  await say('EHLO client.example.test');
  opened();
  while (!stopping) {
    waits.push(await say('NOOP'));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  socket.destroy();
}

let open = 0;
function opened(): void {
  open += 1;
  if (open === sessions) console.log('open');
}

process.stdin.resume().on('end', () => {
  stopping = true;
});
// What was measured while the sessions were being opened is not what is asked for.
process.stdin.on('data', () => waits.splice(0));
await Promise.all(Array.from({ length: sessions ?? 1 }, talk));
waits.sort((a, b) => a - b);
const result: Waits = {
  replies: waits.length,
  longestMs: waits.at(-1) ?? 0,
  p999Ms: waits[Math.floor(waits.length * 0.999)] ?? 0,
};
console.log(JSON.stringify(result));
