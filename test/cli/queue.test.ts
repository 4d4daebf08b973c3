/** The queue at the command line: with flags, with --json, and asked in the dialogue of AsyncOS. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ApiSite } from '../support/api-site.ts';
import { piped } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { SmtpSession, submit } from '../support/smtp-session.ts';

let api: ApiSite;
let data: string[];
before(async () => {
  api = await ApiSite.open({}, (config) => ({
    ...config,
    bounceProfiles: { default: { initialWait: '1h', maxWait: '1h' } },
  }));
  data = ['--data', api.gateway.data];
});

const command = (name: string, args: readonly string[], ...answers: readonly string[]) =>
  piped([name, ...args, ...data], ...answers);

async function good(name: string, args: readonly string[], ...answers: readonly string[]): Promise<string> {
  const { code, stdout, output } = await command(name, args, ...answers);
  assert.equal(code, 0, output);
  return stdout;
}

/** Lines of a dialogue appear in this order. */
function inOrder(text: string, ...parts: readonly string[]): void {
  let at = 0;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    assert.ok(found >= 0, `${JSON.stringify(part)} is not there, or too early:\n${text}`);
    at = found + part.length;
  }
}

const suspended = () => api.good('POST /api/suspend', { body: { delivery: true } });
async function resumedAndEmpty(): Promise<void> {
  await api.good('POST /api/resume', { body: { delivery: true } });
  await eventually(async () => {
    const { queue } = (await api.good('GET /api/status')).body as { queue: { messages: number } };
    assert.equal(queue.messages, 0);
  });
}

describe('deleterecipients', () => {
  test('asked nothing, asks how, which, and whether that is sure', async () => {
    await suspended();
    await submit(api.mailPort, { to: 'a@delete.example' });
    await submit(api.mailPort, { to: 'b@other.example' });
    const talk = await good('deleterecipients', [], '', 'delete.example', 'y');
    inOrder(
      talk,
      'Please select how you would like to delete messages:\n1. By recipient host.\n2. By Envelope From address.\n3. All.\n[1]> ',
      'Please enter the hostname for the messages you wish to delete.\n[]> delete.example\n',
      'Are you sure you want to delete all messages being delivered to "delete.example"?\n[N]> y\n',
      'Deleting messages, please wait.\n1 recipient deleted.\n',
    );
    const left = await good('showrecipients', ['--all', '--json']);
    assert.deepEqual(
      left
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { recipient: string }).recipient),
      ['b@other.example'],
    );
    await resumedAndEmpty();
  });

  test('No is the preset answer, and the end of input is no answer: nothing is deleted', async () => {
    await suspended();
    await submit(api.mailPort, { to: 'a@kept.example' });
    inOrder(await good('deleterecipients', ['--all'], ''), '(all active recipients)?\n[N]> ', 'Nothing was changed.\n');
    const ended = await command('deleterecipients', ['--all']);
    assert.deepEqual([ended.code, /the input ended/.test(ended.stdout)], [1, true], ended.output);
    assert.match(await good('showrecipients', ['--host', 'kept.example']), /\na?\[?0?[\s\S]*a@kept\.example/);
    await resumedAndEmpty();
  });

  test('with --yes and --json a script gets numbers; wrong usage is 2', async () => {
    await suspended();
    const mid = await submit(api.mailPort, { to: 'a@script.example' });
    const report = JSON.parse(await good('deleterecipients', ['--mid', String(mid), '--yes', '--json'])) as unknown;
    assert.deepEqual(report, { recipients: 1, messages: 1, bounces: 0, inDelivery: 0 });
    for (const args of [['--host', 'a', '--all'], ['--rid', '1'], ['--mid', 'x', '--yes'], ['--nonsense'], ['word']])
      assert.equal((await command('deleterecipients', args)).code, 2, args.join(' '));
    await resumedAndEmpty();
  });

  test('says what was in delivery and was not touched', async () => {
    const reached = new Promise<void>((resolve) => {
      api.site.nextHop.hold = resolve;
    });
    await submit(api.mailPort, { to: 'a@flight.example' });
    await reached;
    inOrder(
      await good('deleterecipients', ['--host', 'flight.example', '--yes']),
      '0 recipients deleted.\n',
      '1 recipient in delivery at this moment, not touched: their delivery decides.',
    );
    api.site.nextHop.letGo();
    await resumedAndEmpty();
  });
});

