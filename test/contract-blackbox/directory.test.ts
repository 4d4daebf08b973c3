/**
 * The directory when it is not there: what AUTH and a certificate get while it is down, hanging or refuses the
 * gateway, and that it is never asked where it must not be.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { before, test } from 'node:test';
import { atEnd } from '../support/at-end.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

/** A TCP server in the directory's place that says nothing, and remembers who came. */
async function silentServer(): Promise<{ port: number; connections: () => number; octets: () => number }> {
  let connections = 0;
  let octets = 0;
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('data', (data: Buffer) => {
        octets += data.length;
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections, octets: () => octets };
}

type Place = { readonly hosts: readonly string[]; readonly bind?: object };

async function start(place: Place, more: object = {}): Promise<{ gateway: Gateway; port: number }> {
  const port = await freePort();
  const base = site.base();
  const server = {
    baseDn: 'dc=example,dc=test',
    connectTimeout: '1s',
    queryTimeout: '1s',
    cache: { ttl: '0s' },
    ...place,
  };
  const config = {
    ...base,
    ldap: { ...(base['ldap'] as object), servers: { corp: server } },
    ...more,
  };
  const listener = { profile: 'cac-or-password', policy: { tls: 'preferred', smtpAuth: 'required' }, port };
  return {
    gateway: await Gateway.start({ config: withListener(config, 'submission', listener), folder: site.copy() }),
    port,
  };
}

const REFUSING = async (): Promise<Place> => ({ hosts: [`ldap://127.0.0.1:${await freePort()}`] });

test('AUTH gets 454 4.7.0, never 535, while the directory refuses connections', async () => {
  const { gateway, port } = await start(await REFUSING());
  const session = await SmtpSession.open({ port });
  for (const [user, password] of [
    ['bob', 'bob-secret'],
    ['bob', 'wrong'],
    ['nobody', 'x'],
  ] as const) {
    assert.match((await session.authPlain(user, password)).text, /^454 4\.7\.0/);
  }
  await session.expect('MAIL FROM:<bob@example.test>', '530 5.7.0');
  await session.quit();
  await gateway.stop();
});

test('AUTH gets 454 4.7.0 within the time limits while the directory hangs', async () => {
  const { port: silent } = await silentServer();
  const { gateway, port } = await start({ hosts: [`ldap://127.0.0.1:${silent}`] });
  const session = await SmtpSession.open({ port });
  const from = Date.now();
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^454 4\.7\.0/);
  assert.ok(Date.now() - from < 6000, `answered after ${Date.now() - from} ms`);
  await session.quit();
  await gateway.stop();
});

test('an empty password gets 535 5.7.8 and the directory hears nothing of it', async () => {
  const silent = await silentServer();
  const { gateway, port } = await start({ hosts: [`ldap://127.0.0.1:${silent.port}`] });
  const before = silent.octets();
  const session = await SmtpSession.open({ port });
  assert.match((await session.authPlain('bob', '')).text, /^535 5\.7\.8/);
  await session.expect('AUTH LOGIN', '334');
  await session.expect(Buffer.from('bob').toString('base64'), '334');
  await session.expect('', '535 5.7.8');
  assert.equal(silent.octets(), before);
  await session.quit();
  await gateway.stop();
});

test('with a valid certificate and the directory down MAIL FROM gets 454, the session stays, and AUTH asks the directory', async () => {
  const { gateway, port } = await start(await REFUSING());
  const session = await SmtpSession.open({ port });
  await session.startTls(site.pki.card('alice'));
  assert.equal((await session.ehlo()).get('AUTH'), 'PLAIN LOGIN');
  await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^454 4\.7\.0/);
  await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  await session.expect('NOOP', '250');
  await session.quit();
  await gateway.stop();
});

test('a login that the LDAP filter would read as syntax finds nobody', async () => {
  const { gateway, port } = await site.startOne({ profile: 'password-only', policy: { smtpAuth: 'preferred' } });
  const session = await SmtpSession.open({ port });
  for (const login of ['*', 'b*', 'bob)(uid=*', '*)(objectClass=*', 'bob\\2a', '(bob)']) {
    assert.match(
      (await session.authPlain(login, 'bob-secret')).text,
      /^535 5\.7\.8 authentication credentials invalid/,
      login,
    );
  }
  await session.quit();
  await gateway.stop();
});

test('a monitored login is let in, logged with the words of the contract, and counted', async () => {
  const metrics = await freePort();
  const port = await freePort();
  const config = withListener(site.base(), 'submission', {
    profile: 'monitored',
    policy: { smtpAuth: 'required' },
    port,
  });
  const gateway = await Gateway.start({
    config: { ...config, system: { metrics: `127.0.0.1:${metrics}` } },
    folder: site.copy(),
    log: 'text',
  });
  const session = await SmtpSession.open({ port });
  assert.match((await session.authPlain('alice', 'alice-secret')).text, /^235 2\.7\.0/);
  await session.quit();
  await gateway.line(
    /SMTP Auth: \(ICID \d+\) user alice is not allowed to use SMTP AUTH, monitored, profile monitored$/,
  );
  const body = await new Promise<string>((resolve, reject) => {
    http
      .get({ port: metrics, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
      .on('error', reject);
  });
  assert.match(body, /^sallyport_smtp_auth_not_allowed_total(\{[^}]*\})? 1$/m);
  await gateway.stop();
});
