/**
 * Revocation lists on the running gateway: what a new list, a missing, an old, a broken and an expired one do to the
 * sessions that are open and to those that come.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { listAuthorityOf, makeBigList } from '../support/big-crl.ts';
import { type CrlIssue, derOf } from '../support/certificate-authority.ts';
import { toPem } from '../support/crl-maker.ts';
import { type CrlAnswer, CrlServer } from '../support/crl-server.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway, PROGRAM } from '../support/gateway.ts';
import type { Person } from '../support/pki.ts';
import { runProgram } from '../support/program.ts';
import { type OneListener, Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const DAY_MS = 86_400_000;
const CERTIFICATE: OneListener = {
  profile: 'cac',
  policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
};

let site: Site;
before(async () => {
  site = await Site.open();
});

type Source = Record<string, unknown>;
type Started = { readonly gateway: Gateway; readonly port: number; readonly folder: string };

/** A gateway with one source; `source` and `crl` change what it says. */
async function start(server: CrlServer, source: Source = {}, crl: Source = {}, reuse?: Started): Promise<Started> {
  const port = reuse?.port ?? (await freePort());
  const folder = reuse?.folder ?? site.copy();
  const base = {
    ...site.base(),
    crl: {
      checkInbound: true,
      ...crl,
      sources: { cac: { type: 'pem', primaryUrl: server.url(), schedule: 'manual', ...source } },
    },
  };
  return {
    gateway: await Gateway.start({ config: withListener(base, 'submission', { ...CERTIFICATE, port }), folder }),
    port,
    folder,
  };
}

const list = (issue: CrlIssue = {}): CrlAnswer => ({ kind: 'list', body: site.pki.crl(issue) });

async function open(port: number, person: Person): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port });
  await session.startTls(site.pki.card(person));
  return session;
}

/** The reply to EHLO after the handshake: 250, or why not. */
async function enter(port: number, person: Person): Promise<string> {
  const session = await open(port, person);
  const reply = await session.command('EHLO client.example.test');
  await session.quit();
  return reply.code === 250 ? '250' : reply.text;
}

/** `crl update` on the running gateway: every source once, and its outcome is in force. */
async function update({ gateway }: Started): Promise<void> {
  const { code, output } = await runProgram(PROGRAM, ['crl', 'update', '--data', gateway.data]);
  assert.equal(code, 0, output);
}

test('the card on the list is refused, the others are not', async () => {
  const server = await CrlServer.start(list());
  const { gateway, port } = await start(server);
  assert.equal(await enter(port, 'alice'), '250');
  assert.match(await enter(port, 'frank'), /^554 5\.7\.1 .*client certificate revoked/);
  await gateway.stop();
  await server.stop();
});

test('a new list takes effect on open sessions at the next MAIL FROM', async () => {
  const server = await CrlServer.start(list());
  const running = await start(server);
  const alice = await open(running.port, 'alice');
  await alice.expect('EHLO client.example.test', '250');
  const dave = await open(running.port, 'dave');
  await dave.expect('EHLO client.example.test', '250');
  await dave.expect('MAIL FROM:<dave@example.test>', '250');
  server.answer = list({ revoked: ['1006', '1001', '1004'], number: 2 });
  await update(running);
  const reply = await alice.expect('MAIL FROM:<alice@example.test>', '554 5.7.1');
  assert.match(reply.text, /revoked/);
  await dave.expect('RSET', '250');
  await dave.expect('MAIL FROM:<dave@example.test>', '554 5.7.1');
  assert.match(await enter(running.port, 'alice'), /^554 5\.7\.1 .*revoked/);
  assert.equal(await enter(running.port, 'carol'), '250');
  await running.gateway.stop();
  await server.stop();
});

test('the schedule fetches by itself, and SIGHUP fetches again', async () => {
  const server = await CrlServer.start(list());
  const running = await start(server, { schedule: { every: '1s' } });
  server.answer = list({ revoked: ['1006', '1001'], number: 2 });
  await running.gateway.event((event) => event.event === 'crl-updated', { from: running.gateway.events.length });
  assert.match(await enter(running.port, 'alice'), /revoked/);
  await running.gateway.stop();
  const quiet = await start(server, { schedule: 'manual' }, {}, running);
  const before = server.requests;
  const asked = server.nextRequest();
  quiet.gateway.signal('SIGHUP');
  await Promise.race([asked, quiet.gateway.exited]);
  assert.ok(server.requests > before, `not asked again\n${quiet.gateway.output()}`);
  await quiet.gateway.stop();
  await server.stop();
});

