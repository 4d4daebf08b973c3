/**
 * What TLS libraries make of revocation lists, and what must not happen here (nodejs/node#65576, envoyproxy/envoy#12784,
 * eclipse-mosquitto/mosquitto#1826, sendmail's CRLFile): of a bundle only the first list counts, one authority's missing
 * or expired list locks out another authority's people, a list in DER or a broken one ends the process or TLS.
 * Two authorities: the site's card authority and one beside it, people of the directory with a card of either.
 * Each case in TLS 1.2 and 1.3, by STARTTLS and on implicit TLS.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { CertificateAuthority, type Credentials, type CrlIssue, derOf } from '../support/certificate-authority.ts';
import { type CrlAnswer, CrlServer } from '../support/crl-server.ts';
import { freePorts } from '../support/free-port.ts';
import { type Gateway, type LogEvent, PROGRAM } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { Site, withListener } from '../support/site.ts';
import { enterTls, type Way, WAYS, wayName } from '../support/tls-matrix.ts';

const DAY_MS = 86_400_000;
const ISSUING = 'CN=Test Card Issuing CA,O=Example';
const OTHER = 'CN=Other Card CA,O=Example';

let site: Site;
let other: CertificateAuthority;
let carol: Credentials;
let dave: Credentials;
before(async () => {
  site = await Site.open();
  other = CertificateAuthority.root(join(site.folder, 'pki', 'other'), '/O=Example/CN=Other Card CA');
  writeFileSync(join(site.folder, 'pki', 'other-ca.pem'), other.own.cert);
  carol = other.issue({ subject: '/O=Example/CN=CLARK.CAROL.C.1000000003', serial: '1003' });
  dave = other.issue({ subject: '/O=Example/CN=DAVIS.DAVE.D.1000000004', serial: '1004' });
});

type Section = Record<string, unknown>;
type Running = {
  readonly gateway: Gateway;
  readonly ports: Readonly<Record<Way['mode'], number>>;
  readonly cac: CrlServer;
};

const pem = (body: string | Buffer): CrlAnswer => ({ kind: 'list', body });
/** Of the other authority: dave's card is revoked. */
const otherList = (issue: CrlIssue = {}): string => other.crl({ revoked: ['1004'], ...issue });

/** A gateway with a listener for either mode; `cac` is what the card authority's source serves. */
async function start(cac: CrlAnswer, sources: (cacUrl: string, otherUrl: string) => Section): Promise<Running> {
  const server = await CrlServer.start(cac);
  const otherServer = await CrlServer.start(pem(otherList()));
  const [starttls = 0, implicit = 0] = await freePorts(2);
  const base = site.base();
  const profiles = base['smtpAuthProfiles'] as Section;
  const policy = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
  let config: Section = {
    ...base,
    certificateAuthorities: { cac: { file: 'pki/cac-ca.pem' }, other: { file: 'pki/other-ca.pem' } },
    smtpAuthProfiles: { ...profiles, cac: { ...(profiles['cac'] as Section), trust: ['cac', 'other'] } },
    crl: { checkInbound: true, sources: sources(server.url(), otherServer.url('other.crl')) },
  };
  config = withListener(config, 'starttls', { profile: 'cac', policy, port: starttls });
  config = withListener(config, 'implicit', { profile: 'cac', policy, port: implicit, implicit: true });
  return { gateway: await site.start(config, { folder: site.copy() }), ports: { starttls, implicit }, cac: server };
}

const source = (primaryUrl: string, more: Section = {}): Section => ({
  type: 'pem',
  primaryUrl,
  schedule: 'manual',
  ...more,
});
const bothSources =
  (more: Section = {}) =>
  (cacUrl: string, otherUrl: string): Section => ({ cac: source(cacUrl, more), other: source(otherUrl) });

/** Starts at the first call, and only then. */
function once(begin: () => Promise<Running>): () => Promise<Running> {
  let running: Promise<Running> | undefined;
  return () => (running ??= begin());
}

/** Let in as a user who may send. */
async function letIn({ ports }: Running, way: Way, card: Credentials, user: string): Promise<void> {
  const smtp = await enterTls(ports[way.mode], way, card);
  assert.equal((await smtp.ehlo()).get('AUTH'), 'EXTERNAL');
  await smtp.expect(`MAIL FROM:<${user}@example.test>`, '250');
  await smtp.expect('RCPT TO:<someone@elsewhere.example>', '250');
  await smtp.quit();
}

