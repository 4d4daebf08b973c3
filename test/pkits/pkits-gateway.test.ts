/**
 * PKITS through the running gateway: whoever holds the key of an end certificate of the suite connects, does STARTTLS
 * with that certificate alone, and is relayed or refused with the reason. Authorities come from one file, each
 * revocation list of the suite from a source of its own (file:), and each combination of initial settings is a profile
 * with a listener. Only the DSA keys are left out: no TLS 1.3 handshake can be done with them.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { PATH_FAULTS } from '../../src/tls/path-validation.ts';
import { freePort } from '../support/free-port.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';
import { pem } from './certificate-writer.ts';
import { PKITS_CASES, type PkitsCase, type PkitsResult } from './pkits-cases.ts';
import { PKCS12_PASSWORD, pkitsCertificates, pkitsKeys, pkitsLists } from './pkits-vectors.ts';

const DSA = ['4.1.4', '4.1.5', '4.1.6'];
const CASES = PKITS_CASES.filter(({ number }) => !DSA.includes(number));
const ANY_POLICY = '2.5.29.32.0';

type Section = Record<string, unknown>;

/** The keys of a certificate profile that stand for the initial settings of a test. */
function profileKeys({ settings }: PkitsCase): Section {
  const { initialPolicySet = [], initialExplicitPolicy } = settings;
  const required = initialPolicySet.length === 0 && initialExplicitPolicy ? [ANY_POLICY] : initialPolicySet;
  return {
    ...(required.length > 0 ? { requirePolicies: required } : {}),
    ...(settings.initialPolicyMappingInhibit ? { inhibitPolicyMapping: true } : {}),
    ...(settings.initialAnyPolicyInhibit ? { inhibitAnyPolicy: true } : {}),
  };
}

const keyOf = (each: PkitsCase): string => JSON.stringify(profileKeys(each));

let site: Site;
const ports = new Map<string, number>();
const keys = pkitsKeys();

function writeVectors(folder: string): Section {
  const ends = new Set(PKITS_CASES.map(({ target }) => target));
  // BadSignedCACert cannot be read by anyone: `check` would say so.
  const authorities = [...pkitsCertificates()].filter(([name]) => !ends.has(name) && name !== 'BadSignedCACert');
  writeFileSync(join(folder, 'pkits.pem'), authorities.map(([, der]) => pem(der)).join(''));
  writeFileSync(
    join(folder, 'directory.ldif'),
    'dn: dc=example,dc=test\nobjectClass: domain\ndc: example\n\ndn: uid=pkits,dc=example,dc=test\nobjectClass: account\nuid: pkits\n',
  );
  mkdirSync(join(folder, 'crl'));
  const sources: Section = {};
  for (const [name, der] of pkitsLists()) {
    writeFileSync(join(folder, 'crl', name), der);
    sources[name] = { type: 'asn1', primaryUrl: `file://${join(folder, 'crl', name)}`, schedule: 'manual' };
  }
  return sources;
}

before(async () => {
  site = await Site.open();
  const folder = site.copy();
  const base = site.base();
  const ldap = base['ldap'] as { servers: Section; queries: Section };
  let config: Section = {
    ...base,
    certificateAuthorities: { pkits: { file: 'pkits.pem' } },
    ldap: {
      servers: ldap.servers,
      queries: { owner: { server: 'corp', type: 'certificate', filter: '(uid=pkits)' } },
    },
    smtpAuthProfiles: {},
    crl: { checkInbound: true, sources: writeVectors(folder) },
  };
  for (const each of CASES) {
    if (ports.has(keyOf(each))) continue;
    const [name, port] = [`settings-${ports.size}`, await freePort()];
    ports.set(keyOf(each), port);
    const profile = { type: 'certificate', query: 'owner', trust: ['pkits'], ...profileKeys(each) };
    const profiles = config['smtpAuthProfiles'] as Section;
    config = withListener({ ...config, smtpAuthProfiles: { ...profiles, [name]: profile } }, name, {
      port,
      profile: name,
      policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
    });
  }
  await site.start(config, { folder });
});

/** What the 554 says for each result. */
function wordsOf(expected: Exclude<PkitsResult, 'valid'>): string {
  if (expected === 'revoked') return 'client certificate revoked';
  return expected === 'unknown' ? 'client certificate cannot be checked for revocation' : PATH_FAULTS[expected];
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
let ran = 0;
const unstructured = (number: string): string => `Subject: PKITS ${number}\r\n\r\nrelayed\r\n`;

for (const each of CASES) {
  const { number, target, expected } = each;
  test(`PKITS ${number} through the gateway: ${target} is ${expected === 'valid' ? 'relayed' : 'refused'}`, async () => {
    const pfx = keys.get(target);
    assert.ok(pfx, `no key of ${target}`);
    const session = await SmtpSession.open({ port: ports.get(keyOf(each)) ?? 0 });
    await session.startTls({ pfx: Buffer.from(pfx), passphrase: PKCS12_PASSWORD });
    if (expected === 'valid') {
      await session.expect('EHLO client.example.test', '250');
      const reply = await session.send({ text: unstructured(number) });
      assert.equal(reply.code, 250, session.talk());
      await site.nextHop.messageWith(`Subject: PKITS ${number}\r\n`);
    } else {
      const reply = await session.command('EHLO client.example.test');
      assert.ok(reply.text.startsWith(`554 5.7.1 ${wordsOf(expected)}`), `${expected}\n${session.talk()}`);
      assert.equal((await session.command('MAIL FROM:<a@example.test>')).code, 554);
    }
    await session.quit();
    ran += 1;
  });
}

test('through the gateway went all 249 subparts but the three that need a DSA key, and only what is valid was relayed', () => {
  assert.equal(ran, 249 - DSA.length);
  const valid = CASES.filter(({ expected }) => expected === 'valid').map(({ number }) => `Subject: PKITS ${number}`);
  const relayed = site.nextHop.messages.map(({ text }) => /Subject: PKITS [\d.]+/.exec(text)?.[0] ?? text);
  assert.deepEqual(relayed.toSorted(byText), valid.toSorted(byText));
});
