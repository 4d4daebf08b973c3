/**
 * A real slapd that goes away, hangs, drops connections and comes back; several of them; one that refuses the gateway.
 * Whatever happens, "unknown" is never "no" and never "yes".
 */
import assert from 'node:assert/strict';
import net, { type AddressInfo, type Socket } from 'node:net';
import { before, test } from 'node:test';
import type { MailEvent } from '../../../src/log/mail-event.ts';
import type { Directory } from '../../../src/ldap/directory.ts';
import { BASE_DN, open } from '../../contract/directory-server.ts';
import { atEnd } from '../../support/at-end.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { RECIPE_LDIF, Slapd } from '../../support/slapd.ts';

let slapd: Slapd;
let second: Slapd;
before(async () => {
  [slapd, second] = await Promise.all([
    Slapd.start(),
    Slapd.start({ ldif: RECIPE_LDIF.replaceAll('Brown', 'Second') }),
  ]);
});

const BOB = 'uid=bob,ou=people,dc=example,dc=test';
const ask = (directory: Directory, attributes: readonly string[] = ['sn']) =>
  directory.search({
    baseDn: BASE_DN,
    filter: { kind: 'equal', attribute: 'uid', value: 'bob' },
    attributes,
    sizeLimit: 2,
  });
const surname = async (directory: Directory): Promise<string> => {
  const answer = await ask(directory);
  if (answer.answer !== 'yes') return `${answer.answer}: ${answer.why}`;
  return String(answer.value.entries[0]?.attributes[0]?.values[0] ?? 'nobody');
};
/** Asks until the answer is this one. */
const answersAgain = (directory: Directory, expected: string): Promise<void> =>
  eventually(async () => assert.equal(await surname(directory), expected));
const changes = (events: readonly MailEvent[]): (readonly [string, boolean])[] =>
  events.flatMap((event) => (event.event === 'directory' ? [[event.host, event.up] as const] : []));

/** A TCP relay in front of a directory whose connections a test can cut; it counts them. */
async function relay(
  port: number,
): Promise<{ url: string; cut: () => void; connections: () => number; open: () => number; refuse: boolean }> {
  const pairs = new Set<Socket>();
  let connections = 0;
  const state = {
    url: '',
    cut: () => pairs.forEach((socket) => socket.destroy()),
    connections: () => connections,
    open: () => pairs.size,
    refuse: false,
  };
  const server = net.createServer((client) => {
    client.on('error', () => undefined);
    if (state.refuse) {
      client.destroy();
      return;
    }
    connections += 1;
    pairs.add(client);
    const upstream = net.connect(port, '127.0.0.1');
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => {
      pairs.delete(client);
      upstream.destroy();
    });
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    state.cut();
    server.close();
  });
  state.url = `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

test('a host that refuses connections is unknown at once, and the log says so once', async () => {
  const url = `ldap://127.0.0.1:${await freePort()}`;
  const { directory, events } = open({ hosts: [url] });
  const from = performance.now();
  for (let i = 0; i < 20; i++)
    assert.match(await surname(directory), /^unknown: .*Server unreachable: unable to connect/);
  assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'unknown');
  assert.ok(performance.now() - from < 5000, 'it waited for a time limit');
  assert.deepEqual(changes(events), [[url, false]]);
  assert.deepEqual(
    (await directory.test()).map(({ ok }) => ok),
    [false],
  );
});

test('a name that does not exist is unknown', async () => {
  const { directory } = open({ hosts: ['ldap://directory.invalid'], connectTimeout: 2000 });
  assert.match(await surname(directory), /^unknown: .*Server unreachable/);
});

test('after a stop it is down, after the start it is up, and both are logged once', async () => {
  const own = await Slapd.start();
  const { directory, events } = open({ hosts: [own.url] });
  assert.equal(await surname(directory), 'Brown');
  await own.stop();
  assert.match(await surname(directory), /^unknown/);
  assert.match(await surname(directory), /^unknown/);
  assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'unknown');
  await own.restart();
  await answersAgain(directory, 'Brown');
  assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'yes');
  assert.deepEqual(changes(events), [
    [own.url, false],
    [own.url, true],
  ]);
});