test('bouncerecipients asks for the sender, and the sender hears the reason', async () => {
  await suspended();
  await submit(api.mailPort, { from: 'dave@example.test', to: 'a@bounce.example' });
  inOrder(
    await good('bouncerecipients', ['--reason', 'closed today'], '2', 'dave@example.test', 'yes'),
    'Please select how you would like to bounce messages:',
    'Please enter the Envelope From address for the messages you wish to bounce.\n[]> dave@example.test\n',
    'Are you sure you want to bounce all messages with the Envelope From address of "dave@example.test"?\n[N]> yes\n',
    'Bouncing messages, please wait.\n1 recipient bounced.\n',
  );
  await api.good('POST /api/resume', { body: { delivery: true } });
  const bounce = await api.site.nextHop.message(({ from, to }) => from === '' && to.includes('dave@example.test'));
  assert.match(bounce.text, /message bounced by administrator: closed today/);
  await resumedAndEmpty();
});

test('showrecipients and showmessage show who waits, since when, and the header', async () => {
  await suspended();
  const mid = await submit(api.mailPort, { to: 'a@show.example', text: 'Subject: look \u001b[2Jat me\r\n\r\nx\r\n' });
  inOrder(
    await good('showrecipients', [], '1', 'show.example'),
    'Please select how you would like to show messages:',
    'MID/',
    `${mid} `,
    'alice@example.test ',
    'look ?[2Jat me\n[0]',
    'a@show.example',
    '1 recipient shown.\n',
  );
  const shown = await good('showmessage', [], String(mid));
  inOrder(
    shown,
    'Enter the MID to show.\n[]> ',
    `MID ${mid}\n`,
    'Listener:',
    'submission',
    'a@show.example',
    'Subject: look ?[2Jat me',
  );
  assert.ok(!shown.includes('\u001b'), 'a header must not steer the terminal');
  const none = await command('showmessage', ['999999999']);
  assert.deepEqual([none.code, none.stdout], [1, 'sallyport: MID 999999999 is not in the queue\n']);
  await resumedAndEmpty();
});

