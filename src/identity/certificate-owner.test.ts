import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certificate, generalName, subjectAltName } from '../../test/pkits/certificate-writer.ts';
import type { MappingRule, StaticMapConfig } from '../config/schema.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import type { Owner } from '../ldap/certificate-query.ts';
import { parseCertificate } from '../tls/certificate.ts';
import { certificateToken } from './certificate-fields.ts';
import { type CertificateOwner, certificateOwner } from './certificate-owner.ts';

const ID = 'spiffe://example.test/ns/prod/sa/scanner';
const scanner = parseCertificate(
  certificate({ extensions: [subjectAltName(generalName.dns('scanner'), generalName.uri(ID))] }).der,
);
const hash = (token: 'sha256' | 'spki'): string => certificateToken(scanner, token)?.[0] ?? '';
const entry = (more: Partial<StaticMapConfig[number]>): StaticMapConfig[number] => ({ user: 'scanner', ...more });
const OTHER = 'ab'.repeat(32);

const answering = (answer: Answer<Owner>) => {
  const asked = { times: 0 };
  const ask = async (): Promise<Answer<Owner>> => {
    asked.times += 1;
    return answer;
  };
  return { ask, asked };
};

const found = (rules: readonly MappingRule[]) => yes({ user: 'alice', dn: 'cn=Alice', rules });
const config = (staticMap: StaticMapConfig | undefined, query: string | undefined = 'card') => ({ staticMap, query });

describe('the static map', () => {
  for (const [key, value] of [
    ['uri', ID],
    ['sha256', hash('sha256')],
    ['spki', hash('spki')],
  ] as const) {
    test(`a certificate is known by its ${key}, and no directory is asked`, async () => {
      const { ask, asked } = answering(unknown('down'));
      const staticMap = [entry({ uri: 'spiffe://example.test/other' }), entry({ [key]: value })];
      const owner = certificateOwner({ profile: 'services', config: config(staticMap), ask });
      const by = 'smtpAuthProfiles.services.staticMap[1]';
      assert.deepEqual(await owner(scanner, 0), yes({ user: 'scanner', by }));
      assert.equal(asked.times, 0);
    });
  }
  test('values are compared exactly', async () => {
    for (const uri of [`${ID}/x`, ID.slice(0, -1), ID.toUpperCase(), 'spiffe://example.test/*']) {
      const owner = certificateOwner({
        profile: 'services',
        config: config([entry({ uri })], undefined),
        ask: undefined,
      });
      assert.deepEqual(await owner(scanner, 0), no('not in the static map'), uri);
    }
  });
  test('a hash of one kind does not count as the other', async () => {
    const staticMap = [entry({ sha256: hash('spki') }), entry({ spki: hash('sha256') })];
    const owner = certificateOwner({ profile: 'services', config: config(staticMap, undefined), ask: undefined });
    assert.deepEqual(await owner(scanner, 0), no('not in the static map'));
  });
  test('entries that agree are one user, entries that do not are nobody', async () => {
    const { ask } = answering(found(['filter']));
    const of = (user: string) => [entry({ uri: ID }), entry({ spki: hash('spki'), user })];
    const agreed = certificateOwner({ profile: 'services', config: config(of('scanner')), ask });
    assert.equal((await agreed(scanner, 0)).answer, 'yes');
    const disputed = certificateOwner({ profile: 'services', config: config(of('backup')), ask });
    const why =
      'several users in the static map: smtpAuthProfiles.services.staticMap[0], smtpAuthProfiles.services.staticMap[1]';
    assert.deepEqual(await disputed(scanner, 0), no(why));
  });
  test('says what it found, for ldaptest', async () => {
    const told: Answer<CertificateOwner>[] = [];
    const { ask } = answering(no('no entry'));
    const tell = (staticMap: StaticMapConfig | undefined) =>
      certificateOwner({ profile: 'p', config: config(staticMap), ask, onStaticMap: (answer) => told.push(answer) });
    await tell([entry({ sha256: OTHER })])(scanner, 0);
    await tell(undefined)(scanner, 0);
    assert.deepEqual(told, [no('not in the static map')]);
  });
});

describe('the directory', () => {
  test('is asked about certificates that the map does not know', async () => {
    const { ask, asked } = answering(found(['filter']));
    const owner = certificateOwner({ profile: 'cac', config: config([entry({ sha256: OTHER })]), ask });
    assert.deepEqual(await owner(scanner, 0), yes({ user: 'alice', by: 'ldap.queries.card' }));
    assert.equal(asked.times, 1);
  });
  test('its rules are named', async () => {
    const { ask } = answering(found(['ski', 'userCertificate']));
    const owner = certificateOwner({ profile: 'cac', config: config(undefined), ask });
    assert.deepEqual(await owner(scanner, 0), yes({ user: 'alice', by: 'ldap.queries.card ski, userCertificate' }));
  });
  test('unknown stays unknown, no stays no', async () => {
    for (const answer of [unknown('down'), no('several entries')]) {
      const owner = certificateOwner({ profile: 'cac', config: config(undefined), ask: answering(answer).ask });
      assert.deepEqual(await owner(scanner, 0), answer);
    }
  });
});
