/**
 * `trace` decides with the code that decides live sessions. Random clients are played against a running gateway and
 * traced under the same configuration: every command must get the same answer in both.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { connectApi } from '../../src/admin/api-client.io.ts';
import { certificatesOf } from '../../src/explain/certificate-lookup.ts';
import { pemOf } from '../../src/cli/cert.ts';
import { renderReply } from '../../src/core/reply.ts';
import { offlineRevocation } from '../../src/explain/offline-revocation.io.ts';
import type { TraceStage } from '../../src/pipeline/session-trace.ts';
import { loadRevision } from '../../src/control/revision.io.ts';
import { trace, type TraceInput, type TraceReport } from '../../src/explain/trace.io.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { freePorts } from '../support/free-port.ts';
import { type Gateway, PROGRAM, writeConfig } from '../support/gateway.ts';
import { badKinds } from '../support/pki.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession, type TlsClient } from '../support/smtp-session.ts';

const CASES = 150;
const SEED = 20261125;

/** Mulberry32: the same cases in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const random = randomFrom(SEED);
const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
const some = <T>(most: number, make: () => T): T[] => Array.from({ length: 1 + Math.floor(random() * most) }, make);

let site: Site;
let gateway: Gateway;
let listeners: { readonly name: string; readonly port: number; readonly implicit: boolean }[] = [];

before(async () => {
  site = await Site.open();
  let config = site.base();
  const ports = await freePorts(24);
  listeners = ports.map((port, index) => {
    const tls = one(['off', 'preferred', 'required'] as const);
    const profile = one([undefined, 'cac', 'cac-or-password', 'password', 'monitored']);
    const certificates = profile === 'cac' || profile === 'cac-or-password';
    const implicit = tls !== 'off' && random() < 0.25;
    const policy = {
      behavior: one(['accept', 'relay', 'accept', 'relay', 'reject']),
      tls,
      verifyClientCertificate: certificates && tls !== 'off' && random() < 0.5,
      smtpAuth: profile === undefined ? 'off' : one(['off', 'preferred', 'required']),
      requireTlsToOfferSmtpAuth: random() < 0.5,
      maxRecipientsPerMessage: one([1, 2, 50]),
      maxMessageSize: one(['1k', '10M']),
    };
    const type = random() < 0.5 ? ('public' as const) : ('private' as const);
    const more = random() < 0.5 ? { defaultDomain: 'example.test' } : {};
    const name = `listener-${index}`;
    config = withListener(config, name, {
      policy,
      implicit,
      type,
      port,
      more,
      ...(profile === undefined ? {} : { profile }),
    });
    return { name, port, implicit };
  });
  gateway = await site.start(config, { folder: site.copy() });
});

type Case = {
  readonly input: TraceInput;
  readonly client: TlsClient;
  readonly port: number;
  readonly implicit: boolean;
};

const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'twins', 'nameless'] as const;
const ADDRESSES = [
  'alice@example.test',
  'x@elsewhere.example',
  'bare',
  'postmaster',
  'bad..dot@x',
  'jörg@example.test',
  '',
];

function randomCase(): Case {
  const { name, port, implicit } = one(listeners);
  const kind = one(['none', 'card', 'card', 'bad'] as const);
  const held = kind === 'none' ? undefined : kind === 'card' ? site.pki.card(one(PEOPLE)) : site.pki.bad(one(badKinds));
  const tls = implicit || random() < 0.8;
  const found = held === undefined || !tls ? [] : certificatesOf(Buffer.from(held.cert));
  assert.ok(typeof found !== 'string', String(found));
  const login = one([undefined, 'alice', 'bob', 'erin', 'nobody']);
  const password = random() < 0.8 ? `${login}-secret` : 'wrong';
  const text = one([
    undefined,
    'Subject: hello\r\n\r\ntext\r\n',
    'bare \n line end\r\n',
    `Subject: long\r\n\r\n${'x'.repeat(900)}\r\n${'y'.repeat(300)}\r\n`,
  ]);
  const input: TraceInput = {
    listener: name,
    remoteAddress: '127.0.0.1',
    hostname: undefined,
    tls,
    certificates: found,
    login: login === undefined ? undefined : { user: login, password },
    sender: one(ADDRESSES),
    recipients: some(3, () => one(ADDRESSES)),
    message: text === undefined ? undefined : Buffer.from(text),
  };
  const client = { ca: site.pki.serverCa, ...(held === undefined ? {} : held) };
  return { input, client, port, implicit };
}

/** Undefined: closed before TLS, which is how a host is refused where TLS comes first. */
const dial = async ({ port, client, implicit }: Omit<Case, 'input'>): Promise<SmtpSession | undefined> =>
  implicit ? await SmtpSession.dialTls({ port }, client).catch(() => undefined) : await SmtpSession.dial({ port });

