import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Config, LdapQueryConfig, LdapServerConfig } from '../config/schema.ts';
import { renderFaultPath } from '../core/fault.ts';
import { faultsOfLdap } from './faults.ts';

type Given = {
  readonly query?: Partial<LdapQueryConfig>;
  readonly server?: Partial<LdapServerConfig>;
  readonly ldif?: string;
};

function faultsOf({ query, server, ldif }: Given): string[] {
  const smtpAuth = { server: 'corp', type: 'smtpAuth', filter: '(uid={u})' } as LdapQueryConfig;
  const config = {
    ldap: { servers: { corp: { baseDn: 'dc=x', ...server } }, queries: { q: { ...smtpAuth, ...query } } },
  } as unknown as Config;
  const material = {
    certificates: {},
    authorities: {},
    bindPasswords: {},
    ldif: ldif === undefined ? {} : { corp: ldif },
  };
  return faultsOfLdap(config, material).map(
    ({ path, severity, message }) => `${severity} ${renderFaultPath(path)}: ${message}`,
  );
}

describe('what check says', () => {
  const rows: readonly [title: string, given: Given, expected: RegExp | undefined][] = [
    ['nothing of a good query', {}, undefined],
    [
      'nothing of the recipes’ allowance',
      { query: { allowance: '(&(uid={u})(|(!(caccn=*))(cacexempt=*)(cacemergency>={t})))' } },
      undefined,
    ],
    [
      'nothing of a certificate filter without tokens',
      { query: { type: 'certificate', filter: '(uid=alice)' } },
      undefined,
    ],
    [
      'nothing of every certificate token',
      {
        query: {
          type: 'certificate',
          filter: '(|(a={cn}{sn}{sn:reversed})(b={fascn:digits}{edipi}{spki})(c>={t:filetime}))',
        },
      },
      undefined,
    ],
    [
      'nothing of the strong forms of altSecurityIdentities',
      {
        query: { type: 'certificate', filter: '(|(altSecurityIdentities={altsec})(a=X509:<I>CN=CA<SR>{sn:reversed}))' },
      },
      undefined,
    ],
    ...['X509:<S>{dn}', 'x509:<I>{issuer}<S>{dn}', 'X509:<RFC822>{email}'].map((form): (typeof rows)[number] => [
      `a weak form: ${form}`,
      { query: { type: 'certificate', filter: `(altSecurityIdentities=${form})` } },
      /^warning ldap\.queries\.q\.filter: asks for a weak form of altSecurityIdentities/,
    ]),
    [
      'a condition that does not parse',
      { query: { type: 'certificate', filter: '(uid={cn})', condition: '(uid=' } },
      /^error ldap\.queries\.q\.condition: /,
    ],
    [
      'a filter that is not closed',
      { query: { filter: '(&(uid={u})' } },
      /^error ldap\.queries\.q\.filter: this "\(" is never closed \(at character 1\)$/,
    ],
    [
      'the vendor’s NOT with three operands',
      { query: { allowance: '(&(uid={u})(!(caccn=*)(cacexempt=*)(cacemergency>={t})))' } },
      /^error ldap\.queries\.q\.allowance: NOT \(!\) needs exactly one filter and has 3/,
    ],
    [
      'a token of the other type',
      { query: { filter: '(&(uid={u})(cn={cn}))' } },
      /^error .*filter: \{cn\} is no token of a query of type smtpAuth \(at character 16\); there are \{u\} \{d\}/,
    ],
    [
      'a login token in a certificate query',
      { query: { type: 'certificate', filter: '(uid={u})' } },
      /^error .*\{u\} is no token/,
    ],
    [
      'a login filter that asks about nobody',
      { query: { filter: '(uid=alice)' } },
      /^warning ldap\.queries\.q\.filter: names no \{u\}/,
    ],
    [
      'an allowance that asks about nobody',
      { query: { allowance: '(cacexempt=*)' } },
      /^warning ldap\.queries\.q\.allowance: names no \{u\}/,
    ],
    [
      'a base that is no name',
      { server: { baseDn: 'example.com' } },
      /^error ldap\.servers\.corp\.baseDn: not a distinguished name/,
    ],
    [
      'the query’s own base',
      { query: { baseDn: 'example.com' } },
      /^error ldap\.queries\.q\.baseDn: not a distinguished name/,
    ],
    [
      'a fault in the LDIF file',
      { server: { ldif: 'd.ldif' }, ldif: 'dn: uid=a\nnonsense\n' },
      /^error ldap\.servers\.corp\.ldif: d\.ldif line 2: /,
    ],
    [
      'an empty LDIF file',
      { server: { ldif: 'd.ldif' }, ldif: '# nobody\n' },
      /^warning ldap\.servers\.corp\.ldif: d\.ldif has no entries/,
    ],
  ];
  for (const [title, given, expected] of rows) {
    test(title, () => {
      const found = faultsOf(given);
      assert.equal(found.length, expected === undefined ? 0 : 1, found.join('\n'));
      if (expected !== undefined) assert.match(found[0] ?? '', expected);
    });
  }
});
