import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MappingRule } from '../config/schema.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import { type CertificateQuery, certificateQuery, type Owner, ruleFilters } from './certificate-query.ts';
import type { Directory, Entry, Found } from './directory.ts';
import { embeddedDirectory } from './embedded-directory.ts';
import { renderFilter } from './filter.ts';
import { parseTemplate } from './filter-template.ts';
import { parseLdif } from './ldif.ts';
import type { Stage } from './query.ts';

const DER = Buffer.from([0x30, 0x82, 0x01, 0xff, 0x00, 0x2a]);
const OTHER = Buffer.from([0x30, 0x82, 0x01, 0xff, 0x00, 0x2b]);
const ISSUER_AND_SERIAL = 'X509:<I>DC=com,CN=CA<SR>0110';
const LDIF = `dn: cn=Odd,dc=x
cn: Odd
uid:: YQBi
uid:
uid: odd

dn: cn=Alice,dc=x
cn: Alice
uid: alice
employeeType: staff
altSecurityIdentities: x509:<I>dc=com,cn=ca<SR>0110
altSecurityIdentities: X509:<SKI>A1B2
userCertificate:: ${OTHER.toString('base64')}
userCertificate;binary:: ${DER.toString('base64')}

dn: cn=Bob,dc=x
cn: Bob
uid: bob
altSecurityIdentities: X509:<SHA1-PUKEY>CC
objectSid: S-1-5-21-1-2-3-1105
userCertificate;binary:: ${OTHER.toString('base64')}
`;
const embedded = embeddedDirectory(parseLdif(LDIF).entries, 'x.ldif');

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  cn: ['Alice'],
  'altsec:issuerAndSerial': [ISSUER_AND_SERIAL],
  'altsec:ski': ['X509:<SKI>A1B2'],
  'sn:dec': ['4097'],
  issuer: ['CN="Quoted" CA,DC=com'],
};

type More = Partial<Omit<CertificateQuery, 'template' | 'condition'>> & {
  readonly filter?: string;
  readonly condition?: string;
  readonly fields?: Readonly<Record<string, readonly string[]>>;
};

function question({ filter, condition, fields = FIELDS, ...more }: More) {
  const query: CertificateQuery = {
    directory: embedded,
    baseDn: 'dc=x',
    userIdAttribute: 'uid',
    compareCertificate: false,
    rules: ['filter'],
    template: filter === undefined ? undefined : parseTemplate(filter),
    condition: condition === undefined ? undefined : parseTemplate(condition),
    ...more,
  };
  const subject = { token: (token: string) => fields[token], der: DER };
  return { query, filters: ruleFilters(query, subject, Date.UTC(2026, 10, 22, 1, 30)) };
}

async function owner(more: More): Promise<Answer<Owner>> {
  const { query, filters } = question(more);
  return certificateQuery(query, filters, DER);
}

/** Answers every search with this. */
const answering = (answer: Answer<Found>): Directory => ({ ...embedded, search: async () => answer });

describe('the filter of the query', () => {
  test('a field that the certificate does not have is no', async () => {
    assert.deepEqual(await owner({ filter: '(uid={edipi})' }), no('certificate: there is no {edipi}'));
  });
  test('user ids that no log could show do not count', async () => {
    const expected = yes({ user: 'odd', dn: 'cn=Odd,dc=x', rules: ['filter'] });
    assert.deepEqual(await owner({ filter: '(cn=Odd)' }), expected);
  });
  test('the user id counts under whichever name the directory gives it', async () => {
    const entries = [{ dn: 'cn=a', attributes: [{ description: 'UserID;x-y', values: ['alice'] }] }];
    const directory = answering(yes({ entries, more: false }));
    const expected = yes({ user: 'alice', dn: 'cn=a', rules: ['filter'] });
    assert.deepEqual(await owner({ directory, filter: '(cn=a)' }), expected);
  });
  test('a directory without an answer is unknown', async () => {
    assert.deepEqual(await owner({ directory: answering(unknown('down')), filter: '(cn=a)' }), unknown('down'));
  });
});