test('delivernow asks which, and delivers it', async () => {
  await api.site.nextHop.down();
  const mid = await submit(api.mailPort, { to: 'a@now.example' });
  await api.gateway.event((event) => event.event === 'delayed' && event.mid === mid);
  // The log tells of an attempt before its outcome is counted.
  await eventually(async () =>
    assert.match(await good('tophosts', ['active_rcpts']), /^1\* +now\.example +1 +0 +0 +1 +0$/m),
  );
  inOrder(
    await good('hoststatus', [], 'now.example'),
    'Recipient host:\n[]> now.example\n',
    "Host mail status for: 'now.example'\n",
    'Host up/down:',
    'down',
    'Active Recipients',
  );
  await api.site.nextHop.up();
  inOrder(
    await good('delivernow', [], '1', 'now.example'),
    'Please choose an option for scheduling immediate delivery.\n1. By recipient host\n2. All messages\n[1]> 1\n',
    'Please enter the domain to schedule for immediate delivery.\n[]> now.example\n',
    'Scheduling all messages to now.example for delivery.\n1 recipient scheduled.\n',
  );
  await api.site.nextHop.message(({ to }) => to.includes('a@now.example'));
  await resumedAndEmpty();
  assert.match(await good('hoststatus', ['now.example']), /^Host up\/down: +up \(/m);
});

test('tophosts asks for the order; topin shows who connects; status shows it all', async () => {
  await submit(api.mailPort, { to: 'a@met.example' });
  await resumedAndEmpty();
  const session = await SmtpSession.open({ port: api.mailPort });
  inOrder(
    await good('tophosts', [], '3'),
    'Sort results by:\n1. Active Recipients\n2. Connections Out\n3. Delivered Recipients\n4. Hard Bounced Recipients\n5. Soft Bounced Events\n[1]> 3\n',
    "Hosts marked with '*' were down as of the last delivery attempt.\n",
    'Recipient Host',
  );
  // The session of before has said QUIT, and ends when the gateway sees that it has.
  await eventually(async () =>
    assert.match(await good('topin', []), /^1 +127\.0\.0\.1 +127\.0\.0\.1 +submission +1 +\d+/m),
  );
  const brief = await good('status', []);
  inOrder(
    brief,
    'Enter "status detail" for more information.\n',
    'Status as of:',
    'Up since:',
    'System status:',
    'Online',
    'Counters:',
    'Messages Received',
    'Current IDs',
    'Gauges:',
    'Current Inbound Conn.',
    'Active Recipients',
  );
  inOrder(
    await good('status', ['detail']),
    'Hard Bounced Recipients',
    'Delivered Recipients',
    'Deleted Recipients',
    'Rates (Events Per Hour):',
    'submission (at most',
  );
  assert.equal((JSON.parse(await good('status', ['--json'])) as { systemStatus: string }).systemStatus, 'Online');
  assert.equal((await command('tophosts', ['by-colour'])).code, 2);
  assert.ok(Array.isArray((JSON.parse(await good('tophosts', ['--json'])) as { hosts: unknown }).hosts));
  await session.quit();
});

test('workqueue: status, pause with a reason, resume, rate', async () => {
  const talk = await good('workqueue', [], 'pause', 'y', 'checking LDAP server', '');
  inOrder(
    talk,
    'Status:                        Operational\n',
    'Choose the operation you want to perform:\n- STATUS - Display current status of work queue\n- PAUSE - Pause the work queue\n',
    'Manually pause work queue? This will only affect unprocessed messages.\n[N]> y\n',
    'Reason for pausing work queue:\n[]> checking LDAP server\n',
    'Paused by cli:',
    ': checking LDAP server\n',
  );
  await submit(api.mailPort, { to: 'a@paused.example' });
  assert.match(await good('workqueue', ['status']), /^Messages: +1$/m);
  const rate = await good('workqueue', ['rate', '--every', '1', '--count', '1']);
  assert.match(rate, /^ +Time +Pending +In +Out\n[\d:]{8} +1 +0 +0$/m);
  assert.match(await good('workqueue', ['resume']), /^Status: +Operational$/m);
  await api.site.nextHop.message(({ to }) => to.includes('a@paused.example'));
  await resumedAndEmpty();
});

test('suspend and resume: one listener by number, all, delivery; the command waits for what is under way', async () => {
  inOrder(
    await good('suspendlistener', [], '2', '0'),
    'Choose the listener(s) you wish to suspend.\nSeparate multiple entries with commas.\n1. All\n2. submission\n[1]> 2\n',
    'Enter the number of seconds to wait for connections to end.\n[30]> 0\n',
    'Waiting for listeners to exit...\nReceiving suspended for submission.\n',
  );
  inOrder(
    await good('status', []),
    'System status:                 Receiving suspended\n',
    'submission:',
    'suspended by cli:',
  );
  assert.equal(
    await good('resumelistener', ['submission']),
    'Receiving resumed for submission.\nSystem status: Online\n',
  );
  inOrder(
    await good('suspend', ['--wait', '5', '--reason', 'maintenance']),
    'Waiting for listeners to exit...\nWaiting for outgoing deliveries to finish...\n',
    'Receiving suspended for submission.\nMail delivery suspended.\n',
  );
  inOrder(await good('status', []), 'Offline (receiving and delivery suspended)', ': maintenance\n');
  assert.equal(await good('resume', []), 'Receiving resumed.\nMail delivery resumed.\nSystem status: Online\n');
  assert.match(await good('suspenddel', ['--wait', '0']), /^Mail delivery suspended\.$/m);
  assert.equal(await good('resumedel', []), 'Mail delivery resumed.\nSystem status: Online\n');
  const unknown = await command('suspendlistener', ['nowhere', '--wait', '0']);
  assert.deepEqual([unknown.code, unknown.stdout], [1, 'sallyport: there is no listener nowhere\n']);
});
