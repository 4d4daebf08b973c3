/** The load generator believes no server: every wrong, early, late or missing reply is a failure. Nothing is timed here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compile, type LoadReport, runLoad } from '../load.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-loadgen-'));
after(() => rmSync(folder, { recursive: true }));
const loadgen = compile('loadgen', folder);

/** What a server says: to the connection, to each command in turn, and to the final dot. */
type Script = {
  readonly greeting?: string;
  readonly replies?: Readonly<Record<string, string>>;
  readonly dot?: string;
};

const GOOD: Readonly<Record<string, string>> = {
  EHLO: '250-test\r\n250 PIPELINING\r\n',
  MAIL: '250 ok\r\n',
  RCPT: '250 ok\r\n',
  DATA: '354 go on\r\n',
  QUIT: '221 bye\r\n',
};

function serve(socket: net.Socket, { greeting = '220 test\r\n', replies = {}, dot = '250 ok\r\n' }: Script): void {
  let received = '';
  let inContent = false;
  socket.on('error', () => undefined);
  socket.write(greeting);
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1');
    for (;;) {
      const end = received.indexOf(inContent ? '\r\n.\r\n' : '\r\n');
      if (end < 0) return;
      const verb = received.slice(0, 4);
      received = received.slice(end + (inContent ? 5 : 2));
      if (inContent) socket.write(dot);
      else socket.write(replies[verb] ?? GOOD[verb] ?? '500 what?\r\n');
      inContent = !inContent && verb === 'DATA';
    }
  });
}

async function loadOn(
  script: Script,
  more: { readonly pipeline?: boolean; readonly tls?: 'starttls' } = {},
): Promise<LoadReport> {
  const server = net.createServer((socket) => serve(socket, script));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as net.AddressInfo;
    const load = { tls: 'none', concurrency: 2, messages: 3, size: 1000, sessions: 4, seconds: 60 } as const;
    return await runLoad(loadgen, port, { ...load, ...more });
  } finally {
    server.close();
  }
}

test('sessions in which every reply is right are counted with their messages and times', async () => {
  for (const pipeline of [false, true]) {
    const report = await loadOn({}, { pipeline });
    assert.equal(report.failures, 0, report.firstFailure);
    assert.equal(report.sessions, 4);
    assert.equal(report.messages, 12);
    assert.equal(report.accepted.count, 12);
  }
});

const WRONG: readonly (readonly [title: string, script: Script, failure: RegExp])[] = [
  ['a greeting other than 220', { greeting: '554 no\r\n' }, /greeting: unexpected reply: 554 no/],
  ['a refused EHLO', { replies: { EHLO: '502 no\r\n' } }, /EHLO in TLS: unexpected reply: 502/],
  ['a refused sender', { replies: { MAIL: '451 later\r\n' } }, /MAIL: unexpected reply: 451 later/],
  ['a refused recipient', { replies: { RCPT: '550 no\r\n' } }, /RCPT: unexpected reply: 550 no/],
  ['250 where 354 is due', { replies: { DATA: '250 ok\r\n' } }, /DATA: unexpected reply: 250/],
  ['a message that is not accepted', { dot: '452 full\r\n' }, /final dot: unexpected reply: 452 full/],
  [
    'a wrong code in a line that is continued',
    { replies: { EHLO: '250-a\r\n251-b\r\n250 c\r\n' } },
    /unexpected reply: 251-b/,
  ],
  ['a second reply that nobody asked for', { replies: { MAIL: '250 ok\r\n250 ok\r\n' } }, /RCPT|asked for|unexpected/],
  ['a line that is no reply', { replies: { MAIL: 'fine\r\n' } }, /MAIL: not a reply: fine/],
  ['a line that ends in a bare LF', { replies: { MAIL: '250 ok\n' } }, /MAIL: a line end that is not CRLF/],
  ['421 in place of the farewell', { replies: { QUIT: '421 no\r\n' } }, /QUIT: unexpected reply: 421/],
];

for (const [title, script, failure] of WRONG) {
  test(`the load generator reports ${title}`, async () => {
    const report = await loadOn(script);
    assert.ok(report.failures > 0);
    assert.match(report.firstFailure, failure);
  });
}

test('a pipelined recipient that is refused is found among the replies', async () => {
  const report = await loadOn({ replies: { RCPT: '550 no\r\n' } }, { pipeline: true });
  assert.match(report.firstFailure, /DATA: unexpected reply: 550 no/);
});

test('a server that does not offer STARTTLS fails a load with TLS', async () => {
  const report = await loadOn({}, { tls: 'starttls' });
  assert.equal(report.sessions, 0);
  assert.match(report.firstFailure, /STARTTLS is not offered/);
});

test('a port on which nobody listens is a failure, not an empty success', async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const load = { tls: 'none', concurrency: 1, messages: 1, size: 100, sessions: 1, seconds: 60 } as const;
  const report = await runLoad(loadgen, port, load);
  assert.equal(report.sessions, 0);
  assert.match(report.firstFailure, /connect/);
});
