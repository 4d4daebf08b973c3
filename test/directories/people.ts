/** The entries of the LDAP directories: alice, whose card it is, people whose values come near, and their times. */
import { GATEWAY_ACCOUNT } from '../support/slapd.ts';
import { type Cards, certificateLine, ldifOf, NEGATIVE_VALUES, nearValues, textLine, valueLines } from './peer.ts';

const BASE = 'dc=example,dc=test';

export function peopleLdif({ alice, negative, values }: Cards): string {
  const person = (uid: string, ...lines: readonly string[]) => ({
    dn: `uid=${uid},${BASE}`,
    lines: [
      'objectClass: inetOrgPerson',
      'objectClass: cacUser',
      'objectClass: mappedUser',
      `uid: ${uid}`,
      `cn: ${uid}`,
      `sn: ${uid}`,
      ...lines,
    ],
  });
  const time = (value: string): string => `cacemergency: ${value}`;
  return ldifOf([
    { dn: BASE, lines: ['objectClass: dcObject', 'objectClass: organization', 'dc: example', 'o: Example'] },
    {
      dn: GATEWAY_ACCOUNT.dn,
      lines: [
        'objectClass: organizationalRole',
        'objectClass: simpleSecurityObject',
        'cn: gateway',
        `userPassword: ${GATEWAY_ACCOUNT.password}`,
      ],
    },
    person(
      'alice',
      ...valueLines('description', values),
      certificateLine('userCertificate;binary', negative),
      certificateLine('userCertificate;binary', alice),
      textLine('altSecurityIdentities', values['altsec:issuerAndSerial'] ?? ''),
      time('20261122013001Z'),
    ),
    person(
      'mallory',
      ...valueLines('description', nearValues(values)),
      'description: shared US',
      time('20261122013000.5Z'),
    ),
    person('negative', ...valueLines('description', NEGATIVE_VALUES), time('20261122012959Z')),
    person('unit', 'description: unit unit 15', time('20261122020000+0100')),
  ]);
}
