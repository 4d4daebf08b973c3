/**
 * Plays every transcript of this folder against one gateway with a listener for each usual kind of policy. The title
 * of a transcript is its first comment. How to read one: test/support/dialogue-player.ts.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDialogue, play } from '../support/dialogue-player.ts';
import { freePort } from '../support/free-port.ts';
import { badKinds, type BadKind, type Person } from '../support/pki.ts';
import { type OneListener, Site, withListener } from '../support/site.ts';
import { SmtpSession, type TlsClient } from '../support/smtp-session.ts';

const LISTENERS: Readonly<Record<string, OneListener>> = {
  either: {
    profile: 'cac-or-password',
    policy: { tls: 'preferred', smtpAuth: 'required', requireTlsToOfferSmtpAuth: true },
  },
  certificate: { profile: 'cac', policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' } },
  monitored: { profile: 'monitored', policy: { tls: 'required', smtpAuth: 'required' } },
  'before-tls': { profile: 'cac-or-password', policy: { tls: 'preferred', smtpAuth: 'preferred' } },
  'password-in-the-clear': { profile: 'password', policy: { tls: 'off', smtpAuth: 'preferred' } },
  open: {
    policy: {
      tls: 'off',
      smtpAuth: 'off',
      maxMessageSize: '64k',
      maxRecipientsPerMessage: 3,
      maxMessagesPerConnection: 2,
    },
  },
  'clean-line-ends': { policy: { tls: 'off' }, more: { bareLineEnds: 'clean' } },
  public: { type: 'public', policy: { behavior: 'accept', tls: 'preferred' } },
  rejected: { policy: { behavior: 'reject' } },
};

const site = await Site.open();
const ports = new Map<string, number>();
let config = site.base();
for (const [name, listener] of Object.entries(LISTENERS)) {
  const port = await freePort();
  ports.set(name, port);
  config = withListener(config, name, { ...listener, port });
}
await site.start(config);

const certificate = (name: string): TlsClient =>
  badKinds.includes(name as BadKind) ? site.pki.bad(name as BadKind) : site.pki.card(name as Person);

for (const file of readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.smtp'))
  .sort()) {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? '';
  test(`${file}: ${title}`, async () => {
    assert.notEqual(title, '', 'a transcript begins with a comment that says what it shows');
    const dialogue = parseDialogue(text);
    const port = ports.get(dialogue.listener);
    assert.ok(port !== undefined, `no such listener: ${dialogue.listener}`);
    const session = await SmtpSession.dial({ port });
    await play(dialogue, { session, certificate });
    await session.quit();
  });
}