test('with the source down the copy on disk decides, from before the first session on', async () => {
  const server = await CrlServer.start(list());
  const running = await start(server);
  await running.gateway.stop();
  await server.down();
  const again = await start(server, {}, {}, running);
  assert.equal(await enter(again.port, 'alice'), '250');
  assert.match(await enter(again.port, 'frank'), /revoked/);
  await again.gateway.stop();
});

const BAD_DOWNLOADS: readonly (readonly [title: string, answer: () => CrlAnswer])[] = [
  ['an HTML page', () => ({ kind: 'html' })],
  ['half a list', () => ({ kind: 'truncated', body: site.pki.issuing.crl({ revoked: [], number: 9 }) })],
  ['an error', () => ({ kind: 'status', code: 500 })],
  ['an empty answer', () => ({ kind: 'list', body: '' })],
  ['an older list', () => list({ revoked: [], number: 1, thisUpdateMs: Date.now() - 5 * DAY_MS })],
  [
    'a list with a broken signature',
    () => ({ kind: 'list', body: brokenSignature(site.pki.crl({ revoked: [], number: 9 })) }),
  ],
  ['a list of a CA of the same name', () => ({ kind: 'list', body: forgedList() })],
];

function brokenSignature(pem: string): string {
  return pem.replace(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g, (block) => {
    const der = derOf(block);
    der[der.length - 3] = (der[der.length - 3] ?? 0) ^ 1;
    return `-----BEGIN X509 CRL-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END X509 CRL-----\n`;
  });
}

function forgedList(): string {
  return site.pki.forgedIssuing.crl({ revoked: [], number: 9 });
}

test('a bad download never replaces a good list', async () => {
  const server = await CrlServer.start(list({ number: 5 }));
  const running = await start(server);
  for (const [title, answer] of BAD_DOWNLOADS) {
    server.answer = answer();
    const asked = server.requests;
    await runProgram(PROGRAM, ['crl', 'update', '--data', running.gateway.data]);
    assert.ok(server.requests > asked, `${title}: the source was not asked`);
    assert.match(await enter(running.port, 'frank'), /revoked/, title);
    assert.equal(await enter(running.port, 'alice'), '250', title);
  }
  await running.gateway.stop();
  await server.stop();
});

test('a hanging source delays the start by ten seconds at most, and nobody gets in meanwhile', async () => {
  const server = await CrlServer.start({ kind: 'hanging' });
  let askedMs = Number.NaN;
  void server.nextRequest().then(() => {
    askedMs = Date.now();
  });
  const running = await start(server, { timeout: '60s' });
  assert.ok(Date.now() - askedMs < 15_000, `ready ${Date.now() - askedMs} ms after it had asked`);
  assert.match(await enter(running.port, 'alice'), /^554 5\.7\.1/);
  await running.gateway.stop();
  await server.stop();
});

test('the secondary is asked when the primary cannot be reached or gives a bad list', async () => {
  const secondary = await CrlServer.start(list());
  for (const answer of [undefined, { kind: 'html' }] as const) {
    const primary = await CrlServer.start(answer ?? { kind: 'html' });
    if (answer === undefined) await primary.down();
    const { gateway, port } = await start(primary, { secondaryUrl: secondary.url() });
    assert.equal(await enter(port, 'alice'), '250');
    assert.match(await enter(port, 'frank'), /revoked/);
    await gateway.stop();
    await primary.stop();
  }
  await secondary.stop();
});

test('a source that never had a good copy refuses, unless both whenUnavailable and whenNoSource say accept', async () => {
  const server = await CrlServer.start({ kind: 'status', code: 404 });
  const cases: readonly (readonly [Source, Source, RegExp])[] = [
    [{}, {}, /^554 5\.7\.1/],
    [{ whenUnavailable: 'accept' }, {}, /^554 5\.7\.1/],
    [{}, { whenNoSource: 'accept' }, /^554 5\.7\.1/],
    [{ whenUnavailable: 'accept' }, { whenNoSource: 'accept' }, /^250/],
  ];
  for (const [source, crl, expected] of cases) {
    const { gateway, port } = await start(server, source, crl);
    assert.match(await enter(port, 'alice'), expected, JSON.stringify({ source, crl }));
    await gateway.stop();
  }
  await server.stop();
});

test('every certificate below the anchor needs a list: the issuing list alone does not let anybody in', async () => {
  const server = await CrlServer.start({ kind: 'list', body: site.pki.issuing.crl({ revoked: ['1006'] }) });
  const { gateway, port } = await start(server);
  assert.match(await enter(port, 'alice'), /^554 5\.7\.1/);
  await gateway.stop();
  await server.stop();
});

