/**
 * Trust by name (keycloak/keycloak#52801, OpenSMTPD#926): an authority is a key. Whoever calls himself like the
 * issuing authority, sends its certificate along, or has a certificate of a public CA, is nobody.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Credentials } from '../support/certificate-authority.ts';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  port = (
    await site.startOne({
      profile: 'cac',
      policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
    })
  ).port;
});

const ALICE = { subject: '/O=Example/CN=ADAMS.ALICE.A.1000000001', serial: '1001' };

async function enter(card: Pick<Credentials, 'cert' | 'key'>): Promise<string> {
  const session = await SmtpSession.open({ port });
  await session.startTls(card);
  const reply = await session.command('EHLO client.example.test');
  await session.quit();
  return reply.text;
}

const withChain = (card: Credentials, ...chain: readonly string[]): { cert: string; key: string } => ({
  cert: card.cert + chain.join(''),
  key: card.key,
});

test('a card of an authority of the same name is refused, with every chain it may send', async () => {
  const forged = site.pki.forgedIssuing.issue(ALICE);
  const { forgedIssuing, issuing, root } = site.pki;
  for (const chain of [
    [],
    [forgedIssuing.own.cert],
    [issuing.own.cert],
    [issuing.own.cert, root.own.cert],
    [forgedIssuing.own.cert, issuing.own.cert, root.own.cert],
  ]) {
    assert.match(await enter(withChain(forged, ...chain)), /^554 5\.7\.1 .*client certificate/);
  }
});

test('a real card is let in with its chain, without it, and with certificates of strangers beside it', async () => {
  const card = site.pki.card('alice');
  const { issuing, root, forgedIssuing } = site.pki;
  for (const chain of [
    [],
    [issuing.own.cert],
    [issuing.own.cert, root.own.cert],
    [forgedIssuing.own.cert],
    [forgedIssuing.own.cert, issuing.own.cert],
  ]) {
    assert.match(await enter(withChain(card, ...chain)), /^250/);
  }
});

test("the gateway's own authority, which signs servers, signs no clients", async () => {
  assert.match(await enter(site.pki.gateway), /^554 5\.7\.1/);
});

test('a person cannot issue cards: a card that signed another is no authority', async () => {
  const { cert, key } = site.pki.bad('signedByLeaf');
  assert.match(await enter({ cert: cert + site.pki.card('dave').cert, key }), /^554 5\.7\.1/);
});

test('an intermediate without the right to sign certificates, or with too long a path, makes no card good', async () => {
  const noSigning = site.pki.root.intermediate(`${site.folder}/no-signing`, {
    subject: '/O=Example/CN=No Signing CA',
    serial: '21',
    extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'],
  });
  const limited = site.pki.root.intermediate(`${site.folder}/limited`, {
    subject: '/O=Example/CN=Limited CA',
    serial: '22',
    extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign,cRLSign'],
  });
  const below = limited.intermediate(`${site.folder}/below`, { subject: '/O=Example/CN=Below CA', serial: '23' });
  assert.match(await enter(withChain(noSigning.issue(ALICE), noSigning.own.cert)), /^554 5\.7\.1/);
  assert.match(await enter(withChain(below.issue(ALICE), below.own.cert, limited.own.cert)), /^554 5\.7\.1/);
});

test('an intermediate that is not in the file but sent by the client is used', async () => {
  const sent = site.pki.root.intermediate(`${site.folder}/sent`, { subject: '/O=Example/CN=Sent CA', serial: '24' });
  const lists = site.pki.crl() + sent.crl({ revoked: [] });
  site.crls.answer = { kind: 'list', body: lists };
  const { port: fresh } = await site.startOne({
    profile: 'cac',
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
  });
  const session = await SmtpSession.open({ port: fresh });
  await session.startTls(withChain(sent.issue(ALICE), sent.own.cert));
  await session.expect('EHLO client.example.test', '250');
  await session.quit();
});