/** What the live session answered, command by command, until it was over. */
async function play({ input, client, port, implicit }: Case): Promise<string[]> {
  const session = await dial({ port, client, implicit });
  if (session === undefined) return ['connection'];
  const answers: string[] = [];
  const say = async (stage: string, line: string): Promise<number> => {
    const { code, text } = await session.command(line);
    answers.push(code < 400 ? `${stage} passed` : `${stage} ${text}`);
    return code;
  };
  try {
    const greeting = await session.reply();
    if (greeting.code !== 220) return [`connection ${greeting.text}`];
    await begin(session, { input, client, implicit });
    const hello = await session.command('EHLO client.example.test');
    if (hello.code !== 250) return [`certificate ${hello.text}`];
    const { login, sender, recipients, message } = input;
    if (login !== undefined) {
      const { text, code } = await session.authPlain(login.user, login.password ?? '');
      answers.push(code < 400 ? 'auth passed' : `auth ${text}`);
    }
    const utf8 = [sender, ...recipients].some((address) => /[^\x20-\x7e]/.test(address)) ? ' SMTPUTF8' : '';
    const size = message === undefined ? '' : ` SIZE=${message.length}`;
    if ((await say('mail', `MAIL FROM:<${sender}>${size}${utf8}`)) >= 400) return answers;
    let accepted = 0;
    for (const recipient of recipients) if ((await say('rcpt', `RCPT TO:<${recipient}>`)) < 400) accepted++;
    if (accepted === 0 || message === undefined) return answers;
    await session.expect('DATA', '354');
    await say('data', `${message.toString('latin1')}.`);
    return answers;
  } finally {
    session.destroy();
  }
}

async function begin(session: SmtpSession, { input, client, implicit }: Omit<Case, 'port'>): Promise<void> {
  if (implicit || !input.tls) return;
  const { certificates } = input;
  await session.command('EHLO client.example.test');
  const reply = await session.command('STARTTLS');
  if (reply.code === 220) await session.handshake(certificates.length > 0 ? client : { ca: site.pki.serverCa });
}

const SAID: readonly TraceStage['stage'][] = ['auth', 'mail', 'rcpt', 'data'];

/** The same list from a trace: what the client would have been told. */
const told = ({ stages }: TraceReport): string[] =>
  stages.flatMap(({ stage, outcome, reply }) => {
    if (outcome === 'passed') return SAID.includes(stage) ? [`${stage} passed`] : [];
    if (stage === 'tls') return []; // the 502 to STARTTLS: the session goes on in the clear
    return [reply === undefined ? stage : `${stage} ${renderReply(reply).trimEnd()}`];
  });

test(`live and traced verdicts agree in ${CASES} random sessions`, async () => {
  const loaded = await loadRevision({ file: gateway.configFile, dataDir: undefined, number: 1 });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const { config, material } = loaded.revision;
  const clock = { now: () => Date.now() };
  const log = { emit: () => undefined };
  const baseDir = dirname(gateway.configFile);
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: gateway.data, clock, log });
  const seen = new Map<string, number>();
  for (let number = 0; number < CASES; number++) {
    const each = randomCase();
    const report = await trace(loaded.revision, each.input, { crls, clock, log });
    assert.ok(report !== undefined);
    const live = await play(each);
    assert.deepEqual(told(await askGateway(each.input)), live, `case ${number} by the running gateway`);
    const { certificates, message, ...shown } = each.input;
    assert.deepEqual(
      told(report),
      live,
      `case ${number}: ${JSON.stringify({ ...shown, certificates: certificates.length, message: message?.toString() })}`,
    );
    decisiveIsRight(report);
    seen.set(report.outcome, (seen.get(report.outcome) ?? 0) + 1);
  }
  // The cases must be worth something: mail accepted, mail refused.
  assert.ok((seen.get('accepted') ?? 0) >= 10 && (seen.get('refused') ?? 0) >= 30, JSON.stringify([...seen]));
});

/** Where mail is not accepted one stage decided; where an identity was lacking it is never the refusal that followed from that. */
function decisiveIsRight({ stages, outcome, decisive }: TraceReport): void {
  assert.equal(decisive === undefined, outcome === 'accepted', JSON.stringify({ outcome, decisive }));
  if (decisive === undefined) return;
  assert.ok(stages.includes(decisive));
  const auth = stages.find(({ stage }) => stage === 'auth');
  const lacking = decisive.stage === 'mail' && decisive.reply?.lines.includes('authentication required') === true;
  if (lacking) assert.ok(auth === undefined || auth.outcome === 'passed', JSON.stringify(stages));
}

/** The same question to the running gateway. */
async function askGateway({ certificates, login, message, ...rest }: TraceInput): Promise<TraceReport> {
  const { remoteAddress: fromIp, hostname: _, recipients, ...asked } = rest;
  const answer = await connectApi(gateway.data).call('POST /api/trace', {
    body: {
      ...asked,
      fromIp,
      recipients: [...recipients],
      ...(certificates.length === 0 ? {} : { certificate: certificates.map(pemOf).join('') }),
      ...(login === undefined ? {} : { user: login.user, password: login.password ?? '' }),
      ...(message === undefined ? {} : { message: message.toString('base64') }),
    },
  });
  assert.ok(answer.ok, JSON.stringify(answer));
  return answer.body as TraceReport;
}

