/** What a TLS door does with sockets that are no good; handshakes are shown in test/advisory and test/scenario. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { certificate, pem } from '../../test/pkits/certificate-writer.ts';
import { TlsDoor } from './tls-doors.io.ts';

test('a client that hung up before its handshake holds no session: the handshake fails at once', async (t) => {
  const { der, keys } = certificate({});
  const door = new TlsDoor({
    certPem: pem(der),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    sessionContext: 'test',
  });
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [plain] = (await once(server, 'connection')) as [Socket];
  client.destroy();
  plain.resume();
  await once(plain, 'close');
  assert.deepEqual(await door.handshake(plain), { ok: false, why: 'connection closed before the handshake' });
});
