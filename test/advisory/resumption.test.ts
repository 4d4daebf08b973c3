/**
 * TLS session resumption (nodejs/node#35317, CVE-2025-23419, CVE-2025-23048): a resumed session must not bring an old
 * verdict back, nor a ticket of a lax listener open a strict one, nor a session without a certificate pass as one with.
 * Each case in TLS 1.2 and 1.3, by STARTTLS and on implicit TLS.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { freePorts } from '../support/free-port.ts';
import { type Gateway, PROGRAM } from '../support/gateway.ts';
import type { Credentials } from '../support/certificate-authority.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import type { SmtpSession } from '../support/smtp-session.ts';
import { enterTls, MODES, VERSIONS, type Way } from '../support/tls-matrix.ts';

let site: Site;
let gateway: Gateway;
const ports: Record<string, number> = {};
before(async () => {
  site = await Site.open();
  const names = ['strict', 'lax', 'bare'].flatMap((name) => [`${name}-starttls`, `${name}-implicit`]);
  let config = {
    ...site.base(),
    crl: { checkInbound: true, sources: { cac: { type: 'pem', primaryUrl: site.crls.url(), schedule: 'manual' } } },
  } as Record<string, unknown>;
  for (const [index, port] of (await freePorts(names.length)).entries()) {
    const name = names[index] ?? '';
    ports[name] = port;
    const implicit = name.endsWith('implicit');
    if (name.startsWith('strict'))
      config = withListener(config, name, {
        port,
        implicit,
        profile: 'cac',
        policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
      });
    else if (name.startsWith('lax'))
      config = withListener(config, name, {
        port,
        implicit,
        profile: 'cac-or-password',
        policy: { tls: 'preferred', smtpAuth: 'preferred' },
      });
    else config = withListener(config, name, { port, implicit, policy: { tls: 'preferred' } });
  }
  gateway = await site.start(config);
});

type Visit = {
  readonly listener: string;
  readonly version: Way['version'];
  readonly card?: Credentials;
  readonly session?: Buffer | undefined;
};

function visit({ listener, version, card, session }: Visit): Promise<SmtpSession> {
  const mode = listener.endsWith('implicit') ? 'implicit' : 'starttls';
  const client = { ...card, ...(session === undefined ? {} : { session }) };
  return enterTls(ports[listener] ?? 0, { version, mode }, client);
}

/** What a client could keep for the next time: the newest session the server offered. */
async function sessionAfter(first: Visit): Promise<Buffer | undefined> {
  const smtp = await visit(first);
  let kept: Buffer | undefined;
  smtp.tls.on('session', (session: Buffer) => {
    kept = session;
  });
  await smtp.command('EHLO client.example.test');
  await smtp.expect('NOOP', '250');
  kept ??= smtp.tls.getSession() ?? undefined;
  await smtp.quit();
  return kept;
}

for (const version of VERSIONS) {
  for (const mode of MODES) {
    const strict = `strict-${mode}`;
    const lax = `lax-${mode}`;
    const bare = `bare-${mode}`;
    const label = `${version}, ${mode}`;

    test(`${label}: a session begun without a certificate and resumed is still without one`, async () => {
      const session = await sessionAfter({ listener: lax, version });
      const smtp = await visit({ listener: lax, version, session });
      assert.equal((await smtp.ehlo()).get('AUTH'), 'PLAIN LOGIN');
      await smtp.quit();
    });

    for (const from of [lax, bare]) {
      test(`${label}: a session of ${from} does not open the listener that requires a certificate`, async () => {
        const session = await sessionAfter({ listener: from, version });
        const smtp = await visit({ listener: strict, version, session });
        const reply = await smtp.expect('EHLO client.example.test', '554 5.7.1');
        assert.match(reply.text, /client certificate required/);
        await smtp.quit();
      });
    }

    test(`${label}: a session begun with alice's card does not name alice on a listener with another rule`, async () => {
      const session = await sessionAfter({ listener: strict, version, card: site.pki.card('alice') });
      const smtp = await visit({ listener: bare, version, session });
      assert.equal((await smtp.ehlo()).has('AUTH'), false);
      await smtp.quit();
    });

    test(`${label}: a session of the strict listener resumed there without the card is decided anew`, async () => {
      const session = await sessionAfter({ listener: strict, version, card: site.pki.card('alice') });
      const smtp = await visit({ listener: strict, version, session });
      if (smtp.tls.isSessionReused()) assert.equal((await smtp.ehlo()).get('AUTH'), 'EXTERNAL');
      else await smtp.expect('EHLO client.example.test', '554 5.7.1');
      await smtp.quit();
    });

    test(`${label}: a self-signed certificate is not let in, although the handshake completes`, async () => {
      const smtp = await visit({ listener: strict, version, card: site.pki.bad('selfSigned') });
      await smtp.expect('EHLO client.example.test', '554 5.7.1');
      await smtp.quit();
    });

    test(`${label}: a listener that does not ask for a certificate takes none from a client that has one`, async () => {
      const smtp = await visit({ listener: bare, version, card: site.pki.card('alice') });
      assert.equal((await smtp.ehlo()).has('AUTH'), false);
      await smtp.quit();
    });
  }
}

test('a session from before the revocation does not outlive it, in any version or mode', async () => {
  const kept: { visit: Visit; session: Buffer | undefined }[] = [];
  for (const version of VERSIONS) {
    for (const mode of MODES) {
      const visit: Visit = { listener: `strict-${mode}`, version, card: site.pki.card('carol') };
      kept.push({ visit, session: await sessionAfter(visit) });
    }
  }
  site.crls.answer = { kind: 'list', body: site.pki.crl({ revoked: ['1006', '1003'], number: 2 }) };
  const updated = await runProgram(PROGRAM, ['crl', 'update', '--data', gateway.data]);
  assert.equal(updated.code, 0, updated.output);
  for (const { visit: before, session } of kept) {
    const smtp = await visit({ ...before, session });
    const reply = await smtp.expect('EHLO client.example.test', '554 5.7.1');
    assert.match(reply.text, /revoked/);
    await smtp.quit();
  }
});