test('an issuing authority that its root revoked takes all its cards with it', async () => {
  const body = site.pki.issuing.crl({ revoked: [] }) + site.pki.root.crl({ revoked: ['0A'] });
  const server = await CrlServer.start({ kind: 'list', body });
  const { gateway, port } = await start(server);
  assert.match(await enter(port, 'alice'), /^554 5\.7\.1 .*revoked/);
  await gateway.stop();
  await server.stop();
});

test('a list past its nextUpdate refuses, counts within the grace, and is ignored where whenExpired says accept', async () => {
  const now = Date.now();
  const old = { thisUpdateMs: now - 2 * DAY_MS, nextUpdateMs: now - DAY_MS };
  const server = await CrlServer.start(list(old));
  const cases: readonly (readonly [Source, RegExp])[] = [
    [{}, /^554 5\.7\.1/],
    [{ grace: '1h' }, /^554 5\.7\.1/],
    [{ grace: '2d' }, /^250/],
    [{ whenExpired: 'accept' }, /^250/],
  ];
  for (const [source, expected] of cases) {
    const { gateway, port } = await start(server, source);
    assert.match(await enter(port, 'alice'), expected, JSON.stringify(source));
    assert.match(await enter(port, 'frank'), /^554 5\.7\.1/, `frank, ${JSON.stringify(source)}`);
    await gateway.stop();
  }
  await server.stop();
});

test('a list in DER over file:// serves as well, and a disabled source is not asked', async () => {
  const folder = site.copy();
  writeFileSync(join(folder, 'issuing.crl'), derOf(site.pki.issuing.crl({ revoked: ['1006'] })));
  writeFileSync(join(folder, 'root.crl'), derOf(site.pki.root.crl({})));
  const port = await freePort();
  const server = await CrlServer.start({ kind: 'html' });
  const source = (name: string): Source => ({
    type: 'asn1',
    primaryUrl: `file://${folder}/${name}`,
    schedule: 'manual',
  });
  const crl = {
    checkInbound: true,
    sources: {
      issuing: source('issuing.crl'),
      root: source('root.crl'),
      off: { type: 'pem', primaryUrl: server.url(), enabled: false },
    },
  };
  const gateway = await Gateway.start({
    config: withListener({ ...site.base(), crl }, 'submission', { ...CERTIFICATE, port }),
    folder,
  });
  assert.equal(await enter(port, 'alice'), '250');
  assert.match(await enter(port, 'frank'), /revoked/);
  assert.equal(server.requests, 0);
  await gateway.stop();
  await server.stop();
});

test('while a big list is loaded open sessions are answered, and the list is in force when it is loaded', async () => {
  const server = await CrlServer.start(list());
  const root = site.pki.root.crl({});
  const running = await start(server, { primaryUrl: server.url('big.crl') });
  const sessions = await Promise.all((['alice', 'carol', 'dave'] as const).map((person) => open(running.port, person)));
  for (const session of sessions) await session.expect('EHLO client.example.test', '250');
  const authority = listAuthorityOf(site.pki.issuing.own);
  const big = makeBigList(authority, { entries: 200_000, number: 7, revoked: ['1001', '1006'] });
  server.answer = { kind: 'list', body: root + toPem('X509 CRL', big) };
  let loaded = false;
  const loading = update(running).finally(() => {
    loaded = true;
  });
  let replies = 0;
  while (!loaded) {
    for (const session of sessions) await session.expect('NOOP', '250');
    replies += 1;
  }
  await loading;
  assert.ok(replies > 1, `${replies} rounds`);
  const [alice, carol, dave] = sessions as [SmtpSession, SmtpSession, SmtpSession];
  await alice.expect('MAIL FROM:<alice@example.test>', '554 5.7.1');
  await carol.expect('MAIL FROM:<carol@example.test>', '250');
  await dave.expect('MAIL FROM:<dave@example.test>', '250');
  const listed = await runProgram(PROGRAM, ['crl', 'list', '--data', running.gateway.data]);
  assert.match(listed.output, /200002 entries, CRL number 7/);
  await running.gateway.stop();
  await server.stop();
});

test('without checkInbound nobody is checked', async () => {
  const server = await CrlServer.start(list());
  const { gateway, port } = await start(server, {}, { checkInbound: false });
  assert.equal(await enter(port, 'frank'), '250');
  await gateway.stop();
  await server.stop();
});
