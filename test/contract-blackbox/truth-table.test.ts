/**
 * "Who is let in", the whole table of the contract: every combination of TLS, verify client certificate, profile and
 * smtpAuth that a configuration may have, with every kind of certificate, in a session of its own each. The oracle
 * below is the contract's table once more, word by word, and shares nothing with the gateway.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, freePorts } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import { badKinds } from '../support/pki.ts';
import { Site, withListener } from '../support/site.ts';
import { type SmtpReply, SmtpSession, type TlsClient } from '../support/smtp-session.ts';

type Profile = 'none' | 'cac' | 'cac-or-password' | 'password-only';
type Combination = {
  readonly tls: 'off' | 'preferred' | 'required';
  readonly verify: boolean;
  readonly profile: Profile;
  readonly smtpAuth: 'off' | 'preferred' | 'required';
  readonly implicit: boolean;
};
type Row = 'none' | 'invalid' | 'one entry' | 'no entry or several' | 'directory unavailable';
type Outcome = 'refused' | 'identity' | 'no identity' | 'deferred';

const isCertificateProfile = (profile: Profile): boolean => profile === 'cac' || profile === 'cac-or-password';

function combinations(): Combination[] {
  const all: Combination[] = [];
  for (const tls of ['off', 'preferred', 'required'] as const) {
    for (const verify of [false, true]) {
      for (const profile of ['none', 'cac', 'cac-or-password', 'password-only'] as const) {
        for (const smtpAuth of ['off', 'preferred', 'required'] as const) {
          // Faults that `check` reports: test/contract-blackbox/commands.test.ts.
          if (verify && (tls === 'off' || !isCertificateProfile(profile))) continue;
          if (profile === 'none' && smtpAuth !== 'off') continue;
          all.push({ tls, verify, profile, smtpAuth, implicit: false });
          if (tls !== 'off' && smtpAuth === 'required') all.push({ tls, verify, profile, smtpAuth, implicit: true });
        }
      }
    }
  }
  return all;
}

/** The table, and the sentence below it about `smtpAuth: off`. */
function expectedOutcome({ tls, verify, profile, smtpAuth }: Combination, row: Row): Outcome {
  if (!isCertificateProfile(profile)) return 'no identity';
  if (row === 'directory unavailable') return 'deferred';
  if (row === 'one entry') return smtpAuth === 'off' ? 'no identity' : 'identity';
  if (!verify) return 'no identity';
  return row === 'none' && tls === 'preferred' ? 'no identity' : 'refused';
}

function expectedAuth({ profile, smtpAuth }: Combination, outcome: Outcome): string | undefined {
  if (smtpAuth === 'off') return undefined;
  if (outcome === 'identity') return 'EXTERNAL';
  return profile === 'cac-or-password' || profile === 'password-only' ? 'PLAIN LOGIN' : undefined;
}

function expectedMail({ smtpAuth }: Combination, outcome: Outcome): string {
  if (outcome === 'deferred') return '454 4.7.0';
  return outcome === 'no identity' && smtpAuth === 'required' ? '530 5.7.0' : '250 2.1.0';
}

const titleOf = ({ tls, verify, profile, smtpAuth, implicit }: Combination): string =>
  `tls ${tls}, verify ${verify ? 'on' : 'off'}, profile ${profile}, smtpAuth ${smtpAuth}${implicit ? ', implicit TLS' : ''}`;

function assertReply(reply: SmtpReply, expected: string, where: string, session: SmtpSession): void {
  assert.ok(reply.text.startsWith(expected), `${where}: expected ${expected}, got ${reply.text}\n${session.talk()}`);
}

async function openSession(port: number, { implicit, tls }: Combination, client: TlsClient): Promise<SmtpSession> {
  const session = implicit ? await SmtpSession.dialTls({ port }, client) : await SmtpSession.dial({ port });
  assert.equal((await session.reply()).code, 220, session.talk());
  if (implicit || tls === 'off') return session;
  assert.ok((await session.ehlo()).has('STARTTLS'), `STARTTLS is not offered\n${session.talk()}`);
  await session.startTls(client);
  return session;
}

type Case = {
  readonly combination: Combination;
  readonly port: number;
  readonly row: Row;
  readonly client: TlsClient;
  readonly reason: RegExp;
  readonly label: string;
};