test('a host that hangs is unknown after the time limit, then at once, and answers again when it wakes', async () => {
  const own = await Slapd.start();
  const { directory, events } = open({ hosts: [own.url], queryTimeout: 1000 });
  assert.equal(await surname(directory), 'Brown');
  own.pause();
  const from = performance.now();
  const answers = await Promise.all([surname(directory), surname(directory), directory.bind(BOB, 'bob-secret')]);
  assert.match(answers[0], /^unknown/);
  assert.match(answers[1], /^unknown/);
  assert.equal(answers[2].answer, 'unknown');
  assert.ok(performance.now() - from < 3000, `${performance.now() - from} ms`);
  const again = performance.now();
  assert.match(await surname(directory), /^unknown/);
  assert.ok(performance.now() - again < 500, `${performance.now() - again} ms`);
  own.resume();
  await answersAgain(directory, 'Brown');
  assert.deepEqual(
    changes(events).map(([, up]) => up),
    [false, true],
  );
});

test('a connection that dropped while idle is not missed, and the new one is bound before it asks', async () => {
  const between = await relay(slapd.port);
  const { directory, events } = open({ hosts: [between.url] });
  for (let i = 0; i < 5; i++) {
    assert.equal(await surname(directory), 'Brown');
    assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'yes');
    between.cut();
  }
  assert.equal(between.connections(), 10);
  assert.deepEqual(changes(events), []);
});

test('questions in flight when the connection drops are asked again on another', async () => {
  const between = await relay(slapd.port);
  const { directory } = open({ hosts: [between.url], maxConnections: 2 });
  assert.equal(await surname(directory), 'Brown');
  const asked = Array.from({ length: 30 }, () => surname(directory));
  between.cut();
  assert.deepEqual(new Set(await Promise.all(asked)), new Set(['Brown']));
});

test('many questions share few connections', async () => {
  const between = await relay(slapd.port);
  const { directory } = open({ hosts: [between.url], maxConnections: 4 });
  const searches = Array.from({ length: 200 }, () => surname(directory));
  const binds = Array.from({ length: 50 }, (_, i) => directory.bind(BOB, i % 2 === 0 ? 'bob-secret' : 'wrong'));
  assert.deepEqual(new Set(await Promise.all(searches)), new Set(['Brown']));
  assert.deepEqual(
    (await Promise.all(binds)).map(({ answer }) => answer),
    binds.map((_, i) => (i % 2 === 0 ? 'yes' : 'no')),
  );
  assert.ok(between.connections() <= 6, `${between.connections()} connections`);
  // One that gave way to another may still be saying goodbye.
  await eventually(() => assert.ok(between.open() <= 4, `${between.open()} open connections`));
});

test('one connection is enough for searches and binds', async () => {
  const between = await relay(slapd.port);
  const { directory } = open({ hosts: [between.url], maxConnections: 1 });
  const both = await Promise.all([
    surname(directory),
    directory.bind(BOB, 'bob-secret'),
    surname(directory),
    directory.bind(BOB, 'wrong'),
    surname(directory),
  ]);
  assert.deepEqual(
    [both[0], both[1].answer, both[2], both[3].answer, both[4]],
    ['Brown', 'yes', 'Brown', 'no', 'Brown'],
  );
});

test('a wrong password of the gateway’s own account is unknown, never no, and is not tried again and again', async () => {
  const between = await relay(slapd.port);
  const { directory, events } = open({ hosts: [between.url] }, { password: 'wrong' });
  for (let i = 0; i < 5; i++) {
    assert.match(
      await surname(directory),
      /^unknown: .*LDAP authentication failed: LDAP Error "invalidCredentials" \[0x31\]/,
    );
  }
  assert.equal(between.connections(), 1);
  assert.deepEqual(changes(events), [[between.url, false]]);
});

