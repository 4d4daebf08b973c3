/**
 * Revocation lists that a certificate names itself: fetched from hosts that the profile allows and from no others,
 * without holding anybody up, and unknown is never yes.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { CLIENT_EXTENSIONS, type Credentials, derOf } from '../support/certificate-authority.ts';
import { type CrlAnswer, CrlServer } from '../support/crl-server.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway, PROGRAM } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { type OneListener, Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

type Section = Record<string, unknown>;
const LISTENER: OneListener = {
  profile: 'cac',
  policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
};
const SUBJECT = '/O=Example/CN=ADAMS.ALICE.A.1000000001';

let site: Site;
before(async () => {
  site = await Site.open();
});

/** Alice's card with the distribution points it names. */
const card = (...urls: readonly string[]): Credentials =>
  site.pki.issue({
    subject: SUBJECT,
    serial: '1001',
    extensions: [...CLIENT_EXTENSIONS, `crlDistributionPoints=${urls.map((url) => `URI:${url}`).join(',')}`],
  });

const list = (revoked: readonly string[] = [], number = 1): CrlAnswer => ({
  kind: 'list',
  body: derOf(site.pki.issuing.crl({ revoked, number })),
});

type Settings = {
  readonly points: Section | undefined;
  readonly crl?: Section;
  readonly folder?: string;
  readonly port?: number;
};
type Started = { readonly gateway: Gateway; readonly port: number; readonly folder: string };

/** The list of the root comes from a source; the one of the issuing authority only from the card. */
async function start({ points, crl = {}, folder = site.copy(), port }: Settings): Promise<Started> {
  const listen = port ?? (await freePort());
  const base = site.base();
  const profiles = base['smtpAuthProfiles'] as Record<string, Section>;
  writeFileSync(join(folder, 'root.pem'), site.pki.root.crl({}));
  const config = {
    ...base,
    smtpAuthProfiles: { ...profiles, cac: { ...profiles['cac'], crlDistributionPoints: points } },
    crl: {
      checkInbound: true,
      ...crl,
      sources: { root: { type: 'pem', primaryUrl: 'file://root.pem', schedule: 'manual' } },
    },
  };
  const gateway = await Gateway.start({
    config: withListener(config, 'submission', { ...LISTENER, port: listen }),
    folder,
  });
  return { gateway, port: listen, folder };
}

async function open(port: number, credentials: Credentials): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls(credentials);
  return session;
}

/** The replies to EHLO and MAIL FROM. */
async function enter(port: number, credentials: Credentials): Promise<string> {
  const session = await open(port, credentials);
  const hello = await session.command('EHLO client.example.test');
  const mail = await session.command('MAIL FROM:<alice@example.test>');
  await session.quit();
  return `${hello.code} ${mail.text}`;
}

const allow = (server: CrlServer, more: Section = {}): Section => ({
  allowHosts: [`127.0.0.1:${server.port}`],
  ...more,
});

test('the list that a card names is fetched once, when the first session needs it', async () => {
  const server = await CrlServer.start(list());
  const alice = card(server.url());
  const { gateway, port } = await start({ points: allow(server) });
  assert.equal(server.requests, 0);
  assert.match(await enter(port, alice), /^250 250/);
  assert.match(await enter(port, alice), /^250 250/);
  assert.equal(server.requests, 1);
  const { output } = await runProgram(PROGRAM, ['crl', 'list', '--data', gateway.data]);
  assert.match(output, new RegExp(`${server.url()}[\\s\\S]*CN=Test Card Issuing CA`));
  await gateway.stop();
  await server.stop();
});

test('a card that its own list revokes is refused', async () => {
  const server = await CrlServer.start(list(['1001']));
  const { gateway, port } = await start({ points: allow(server) });
  assert.match(await enter(port, card(server.url())), /^554 .*client certificate revoked/);
  await gateway.stop();
  await server.stop();
});

test('without allowHosts, or on a host that is not allowed, nothing is fetched and nobody gets in', async () => {
  const server = await CrlServer.start(list());
  const alice = card(server.url());
  for (const points of [undefined, { allowHosts: ['crl.example.test', '.0.0.1', '127.0.0.1'] }]) {
    const { gateway, port } = await start({ points });
    assert.match(await enter(port, alice), /^554 .*no revocation list of CN=Test Card Issuing CA/);
    await gateway.stop();
  }
  assert.equal(server.requests, 0);
  await server.stop();
});

