/** What the host access table does with connections, on the wire: TCP refuse, continue, receive threads on one port. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { before, test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

/** What a client without manners sees: the octets until the end, and whether it was a reset. */
function listen(port: number): Promise<{ text: string; reset: boolean }> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    let reset = false;
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset = error.code === 'ECONNRESET';
    });
    socket.on('close', () => resolve({ text, reset }));
  });
}

test('a host that is refused at TCP level sees a reset and no banner, and the log says which entry refused it', async () => {
  const { gateway, port } = await site.startOne({ policy: { behavior: 'tcpRefuse' } });
  assert.deepEqual(await listen(port), { text: '', reset: true });
  const refused = await gateway.event(({ event }) => event === 'refused');
  const { refusal } = refused as unknown as { refusal: Record<string, unknown> };
  assert.equal(refusal['senderGroup'], 'RELAYLIST');
  assert.equal(refusal['rule'], 'listeners.submission.hat[0]');
  await gateway.stop();
});

test('a sender group whose policy is continue does not end the search', async () => {
  const hat = [
    { senderGroup: 'SEEN', senders: ['127.0.0.1'], policy: 'LOOK_ON' },
    { senderGroup: 'RELAYLIST', senders: ['127.0.0.0/8'], policy: 'submission' },
    { senderGroup: 'ALL', policy: 'BLOCKED' },
  ];
  const { gateway, port } = await site.startOne({ policy: {}, more: { hat } }, (config) => ({
    ...config,
    mailFlowPolicies: { ...(config['mailFlowPolicies'] as object), LOOK_ON: { behavior: 'continue' } },
  }));
  const session = await SmtpSession.open({ port });
  await session.expect('MAIL FROM:<a@example.test>', '250');
  const hatEvent = await gateway.event(({ event }) => event === 'hat');
  assert.equal((hatEvent as unknown as { senderGroup: string }).senderGroup, 'RELAYLIST');
  await gateway.stop();
});

test('limits of connections hold over all receive threads that share the port', async () => {
  const { gateway, port } = await site.startOne({ policy: { maxConnectionsPerAddress: 6 } }, (config) => ({
    ...config,
    system: { receiveThreads: 3 },
  }));
  const greetings: string[] = [];
  const sessions: SmtpSession[] = [];
  for (let i = 0; i < 8; i++) {
    const session = await SmtpSession.dial({ port });
    greetings.push((await session.reply()).text.slice(0, 3));
    sessions.push(session);
  }
  assert.deepEqual(greetings, [...Array<string>(6).fill('220'), '421', '421']);
  sessions[0]?.destroy();
  await gateway.event(({ event, how }) => event === 'icid-close' && how === 'lost');
  const late = await SmtpSession.dial({ port });
  assert.match((await late.reply()).text, /^220 /);
  await gateway.stop();
});
