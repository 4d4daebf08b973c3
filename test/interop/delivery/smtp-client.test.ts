/** What the client says to hosts of different abilities, and how it carries large and odd messages. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type SinkOptions, startSink } from '../../support/sink.ts';
import { type MessageSketch, type Rig, startRig } from './delivery-rig.ts';

type Context = Parameters<typeof startRig>[0];

async function deliverTo(t: Context, options: SinkOptions, sketch: MessageSketch, count = 1) {
  const sink = await startSink(options);
  t.after(() => sink.stop());
  const rig: Rig = startRig(t, {
    routes: { 'x.test': [`127.0.0.1:${sink.port}`], ALL: ['/dev/null'] },
    profile: { initialWait: '1h', maxWait: '1h' },
  });
  await rig.send(sketch);
  await rig.queue.until(() => rig.queue.settled.length >= count);
  return { sink, rig };
}

test('DSN parameters are passed on where the host knows them, and it answers for them', async (t) => {
  const { sink, rig } = await deliverTo(
    t,
    {},
    {
      to: [{ address: 'a@x.test', notify: 'SUCCESS,FAILURE', orcpt: 'rfc822;a+2Bb@x.test' }],
      envelope: { ret: 'HDRS', envid: 'QQ314159' },
    },
  );
  assert.match(sink.messages[0]?.mailParameters ?? '', /RET=HDRS ENVID=QQ314159/);
  assert.equal(sink.messages[0]?.recipients[0]?.parameters, 'NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@x.test');
  assert.equal(rig.queue.bounces.length, 0);
});

test('a sender who wants to know of success is told where the next hop does not know DSN', async (t) => {
  const { sink, rig } = await deliverTo(t, { extensions: [] }, { to: [{ address: 'a@x.test', notify: 'SUCCESS' }] });
  assert.equal(sink.messages[0]?.recipients[0]?.parameters, '');
  const body = rig.queue.bounces[0]?.body;
  assert.ok(body?.kind === 'inline');
  assert.match(Buffer.from(body.bytes).toString(), /Action: relayed\r\n/);
});

test('NOTIFY=NEVER is obeyed when the mail fails', async (t) => {
  const { rig } = await deliverTo(
    t,
    { script: (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : undefined) },
    {
      to: [{ address: 'a@x.test', notify: 'NEVER' }],
    },
  );
  assert.equal(rig.queue.settled[0]?.outcome, 'bounced');
  assert.equal(rig.queue.bounces.length, 0);
});

test('a host without EHLO gets HELO and no parameters', async (t) => {
  const { sink } = await deliverTo(
    t,
    { script: (verb) => (verb === 'EHLO' ? '502 5.5.1 what' : undefined) },
    { to: ['a@x.test'] },
  );
  assert.deepEqual(sink.sessions[0]?.commands.slice(0, 3), [
    'EHLO gw.example.test',
    'HELO gw.example.test',
    'MAIL FROM:<sender@example.org>',
  ]);
});

test('8-bit text is not sent to a host without 8BITMIME, and not changed either', async (t) => {
  const sketch = { to: ['a@x.test'], text: 'Subject: x\r\n\r\nGrüße\r\n', envelope: { body: '8BITMIME' } } as const;
  const { sink, rig } = await deliverTo(t, { extensions: [] }, sketch);
  assert.equal(rig.events('bounced')[0]?.status, '5.6.3');
  assert.equal(sink.messages.length, 0);
});

test('a message declared 8-bit that is not goes to a host without 8BITMIME', async (t) => {
  const { sink } = await deliverTo(t, { extensions: [] }, { to: ['a@x.test'], envelope: { body: '8BITMIME' } });
  assert.equal(sink.messages[0]?.mailParameters, '');
});

test('a message that needs SMTPUTF8 bounces with 5.6.7 where it is lacking', async (t) => {
  const { rig } = await deliverTo(
    t,
    { extensions: ['8BITMIME'] },
    { to: ['jürgen@x.test'], envelope: { smtpUtf8: true } },
  );
  assert.equal(rig.events('bounced')[0]?.status, '5.6.7');
});

test('a message above the size that the host announces is not sent to it', async (t) => {
  const { sink, rig } = await deliverTo(t, { extensions: ['SIZE 10'] }, { to: ['a@x.test'] });
  assert.equal(rig.events('bounced')[0]?.status, '5.3.4');
  assert.equal(
    sink.sessions[0]?.commands.some((line) => line.startsWith('MAIL')),
    false,
  );
});

test('a host that accepts DATA after refusing every recipient gets an empty text and is not believed', async (t) => {
  const { sink, rig } = await deliverTo(
    t,
    {
      script: (verb) => (verb === 'RCPT' ? '550 5.1.1 no' : verb === 'DATA' ? '354 go on' : undefined),
    },
    { to: ['a@x.test'] },
  );
  assert.equal(rig.queue.settled[0]?.outcome, 'bounced');
  assert.equal(sink.messages.length, 0);
});

test('a refusal in the middle of the text counts', async (t) => {
  const { rig } = await deliverTo(
    t,
    { script: (verb) => (verb === 'DATA' ? { drop: true, after: '354 go' } : undefined) },
    {
      to: ['a@x.test'],
      text: `Subject: x\r\n\r\n${'y'.repeat(70)}\r\n`.repeat(20_000),
    },
  );
  assert.equal(rig.queue.settled[0]?.outcome, 'retry');
});

test('a recipient address cannot smuggle a command', async (t) => {
  const { sink, rig } = await deliverTo(t, {}, { to: ['a\r\nRCPT TO:<evil@x.test>\r\n@x.test'] });
  assert.equal(rig.queue.settled[0]?.outcome, 'bounced');
  assert.equal(
    sink.sessions[0]?.commands.some((line) => line.includes('evil')),
    false,
  );
});

test('a message of 50 MB goes from its spool file in bounded memory', async (t) => {
  const sink = await startSink({ discard: true });
  t.after(() => sink.stop());
  const rig = startRig(t, { routes: { ALL: [`127.0.0.1:${sink.port}`] } });
  const text = Buffer.alloc(50 * 1024 * 1024, `${'0123456789'.repeat(7)}\r\n`);
  text.write('\r\n', text.length - 2);
  const expected = createHash('sha256').update(text).digest('hex');
  const size = text.length;
  writeFileSync(join(rig.spoolDir, 'big'), text);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const watch = setInterval(() => {
    collect();
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
  }, 10);
  t.after(() => clearInterval(watch));
  await rig.send({ to: ['a@x.test'], body: { kind: 'spooled', file: 'big', size } });
  const [message] = await sink.waitFor(1);
  assert.equal(message?.bytes, size);
  assert.equal(message?.sha256, expected);
  assert.ok(peak > 0 && peak < 15 * 1024 * 1024, `${peak} octets of buffers`);
});

test('a spool file that is cut short is never sent as if it were whole', async (t) => {
  const sink = await startSink({});
  t.after(() => sink.stop());
  const rig = startRig(t, {
    routes: { ALL: [`127.0.0.1:${sink.port}`] },
    profile: { initialWait: '1h', maxWait: '1h' },
  });
  writeFileSync(join(rig.spoolDir, 'short'), 'Subject: x\r\n\r\nhal');
  await rig.send({ to: ['a@x.test'], body: { kind: 'spooled', file: 'short', size: 1000 } });
  await rig.queue.until(() => rig.queue.settled.length === 1);
  assert.equal(rig.queue.settled[0]?.outcome, 'retry');
  assert.equal(sink.messages.length, 0);
});