function run(args: readonly string[]): { code: number | null; text: string } {
  const all = ['trace', '--config', gateway.configFile, '--data', gateway.data, ...args];
  const { status, stdout } = spawnSync(PROGRAM, all, { encoding: 'utf8', timeout: PATIENCE_MS });
  return { code: status, text: stdout };
}

test('the stage that decided is named: the password, the card or the TLS that was not there, not what followed from it', () => {
  const mail = ['--from-ip', '127.0.0.1', '--sender', 'x@example.test', 'y@elsewhere.example'];
  const decided = (
    policy: Record<string, unknown>,
    profile: string,
    ...client: readonly string[]
  ): string | undefined => {
    const config = withListener(site.base(), 'judged', { policy, profile, port: 5588 });
    const file = join(dirname(gateway.configFile), 'judged.yaml');
    writeConfig(file, config);
    const { status, stdout } = spawnSync(
      PROGRAM,
      ['trace', '--config', file, '--data', gateway.data, ...client, ...mail],
      {
        encoding: 'utf8',
      },
    );
    assert.notEqual(status, 0, stdout);
    return /^Decided by (.*)$/m.exec(stdout)?.[1];
  };
  const required = { behavior: 'accept', tls: 'preferred', smtpAuth: 'required' };
  const frank = site.pki.card('frank').certFile;
  assert.match(
    decided(required, 'cac-or-password', '--tls', '--user', 'alice') ?? '',
    /^auth: the allowance query does not match: .* \(smtpAuthProfiles\.\S+\.checkAllowed\)$/,
  );
  assert.match(
    decided(required, 'cac', '--certificate', frank) ?? '',
    /^certificate: no identity: client certificate revoked \(/,
  );
  const clear = { ...required, tls: 'off', requireTlsToOfferSmtpAuth: true };
  assert.equal(
    decided(clear, 'password', '--tls', '--user', 'bob'),
    'tls: tls off: STARTTLS is not offered (mailFlowPolicies.judged.tls)',
  );
  assert.equal(
    decided(required, 'cac-or-password', '--tls'),
    'mail: authentication required (mailFlowPolicies.judged.smtpAuth)',
  );
  const relaying = { behavior: 'accept', tls: 'preferred', smtpAuth: 'preferred' };
  assert.equal(decided({ ...relaying, behavior: 'reject' }, 'password')?.startsWith('connection: '), true);
});

test('the command shows each stage with the rule that decided, and its exit code is the outcome', () => {
  const strict = withListener(site.base(), 'strict', {
    policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
    profile: 'cac',
    port: 5587,
  });
  const folder = dirname(gateway.configFile);
  const config = join(folder, 'strict.yaml');
  writeFileSync(config, JSON.stringify(strict));
  const card = (person: 'alice' | 'frank'): string => {
    const file = join(folder, `${person}.pem`);
    writeFileSync(file, site.pki.card(person).cert);
    return file;
  };
  const common = [
    '--config',
    config,
    '--from-ip',
    '127.0.0.1',
    '--sender',
    'alice@example.test',
    'x@elsewhere.example',
  ];
  const alice = run([...common, '--certificate', card('alice')]);
  assert.equal(alice.code, 0, alice.text);
  assert.match(alice.text, /the certificate belongs to alice/);
  assert.match(alice.text, /rule: listeners\.strict\.hat\[0\]/);
  const frank = run([...common, '--certificate', card('frank')]);
  assert.equal(frank.code, 1, frank.text);
  assert.match(frank.text, /refused {2}certificate: client certificate revoked\n.*crl\.sources\.cac/);
  const nobody = run([...common, '--tls']);
  assert.match(nobody.text, /554 5\.7\.1 client certificate required/);
  const stranger = run(['--config', config, '--from-ip', '10.9.8.7', '--sender', '', 'x@elsewhere.example']);
  assert.match(stranger.text, /sender group ALL \(match ALL\), policy BLOCKED, REJECT/);
});

test('a question that cannot be understood is said, with exit code 2', () => {
  for (const [args, why] of [
    [['--sender', 'a@b', 'c@d'], /--from-ip is needed/],
    [['--from-ip', '1.2.3.4', 'c@d'], /--sender is needed/],
    [['--from-ip', '1.2.3.4', '--sender', 'a@b'], /at least one RECIPIENT/],
    [['--from-ip', '1.2.3.4', '--sender', 'a@b', 'c@d'], /name a listener \(--listener\): listener-0/],
    [['--from-ip', '1.2.3.4', '--sender', 'a@b', '--listener', 'none-such', 'c@d'], /there is no listener none-such/],
    [
      ['--from-ip', '1.2.3.4', '--sender', 'a@b', '--listener', 'listener-0', '--certificate', '/none', 'c@d'],
      /cannot read a file/,
    ],
  ] as const) {
    const { code, text } = run(args);
    assert.equal(code, 2, text);
    assert.match(text, why);
  }
});