test('a user’s bind does not change who searches', async () => {
  const { directory } = open({ hosts: [slapd.url], maxConnections: 2 });
  for (let i = 0; i < 3; i++) {
    assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'yes');
    // bob himself may read nothing.
    assert.equal(await surname(directory), 'Brown');
  }
});

test('failover asks the first host, stays with the second for a while, and returns to the first', async () => {
  const first = await relay(slapd.port);
  const { directory, events } = open({ hosts: [first.url, second.url] }, { failoverHoldMs: 2000 });
  assert.equal(await surname(directory), 'Brown');
  first.refuse = true;
  first.cut();
  assert.equal(await surname(directory), 'Second');
  first.refuse = false;
  assert.equal(await surname(directory), 'Second');
  await answersAgain(directory, 'Brown');
  assert.deepEqual(changes(events), [
    [first.url, false],
    [first.url, true],
  ]);
});

test('a bind fails over too', async () => {
  const { directory } = open({ hosts: [`ldap://127.0.0.1:${await freePort()}`, second.url] });
  assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'yes');
  assert.equal((await directory.bind(BOB, 'wrong')).answer, 'no');
});

test('load balancing asks the hosts in turn, and leaves out one that is down', async () => {
  const first = await relay(slapd.port);
  const { directory } = open({ hosts: [first.url, second.url], strategy: 'loadBalance' });
  const names = async (): Promise<string[]> => [await surname(directory), await surname(directory)].sort();
  assert.deepEqual(await names(), ['Brown', 'Second']);
  first.refuse = true;
  first.cut();
  assert.deepEqual(await names(), ['Second', 'Second']);
});

test('a size limit of the directory’s own makes the result more than one, not exactly one', async () => {
  const limited = await Slapd.start({ settings: ['sizelimit 1'] });
  const { directory } = open({ hosts: [limited.url] });
  const filter = { kind: 'present', attribute: 'cacserial' } as const;
  const answer = await directory.search({ baseDn: BASE_DN, filter, attributes: ['uid'], sizeLimit: 2 });
  assert.equal(answer.answer === 'yes' && answer.value.more, true);
});

test('a referral is not followed and is no answer', async () => {
  const referring = await Slapd.start({ settings: ['referral ldap://elsewhere.example'] });
  const { directory } = open({ hosts: [referring.url] });
  const filter = { kind: 'present', attribute: 'uid' } as const;
  const answer = await directory.search({ baseDn: 'dc=other', filter, attributes: ['uid'], sizeLimit: 2 });
  assert.match(answer.answer === 'unknown' ? answer.why : answer.answer, /LDAP Error "referral" \[0xa\]/);
});

test('a server that speaks nonsense, too much, or hangs up is unknown', async () => {
  const replies: readonly (readonly [string, Buffer | undefined])[] = [
    ['nonsense', Buffer.from('220 this is no directory\r\n')],
    [
      'a message that never ends',
      Buffer.concat([Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), Buffer.alloc(5 << 20)]),
    ],
    [
      'a success that answers no question',
      Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x63, 0x61, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]),
    ],
    ['nothing', undefined],
  ];
  for (const [title, reply] of replies) {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => (reply === undefined ? socket.destroy() : socket.write(reply)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => server.close());
    const { directory } = open({
      hosts: [`ldap://127.0.0.1:${(server.address() as AddressInfo).port}`],
      queryTimeout: 400,
    });
    assert.match(await surname(directory), /^unknown/, title);
    assert.equal((await directory.bind(BOB, 'bob-secret')).answer, 'unknown', title);
    directory.close();
  }
});

test('after close nothing is asked', async () => {
  const between = await relay(slapd.port);
  const { directory } = open({ hosts: [between.url] });
  const last = surname(directory);
  directory.close();
  assert.match(await last, /^unknown|^Brown/);
  assert.match(await surname(directory), /^unknown/);
});
