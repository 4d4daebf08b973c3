/** The Dns port against a name server that answers what the tests tell it, also nonsense. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createDns } from '../../../src/delivery/dns.io.ts';
import { mx, nameBytes, startNameServer, type Zone } from '../../support/name-server.ts';

async function dnsFor(t: TestContext, zone: Zone, timeoutMs = 20_000) {
  const server = await startNameServer(zone);
  t.after(server.stop);
  const dns = createDns({ servers: [server.address], timeoutMs, tries: 1, cacheMs: 60_000 });
  return { dns, asked: server.asked };
}

test('MX records come with their preference, and the null MX as the root', async (t) => {
  const { dns } = await dnsFor(t, {
    'MX a.test': [mx(10, 'mx.a.test'), mx(5, 'MX2.a.test')],
    'MX null.test': [mx(0, '')],
  });
  const answer = await dns.mx('a.test');
  assert.ok(answer.answer === 'yes');
  assert.deepEqual(
    answer.value.toSorted((a, b) => a.preference - b.preference),
    [
      { exchange: 'mx2.a.test', preference: 5 },
      { exchange: 'mx.a.test', preference: 10 },
    ],
  );
  assert.deepEqual(await dns.mx('null.test'), { answer: 'yes', value: [{ exchange: '', preference: 0 }] });
});

test('hostile names are left out, and records of which none is left are not "no record"', async (t) => {
  const { dns } = await dnsFor(t, { 'MX evil.test': [mx(1, 'a b.test'), mx(2, 'x"y.test')] });
  assert.deepEqual(await dns.mx('evil.test'), { answer: 'yes', value: [] });
});

test('a name that does not exist is a no, a broken or silent server is unknown', async (t) => {
  const { dns } = await dnsFor(t, {
    'MX broken.test': 2,
    'MX empty.test': [],
    'MX refused.test': 5,
  });
  assert.equal((await dns.mx('gone.test')).answer, 'no');
  assert.equal((await dns.mx('empty.test')).answer, 'no');
  assert.equal((await dns.mx('broken.test')).answer, 'unknown');
  assert.equal((await dns.mx('refused.test')).answer, 'unknown');
  const silent = await dnsFor(t, { 'MX silent.test': 'silence' }, 200);
  assert.equal((await silent.dns.mx('silent.test')).answer, 'unknown');
});

test('one address family is enough, a sure no needs both', async (t) => {
  const { dns } = await dnsFor(t, {
    'A four.test': [Buffer.of(192, 0, 2, 1)],
    'AAAA four.test': 2,
    'A half.test': [],
    'AAAA half.test': 2,
  });
  assert.deepEqual(await dns.addresses('four.test'), { answer: 'yes', value: ['192.0.2.1'] });
  assert.equal((await dns.addresses('half.test')).answer, 'unknown');
  assert.equal((await dns.addresses('gone.test')).answer, 'no');
});

test('what is no name is never asked for', async (t) => {
  const { dns, asked } = await dnsFor(t, {});
  for (const name of ['', 'a b', '-x.test', '192.0.2.1', 'x'.repeat(300)])
    assert.equal((await dns.addresses(name)).answer, 'no', name);
  assert.equal((await dns.reverse('not an address')).answer, 'no');
  assert.deepEqual(await dns.addresses('localhost'), { answer: 'yes', value: ['127.0.0.1', '::1'] });
  assert.deepEqual(asked, []);
});

test('a sure answer is kept, an unknown one is asked again', async (t) => {
  const { dns, asked } = await dnsFor(t, { 'MX a.test': [mx(1, 'mx.test')], 'MX broken.test': 2 });
  await Promise.all([dns.mx('a.test'), dns.mx('A.test.')]);
  await dns.mx('a.test');
  await dns.mx('broken.test');
  await dns.mx('broken.test');
  assert.equal(asked.filter((name) => name === 'MX a.test').length, 1);
  assert.ok(asked.filter((name) => name === 'MX broken.test').length >= 2);
});

test('the names of an address are host names', async (t) => {
  const ptr = 'PTR 1.2.0.192.in-addr.arpa';
  const { dns } = await dnsFor(t, { [ptr]: [nameBytes('Mail.Example.test'), nameBytes('bad name.test')] });
  assert.deepEqual(await dns.reverse('192.0.2.1'), { answer: 'yes', value: ['mail.example.test'] });
});
