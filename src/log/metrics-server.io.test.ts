import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { openMetricsServer } from './metrics-server.io.ts';

test('GET /metrics answers with what was collected, anything else with 404', async () => {
  const server = await openMetricsServer('127.0.0.1:0', async () => 'a 1\n');
  try {
    const url = `http://${server.address}`;
    const good = await fetch(`${url}/metrics`);
    assert.equal(good.status, 200);
    assert.equal(good.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(await good.text(), 'a 1\n');
    const others = await Promise.all([
      fetch(`${url}/`),
      fetch(`${url}/metrics/x`),
      fetch(`${url}/metrics`, { method: 'POST', body: 'x' }),
    ]);
    assert.deepEqual(
      others.map(({ status }) => status),
      [404, 404, 404],
    );
  } finally {
    server.close();
  }
});

test('requests that come together share one collection', async () => {
  let collections = 0;
  const server = await openMetricsServer('[::1]:0', () => {
    collections++;
    return new Promise((resolve) => {
      setImmediate(() => resolve('a 1\n'));
    });
  });
  try {
    const socket = connect(Number(server.address.slice('[::1]:'.length)), '::1');
    // Both requests arrive in one piece, before the first collection can have ended.
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
    const answer = (await socket.toArray()).join('');
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(collections, 1);
  } finally {
    server.close();
  }
});

test('a collection that fails is 503 and the next one is tried', async () => {
  let calls = 0;
  const server = await openMetricsServer('127.0.0.1:0', async () => {
    calls++;
    if (calls === 1) throw new Error('a thread is gone');
    return 'a 1\n';
  });
  try {
    const url = `http://${server.address}/metrics`;
    const [first, second] = [await fetch(url), await fetch(url)];
    assert.deepEqual([first.status, second.status], [503, 200]);
    assert.ok(!(await first.text()).includes('thread'));
  } finally {
    server.close();
  }
});

test('metrics are never offered beyond this machine', async () => {
  await assert.rejects(
    openMetricsServer('0.0.0.0:0', async () => ''),
    /not a loopback address/,
  );
  await assert.rejects(
    openMetricsServer(':9100', async () => ''),
    /not a loopback address/,
  );
});

test('an address that is taken is an error, not a crash', async () => {
  const server = await openMetricsServer('127.0.0.1:0', async () => '');
  try {
    await assert.rejects(
      openMetricsServer(server.address, async () => ''),
      { code: 'EADDRINUSE' },
    );
  } finally {
    server.close();
  }
});
