/**
 * An implicit-TLS address whose host access table waits for DNS before the handshake. Clients that are gone by then give
 * their places back, or anybody could fill the listener for good; what patient ones have sent meanwhile is not lost.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { Gateway } from '../support/gateway.ts';
import { startNameServer, type Zone } from '../support/name-server.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

/** Not 127.0.0.1, which has names in /etc/hosts. */
const GONE = ['127.0.0.2', '127.0.0.4'];
const PATIENT = '127.0.0.3';
const NO_SUCH_NAME = 3;
const questionAbout = (address: string): string => `PTR ${address.split('.').reverse().join('.')}.in-addr.arpa`;

const zone: Zone = Object.fromEntries([...GONE, PATIENT].map((each) => [questionAbout(each), 'silence' as const]));
let site: Site;
let gateway: Gateway;
let port: number;
let asked: readonly string[];

before(async () => {
  const names = await startNameServer(zone);
  asked = names.asked;
  site = await Site.open();
  port = await freePort();
  const hat = [
    { senderGroup: 'NAMED', senders: ['.example.test'], policy: 'submission' },
    { senderGroup: 'ALL', policy: 'submission' },
  ];
  const config = withListener({ ...site.base(), system: { dnsServers: [names.address] } }, 'submission', {
    port,
    profile: 'cac',
    implicit: true,
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
    more: { maxConcurrency: GONE.length, hat },
  });
  gateway = await site.start(config, { folder: site.copy() });
});

const ended = (): number => gateway.events.filter(({ event }) => event === 'icid-close').length;

async function untilAsked(address: string): Promise<void> {
  await eventually(() => assert.ok(asked.includes(questionAbout(address)), `no question about ${address}`));
}

test('connections that are reset while their name is looked up take no place', async () => {
  for (const localAddress of GONE) {
    const client = connect({ port, host: '127.0.0.1', localAddress });
    await once(client, 'connect');
    await untilAsked(localAddress);
    client.resetAndDestroy();
  }
  for (const address of GONE) zone[questionAbout(address)] = NO_SUCH_NAME;
  await gateway.event(() => ended() === GONE.length);
});

test('the ClientHello that comes while a name is looked up is answered when the look-up is over', async () => {
  const dialing = SmtpSession.dialTls(
    { port, localAddress: PATIENT },
    { ...site.pki.card('alice'), ca: site.pki.serverCa },
  );
  await untilAsked(PATIENT);
  zone[questionAbout(PATIENT)] = NO_SUCH_NAME;
  const alice = await dialing;
  assert.equal((await alice.reply()).code, 220);
  assert.equal((await alice.ehlo()).get('AUTH'), 'EXTERNAL');
  await alice.quit();
});