test('a redirect to a host that is not allowed is not followed', async () => {
  const elsewhere = await CrlServer.start(list());
  const server = await CrlServer.start({ kind: 'redirect', to: elsewhere.url() });
  const { gateway, port } = await start({ points: allow(server) });
  assert.match(await enter(port, card(server.url())), /^554 /);
  assert.equal(elsewhere.requests, 0);
  const failed = await gateway.event((event) => event.event === 'crl-failed');
  assert.match(String(failed['why']), /redirect to the host .* is not allowed/);
  await gateway.stop();
  await server.stop();
  await elsewhere.stop();
});

test('while the list is on its way MAIL FROM gets 454, other commands go on, and the session is served once it is here', async () => {
  const server = await CrlServer.start({ kind: 'hanging' });
  const { gateway, port } = await start({ points: allow(server, { wait: '200ms' }) });
  const session = await open(port, card(server.url()));
  await session.expect('EHLO client.example.test', '250');
  const reply = await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  assert.match(reply.text, /not known yet whether the client certificate is revoked/);
  await session.expect('NOOP', '250');
  const deferred = await gateway.event((event) => event.event === 'certificate-deferred');
  assert.match(String(deferred['reason']), /no revocation list of CN=Test Card Issuing CA/);
  server.answer = list();
  server.cut();
  await gateway.event((event) => event.event === 'crl-failed');
  const updated = await runProgram(PROGRAM, ['crl', 'update', '--data', gateway.data]);
  assert.equal(updated.code, 0, updated.output);
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  await session.quit();
  await gateway.stop();
  await server.stop();
});

test('a point that cannot be had refuses, unless whenUnavailable and whenNoSource both say accept', async () => {
  const server = await CrlServer.start({ kind: 'status', code: 404 });
  const alice = card(server.url());
  const cases: readonly (readonly [Section, Section, RegExp])[] = [
    [{}, {}, /^554 .*cannot be checked for revocation/],
    [{ whenUnavailable: 'accept' }, {}, /^554 /],
    [{}, { whenNoSource: 'accept' }, /^554 .*its distribution point has given none/],
    [{ whenUnavailable: 'accept' }, { whenNoSource: 'accept' }, /^250 250/],
  ];
  for (const [more, crl, expected] of cases) {
    const { gateway, port } = await start({ points: allow(server, more), crl });
    assert.match(await enter(port, alice), expected, JSON.stringify({ more, crl }));
    await gateway.stop();
  }
  await server.stop();
});

test('the second address of a point is asked when the first gives nothing', async () => {
  const first = await CrlServer.start({ kind: 'html' });
  const second = await CrlServer.start(list());
  const { gateway, port } = await start({
    points: { allowHosts: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] },
  });
  assert.match(await enter(port, card(first.url(), second.url())), /^250 250/);
  assert.deepEqual([first.requests, second.requests], [1, 1]);
  await gateway.stop();
  await first.stop();
  await second.stop();
});

test('after a restart the copy on disk counts although the server is gone', async () => {
  const server = await CrlServer.start(list(['1002']));
  const alice = card(server.url());
  const points = allow(server);
  const running = await start({ points });
  assert.match(await enter(running.port, alice), /^250 250/);
  await running.gateway.stop();
  await server.down();
  const again = await start({ points, folder: running.folder, port: running.port });
  assert.match(await enter(again.port, alice), /^250 250/);
  await again.gateway.stop();
  await server.stop();
});

test('a list that was fetched is fetched again, and a new revocation ends an open session', async () => {
  const server = await CrlServer.start(list());
  const running = await start({ points: allow(server, { refresh: '1s' }) });
  const session = await open(running.port, card(server.url()));
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '250');
  await session.expect('RSET', '250');
  server.answer = list(['1001'], 2);
  await running.gateway.event((event) => event.event === 'crl-updated' && event['entries'] === 1);
  await session.expect('MAIL FROM:<alice@example.test>', '554 5.7.1');
  await session.quit();
  await running.gateway.stop();
  await server.stop();
});

test('a list that expired counts within the grace of the profile', async () => {
  const now = Date.now();
  const server = await CrlServer.start({
    kind: 'list',
    body: derOf(site.pki.issuing.crl({ thisUpdateMs: now - 7_200_000, nextUpdateMs: now - 3_600_000 })),
  });
  const alice = card(server.url());
  const cases: readonly (readonly [Section, RegExp])[] = [
    [{}, /^554 .*has expired/],
    [{ grace: '2h' }, /^250 250/],
    [{ whenExpired: 'accept' }, /^250 250/],
  ];
  for (const [more, expected] of cases) {
    const { gateway, port } = await start({ points: allow(server, more) });
    assert.match(await enter(port, alice), expected, JSON.stringify(more));
    await gateway.stop();
  }
  await server.stop();
});