/** Refused after a handshake that completes, in these words, by this rule, in the reply and in the log. */
async function refused({ gateway, ports }: Running, way: Way, card: Credentials, why: Why): Promise<void> {
  const from = gateway.events.length;
  const smtp = await enterTls(ports[way.mode], way, card);
  const reply = await smtp.expect('EHLO client.example.test', '554 5.7.1');
  assert.equal(reply.text, `554 5.7.1 ${why.words}`);
  await smtp.expect('NOOP', '250');
  await smtp.quit();
  const { refusal } = await gateway.event(({ event }) => event === 'refused', { from });
  const record = refusal as Record<string, unknown>;
  assert.equal(record['reason'], why.words);
  assert.equal(record['listener'], way.mode);
  assert.equal(record['rule'], `certificate invalid, verify on, tls required: ${why.rule}`);
}

type Why = { readonly words: string; readonly rule: string };
const REVOKED = (name: string): Why => ({ words: 'client certificate revoked', rule: `crl.sources.${name}` });
const unchecked = (why: string, rule: string): Why => ({
  words: `client certificate cannot be checked for revocation: ${why}`,
  rule,
});
const NEVER = unchecked(
  `no revocation list of ${ISSUING}; source cac has never had a good copy`,
  'crl.sources.cac.whenUnavailable',
);
const EXPIRED = unchecked(`the revocation list of ${ISSUING} has expired`, 'crl.sources.cac.whenExpired');

const alice = (): Credentials => site.pki.card('alice');
const frank = (): Credentials => site.pki.card('frank');

async function othersGoOn(running: Running, way: Way): Promise<void> {
  await letIn(running, way, carol, 'carol');
  await refused(running, way, dave, REVOKED('other'));
}

const update = ({ gateway }: Running): Promise<unknown> =>
  runProgram(PROGRAM, ['crl', 'update', '--data', gateway.data]);

const failures = (events: readonly LogEvent[], name: string): string[] =>
  events.filter((each) => each.event === 'crl-failed' && each['source'] === name).map((each) => String(each['why']));
const updatedIssuers = (events: readonly LogEvent[]): string[] =>
  events.filter(({ event }) => event === 'crl-updated').map((each) => String(each['issuer']));

// E: a list of one authority only.

const unreachable = once(() => start({ kind: 'status', code: 404 }, bothSources()));
const unconfigured = once(() => start(pem(''), (_cacUrl, otherUrl) => ({ other: source(otherUrl) })));
const neverFetched = once(() => start({ kind: 'hanging' }, bothSources({ timeout: '2s' })));

for (const way of WAYS) {
  test(`${wayName(way)}: a list that cannot be had locks out its own authority's people and nobody else's`, async () => {
    const running = await unreachable();
    await othersGoOn(running, way);
    await refused(running, way, alice(), NEVER);
    assert.match(failures(running.gateway.events, 'cac').join(), /404/);
    assert.deepEqual(failures(running.gateway.events, 'other'), []);
  });

  test(`${wayName(way)}: an authority without a source locks out its own people and nobody else's`, async () => {
    const running = await unconfigured();
    await othersGoOn(running, way);
    await refused(running, way, alice(), unchecked(`no revocation list of ${ISSUING}`, 'crl.whenNoSource'));
  });

  test(`${wayName(way)}: a source that answers nothing locks out its own authority's people and nobody else's`, async () => {
    const running = await neverFetched();
    await othersGoOn(running, way);
    await refused(running, way, alice(), NEVER);
  });
}

// D: several lists in one file.

const bundle = once(() => start(pem(site.pki.crl() + otherList()), (cacUrl) => ({ all: source(cacUrl) })));
const turned = once(() => start(pem(otherList() + site.pki.crl()), (cacUrl) => ({ all: source(cacUrl) })));
const halfGood = once(() => {
  const broken = site.pki.issuing.crl({ revoked: [] }).replace(/-----END X509 CRL-----\n$/, '');
  return start(pem(broken + site.pki.root.crl({}) + otherList()), (cacUrl) => ({ all: source(cacUrl) }));
});

for (const way of WAYS) {
  for (const [order, running] of [
    ['first', bundle],
    ['last', turned],
  ] as const) {
    test(`${wayName(way)}: of a file with several lists each counts, the card authority's ${order}`, async () => {
      const started = await running();
      await letIn(started, way, alice(), 'alice');
      await letIn(started, way, carol, 'carol');
      await refused(started, way, frank(), REVOKED('all'));
      await refused(started, way, dave, REVOKED('all'));
      assert.deepEqual(updatedIssuers(started.gateway.events).sort(), [
        OTHER,
        ISSUING,
        'CN=Test Card Root CA,O=Example',
      ]);
      assert.deepEqual(failures(started.gateway.events, 'all'), []);
    });
  }

  test(`${wayName(way)}: a broken list in a file is told of, and the others in it count`, async () => {
    const running = await halfGood();
    await letIn(running, way, carol, 'carol');
    await refused(running, way, dave, REVOKED('all'));
    await refused(running, way, alice(), unchecked(`no revocation list of ${ISSUING}`, 'crl.whenNoSource'));
    assert.match(failures(running.gateway.events, 'all').join(), /cut off/);
  });
}