describe('mapping rules', () => {
  const filterOf = (rule: MappingRule, more: More = {}): string => {
    const [first] = question({ ...more, rules: [rule] }).filters;
    return first?.filter.answer === 'yes' ? renderFilter(first.filter.value) : (first?.filter.why ?? '');
  };
  const rows: readonly [rule: MappingRule, fields: Record<string, string[]>, filter: string][] = [
    ['issuerAndSerial', {}, '(altSecurityIdentities=X509:<I>DC=com,CN=CA<SR>0110)'],
    ['ski', {}, '(altSecurityIdentities=X509:<SKI>A1B2)'],
    ['sha1PublicKey', { 'altsec:sha1PublicKey': ['A', 'B'] }, '(|(altSecurityIdentities=A)(altSecurityIdentities=B))'],
    ['sid', { sid: ['S-1-5-21-1-2-3-1105'] }, '(objectSid=S-1-5-21-1-2-3-1105)'],
    [
      'userCertificate',
      FIELDS as Record<string, string[]>,
      '(|(userCertificate={ serialNumber 4097, issuer rdnSequence:"CN=""Quoted"" CA,DC=com" })(userCertificate=\\30\\82\\01\\ff\\00\\2a))',
    ],
  ];
  for (const [rule, fields, filter] of rows) {
    test(`${rule} asks ${filter.slice(0, 60)}`, () =>
      assert.equal(filterOf(rule, Object.keys(fields).length > 0 ? { fields } : {}), filter));
  }

  test('each finds the entry that has what it asks for', async () => {
    const alice = (rule: MappingRule) => yes({ user: 'alice', dn: 'cn=Alice,dc=x', rules: [rule] });
    for (const rule of ['issuerAndSerial', 'ski', 'userCertificate'] as const)
      assert.deepEqual(await owner({ rules: [rule] }), alice(rule));
    const fields = {
      'altsec:sha1PublicKey': ['X509:<SHA1-PUKEY>AA', 'X509:<SHA1-PUKEY>CC'],
      sid: ['S-1-5-21-1-2-3-1105'],
    };
    for (const rule of ['sha1PublicKey', 'sid'] as const)
      assert.deepEqual(await owner({ rules: [rule], fields }), yes({ user: 'bob', dn: 'cn=Bob,dc=x', rules: [rule] }));
  });
  test('several that find the same entry are all named', async () => {
    const found = await owner({ rules: ['ski', 'userCertificate', 'filter'], filter: '(uid=alice)' });
    assert.deepEqual(found.answer === 'yes' && found.value.rules, ['ski', 'userCertificate', 'filter']);
  });
  test('one that finds nothing leaves it to the others', async () => {
    const found = await owner({ rules: ['sid', 'filter', 'ski'], filter: '(uid=nobody)' });
    assert.deepEqual(found.answer === 'yes' && found.value.rules, ['ski']);
  });
  test('two that find different entries find nobody', async () => {
    assert.deepEqual(await owner({ rules: ['ski', 'filter'], filter: '(uid=bob)' }), no('several entries'));
  });
  test('an entry is the same however the directory writes its name', async () => {
    let spelling = 0;
    const attributes = [{ description: 'uid', values: ['alice'] }];
    const directory: Directory = {
      ...embedded,
      search: async () =>
        yes({ entries: [{ dn: ['CN=Alice, DC=x', 'cn=alice,dc=X'][spelling++] ?? '', attributes }], more: false }),
    };
    assert.equal((await owner({ directory, rules: ['ski', 'issuerAndSerial'] })).answer, 'yes');
  });
  test('one without an answer leaves the question open, whatever the others found', async () => {
    const directory: Directory = {
      ...embedded,
      search: async (search) =>
        renderFilter(search.filter).includes('SKI') ? unknown('slow') : embedded.search(search),
    };
    assert.deepEqual(await owner({ directory, rules: ['issuerAndSerial', 'ski'] }), unknown('slow'));
    const several = { directory, rules: ['filter', 'ski'], filter: '(cn=*)' } as const;
    assert.deepEqual(await owner(several), unknown('slow'));
  });
  test('what no rule can ask is said rule by rule', async () => {
    const why =
      'no mapping rule can be asked: ski: certificate: there is no {altsec:ski}; sid: certificate: there is no {sid}';
    assert.deepEqual(await owner({ rules: ['ski', 'sid'], fields: {} }), no(why));
  });
});

describe('the condition of the query', () => {
  test('holds for whichever rule finds the entry', async () => {
    const rules = ['ski', 'userCertificate'] as const;
    assert.equal((await owner({ rules, condition: '(employeeType=staff)' })).answer, 'yes');
    assert.deepEqual(await owner({ rules, condition: '(employeeType=guest)' }), no('no entry'));
  });
  test('may ask for the time and for fields', async () => {
    const { filters } = question({ rules: ['ski'], condition: '(&(accountExpires>={t:filetime})(cn={cn}))' });
    const [first] = filters;
    assert.equal(
      first?.filter.answer === 'yes' && renderFilter(first.filter.value),
      '(&(altSecurityIdentities=X509:<SKI>A1B2)(&(accountExpires>=134397846000000000)(cn=Alice)))',
    );
    const answer = await owner({ rules: ['ski'], condition: '(cn={edipi})' });
    assert.deepEqual(answer, no('certificate: there is no {edipi}'));
  });
});

describe('comparing certificates', () => {
  test('an entry that holds another certificate of the same name and number is not the owner', async () => {
    const bob: Entry = {
      dn: 'cn=Bob,dc=x',
      attributes: [
        { description: 'uid', values: ['bob'] },
        { description: 'userCertificate;binary', values: [OTHER] },
      ],
    };
    const directory = answering(yes({ entries: [bob], more: false }));
    assert.deepEqual(await owner({ directory, rules: ['userCertificate'] }), no('no entry'));
  });
  test('compareCertificate wants it of every rule', async () => {
    const compareCertificate = true;
    assert.equal((await owner({ compareCertificate, filter: '(uid=alice)' })).answer, 'yes');
    assert.deepEqual(await owner({ compareCertificate, filter: '(uid=bob)' }), no('no entry'));
    const among = await owner({ compareCertificate, filter: '(|(uid=alice)(uid=bob))' });
    assert.equal(among.answer === 'yes' && among.value.user, 'alice');
  });
  test('more candidates than can be compared are several', async () => {
    const entries = Array.from({ length: 16 }, (_, i): Entry => ({ dn: `cn=${i}`, attributes: [] }));
    const directory = answering(yes({ entries, more: true }));
    assert.deepEqual(await owner({ directory, rules: ['userCertificate'] }), no('several entries'));
  });
  test('is traced, with the rule', async () => {
    const stages: Stage[] = [];
    await owner({ rules: ['ski', 'userCertificate'], trace: (stage) => stages.push(stage) });
    assert.deepEqual(
      stages.map((each) => `${each.stage} ${'rule' in each ? each.rule : ''}`),
      [
        'filter ski',
        'entries ski',
        'filter userCertificate',
        'entries userCertificate',
        'compared userCertificate',
        'user-id ',
      ],
    );
  });
});