async function play({ combination, port, row, client, reason, label }: Case): Promise<void> {
  const outcome = expectedOutcome(combination, row);
  const session = await openSession(port, combination, client);
  if (outcome === 'refused') {
    const reply = await session.command('EHLO client.example.test');
    assertReply(reply, '554 5.7.1', label, session);
    assert.match(reply.text, reason, label);
    assertReply(await session.command('MAIL FROM:<alice@example.test>'), '554 5.7.1', label, session);
    await session.quit();
    return;
  }
  const keywords = await session.ehlo();
  assert.equal(keywords.get('AUTH'), expectedAuth(combination, outcome), `${label}: AUTH in EHLO\n${session.talk()}`);
  const mail = expectedMail(combination, outcome);
  assertReply(await session.command('MAIL FROM:<alice@example.test>'), mail, label, session);
  if (mail.startsWith('250')) {
    // The policy's behaviour is accept and the recipient access table has example.test only: an identity may relay.
    const recipient = outcome === 'identity' ? '250 2.1.5' : '550';
    assertReply(await session.command('RCPT TO:<someone@elsewhere.example>'), recipient, label, session);
  } else {
    assertReply(await session.command('NOOP'), '250', `${label}: the session stays`, session);
  }
  await session.quit();
}

const site = await Site.open();
const all = combinations();
const ports = await freePorts(all.length);

function configuration(
  wanted: readonly Combination[],
  usedPorts: readonly number[],
  base: Record<string, unknown>,
): Record<string, unknown> {
  let config = base;
  for (const [index, { tls, verify, profile, smtpAuth, implicit }] of wanted.entries()) {
    const policy = { behavior: 'accept', tls, verifyClientCertificate: verify, smtpAuth };
    const listener = {
      policy,
      implicit,
      type: 'public' as const,
      port: usedPorts[index] ?? 0,
      ...(profile === 'none' ? {} : { profile }),
    };
    config = withListener(config, `combination-${index}`, listener);
  }
  return config;
}

const REASON: Readonly<Record<string, RegExp>> = {
  expired: /client certificate (has )?expired/,
  revoked: /client certificate (is |has been )?revoked/,
  none: /client certificate required/,
};

function kinds(): { label: string; row: Row; client: TlsClient }[] {
  const version = (index: number): TlsClient => ({ version: index % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2' });
  return [
    { label: 'none', row: 'none' as const, client: {} },
    ...badKinds.map((kind) => ({ label: kind, row: 'invalid' as const, client: site.pki.bad(kind) })),
    { label: 'alice', row: 'one entry' as const, client: site.pki.card('alice') },
    { label: 'bob (no entry)', row: 'no entry or several' as const, client: site.pki.card('bob') },
    { label: 'twins (several entries)', row: 'no entry or several' as const, client: site.pki.card('twins') },
    {
      label: 'nameless (entry without user id)',
      row: 'no entry or several' as const,
      client: site.pki.card('nameless'),
    },
    {
      label: 'manyNames (entry with two user ids)',
      row: 'no entry or several' as const,
      client: site.pki.card('manyNames'),
    },
  ].map((kind, index) => ({ ...kind, client: { ...kind.client, ca: site.pki.serverCa, ...version(index) } }));
}

await site.start(configuration(all, ports, site.base()));

for (const [index, combination] of all.entries()) {
  const port = ports[index] ?? 0;
  if (combination.tls === 'off') {
    test(`${titleOf(combination)}: STARTTLS gets 502 and the session goes on in the clear`, async () => {
      const session = await SmtpSession.dial({ port });
      await session.reply();
      assert.ok(!(await session.ehlo()).has('STARTTLS'));
      await session.expect('STARTTLS', '502');
      await session.quit();
      await play({ combination, port, row: 'none', client: {}, reason: /./, label: 'in the clear' });
    });
    continue;
  }
  test(`${titleOf(combination)}: every kind of certificate gets what the table says`, async () => {
    for (const { label, row, client } of kinds()) {
      await play({ combination, port, row, client, label, reason: REASON[label] ?? /client certificate/ });
    }
  });
}

test('with the directory unavailable a valid certificate gets 454 at MAIL FROM in every combination', async () => {
  // With smtpAuth off and verify off there is nothing that the directory could decide.
  const asking = all.filter(
    ({ profile, tls, verify, smtpAuth }) =>
      isCertificateProfile(profile) && tls !== 'off' && (verify || smtpAuth !== 'off'),
  );
  const otherPorts = await freePorts(asking.length);
  const base = site.base();
  const servers = {
    corp: {
      hosts: [`ldap://127.0.0.1:${await freePort()}`],
      baseDn: 'dc=example,dc=test',
      connectTimeout: '1s',
      queryTimeout: '1s',
    },
  };
  const down = { ...base, ldap: { ...(base['ldap'] as object), servers } };
  await Gateway.start({ config: configuration(asking, otherPorts, down), folder: site.copy() });
  for (const [index, combination] of asking.entries()) {
    const port = otherPorts[index] ?? 0;
    const label = titleOf(combination);
    await play({ combination, port, row: 'directory unavailable', client: site.pki.card('alice'), reason: /./, label });
    // The certificate is judged before the directory is asked.
    await play({
      combination,
      port,
      row: 'invalid',
      client: site.pki.bad('expired'),
      reason: /expired/,
      label: `${label}, expired`,
    });
    await play({ combination, port, row: 'none', client: {}, reason: /required/, label: `${label}, none` });
  }
});