// F: a list past its nextUpdate.

const lateList = (): CrlAnswer =>
  pem(site.pki.crl({ thisUpdateMs: Date.now() - 2 * DAY_MS, nextUpdateMs: Date.now() - DAY_MS }));
const expired = once(() => start(lateList(), bothSources()));
const withGrace = once(() => start(lateList(), bothSources({ grace: '2d' })));
const accepted = once(() => start(lateList(), bothSources({ whenExpired: 'accept' })));

for (const way of WAYS) {
  test(`${wayName(way)}: an expired list refuses its own authority's people, says so, and nobody else notices`, async () => {
    const running = await expired();
    await othersGoOn(running, way);
    await refused(running, way, alice(), EXPIRED);
    // What a late list tells is believed.
    await refused(running, way, frank(), REVOKED('cac'));
    const { events } = running.gateway;
    const alert = events.find(
      ({ event, source: name, issuer }) => event === 'crl-alert' && name === 'cac' && issuer === ISSUING,
    );
    assert.equal(alert?.['age'], 'expired');
    assert.equal(alert?.['level'], 'critical');
  });

  for (const [setting, running] of [
    ['within the grace', withGrace],
    ['where whenExpired says accept', accepted],
  ] as const) {
    test(`${wayName(way)}: an expired list lets good people in ${setting}, and never the revoked`, async () => {
      const started = await running();
      await letIn(started, way, alice(), 'alice');
      await refused(started, way, frank(), REVOKED('cac'));
      await othersGoOn(started, way);
    });
  }
}

// G: a list in DER, and what is no list.

const derList = (number = 1): Buffer =>
  Buffer.concat([derOf(site.pki.issuing.crl({ revoked: ['1006'], number })), derOf(site.pki.root.crl({ number }))]);
const der = once(() => start(pem(derList()), bothSources({ type: 'asn1' })));
const derForPem = once(() => start(pem(derList()), bothSources()));
const pemForDer = once(() => start(pem(site.pki.crl()), bothSources({ type: 'asn1' })));
const neverGood = once(() => start({ kind: 'html' }, bothSources()));
const goodOnce = once(() => start(pem(site.pki.crl()), bothSources()));

/** Nothing that a server says ends the gateway or replaces a good list. */
const BROKEN: readonly (readonly [what: string, answer: () => CrlAnswer, why: RegExp])[] = [
  ['a list in DER where PEM is configured', () => pem(derList(9)), /looks like ASN\.1 \(type: asn1\)/],
  ['a log-in page', () => ({ kind: 'html' }), /a web page/],
  ['half a list', () => ({ kind: 'truncated', body: site.pki.issuing.crl({ number: 9 }) }), /cut off/],
  ['random octets', () => pem(Buffer.from('3082ffff0203040506070809', 'hex')), /no "BEGIN X509 CRL"/],
  ['a list whose content is no DER', () => pem(inPem('MIIBAAECAwQF')), /malformed/],
  ['nothing', () => pem(''), /empty/],
];

const inPem = (base64: string): string => `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;

for (const way of WAYS) {
  test(`${wayName(way)}: a list in DER serves as well as one in PEM`, async () => {
    const running = await der();
    await letIn(running, way, alice(), 'alice');
    await refused(running, way, frank(), REVOKED('cac'));
    await othersGoOn(running, way);
  });

  for (const [what, running, why] of [
    ['DER where PEM is configured', derForPem, /looks like ASN\.1 \(type: asn1\)/],
    ['PEM where DER is configured', pemForDer, /looks like PEM \(type: pem\)/],
    ['a web page', neverGood, /a web page/],
  ] as const) {
    test(`${wayName(way)}: ${what} is told of, counts as no list, and nobody else notices`, async () => {
      const started = await running();
      await othersGoOn(started, way);
      await refused(started, way, alice(), NEVER);
      assert.match(failures(started.gateway.events, 'cac').join(), why);
    });
  }

  for (const [what, answer, why] of BROKEN) {
    test(`${wayName(way)}: ${what} never replaces the good list`, async () => {
      const running = await goodOnce();
      running.cac.answer = answer();
      const from = running.gateway.events.length;
      await update(running);
      await running.gateway.event(
        (each) => each.event === 'crl-failed' && each['source'] === 'cac' && why.test(String(each['why'])),
        { from },
      );
      await letIn(running, way, alice(), 'alice');
      await refused(running, way, frank(), REVOKED('cac'));
      await othersGoOn(running, way);
    });
  }
}
