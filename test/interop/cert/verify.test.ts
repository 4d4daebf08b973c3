/**
 * `cert verify`: the verdict of a profile on a certificate, with each check, each list and the directory's answer, as a
 * session would get it: of a file, and of a running gateway with slapd behind it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Gateway, PROGRAM, writeConfig } from '../../support/gateway.ts';
import { type BadKind, badKinds } from '../../support/pki.ts';
import { runProgram } from '../../support/program.ts';
import { Site, withListener } from '../../support/site.ts';
import { GATEWAY_ACCOUNT, Slapd } from '../../support/slapd.ts';

type Section = Record<string, unknown>;
type Run = { readonly code: number | null; readonly output: string };

let site: Site;
let config: string;
before(async () => {
  site = await Site.open();
  const listener = { port: 2525, profile: 'cac', policy: { tls: 'required' } };
  config = writeConfig(join(site.folder, 'sallyport.yaml'), withListener(site.base(), 'submission', listener));
});

const run = (file: string, ...args: readonly string[]): Promise<Run> =>
  runProgram(PROGRAM, ['cert', 'verify', file, ...args]);
const verify = (file: string, profile = 'cac', ...more: readonly string[]): Promise<Run> =>
  run(file, '--profile', profile, '--config', config, ...more);

const INSTANT = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;

test('a good card is accepted with path, every check, lists, query and owner', async () => {
  const { code, output } = await verify(site.pki.card('alice').certFile);
  assert.equal(code, 0, output);
  assert.match(output, /^Path 1, 3 certificates: valid by RFC 5280 §6\.1$/m);
  assert.match(output, /1\. CN=ADAMS\.ALICE\.A\.1000000001,O=Example, serial 1001 \(client\)\n +ok +signature: ECDSA/);
  for (const check of ['validity', 'key strength', 'critical extensions', 'extended key usage', 'key usage'])
    assert.match(output, new RegExp(`ok +${check}: `), check);
  assert.match(output, /ok +basic constraints: authority\n.*\n +ok +path length: no limit/);
  assert.match(output, /ok +policies: /);
  const times = `thisUpdate ${INSTANT}, nextUpdate ${INSTANT}`;
  assert.match(
    output,
    new RegExp(
      `list of source cac \\(CN=Test Card Issuing CA,O=Example\\): 1 entry, CRL number 1, ${times}: good, does not list it`,
    ),
  );
  assert.match(output, /Query: \(&\(caccn=ADAMS\.ALICE\.A\.1000000001\)\(cacserial=1001\)\) below dc=example,dc=test/);
  assert.match(output, /entries found: 1\n +uid=alice,ou=people,dc=example,dc=test/);
  assert.match(output, /^accepted: it belongs to alice\nrule: ldap\.queries\.cac-certificate$/m);
});

const BECAUSE: Readonly<Record<BadKind, RegExp>> = {
  expired: /FAILED validity: not valid after /,
  notYetValid: /FAILED validity: not valid before /,
  wrongPurpose: /FAILED extended key usage: extended key usage without clientAuth/,
  selfSigned: /FAILED signature: .* no certificate of .* verifies it/,
  untrusted: /FAILED signature: .* no certificate of CN=Another CA,O=Elsewhere verifies it/,
  forgedIssuer: /FAILED signature: .* no certificate of CN=Test Card Issuing CA,O=Example verifies it/,
  brokenChain: /FAILED signature: .* no certificate of CN=Lost CA,O=Example verifies it/,
  weakKey: /FAILED key strength: /,
  revoked: /: revoked, lists it: .*\n +FAILED revocation: revoked by CN=Test Card Issuing CA.* \(crl\.sources\.cac\)/,
  signedByLeaf: /FAILED signature: /,
};

test('every kind of bad card is not accepted: the check that failed is marked, and the rule is told', async () => {
  for (const kind of badKinds) {
    const { code, output } = await verify(site.pki.bad(kind).certFile);
    assert.equal(code, 1, `${kind}: ${output}`);
    assert.match(output, BECAUSE[kind], kind);
    assert.match(output, /^not accepted: client certificate .*\nrule: \S+/m);
  }
});

test('for a card that is not good the query is shown too, as one that a session does not send', async () => {
  const { output } = await verify(site.pki.bad('expired').certFile);
  assert.match(output, /^Directory, for information \(a session does not ask/m);
  assert.match(output, /Query: \(&\(caccn=ADAMS/);
});

test('no entry, several entries and several user ids are told with the query that decided', async () => {
  const cases = [
    ['bob', /entries found: 0/, /^not accepted: no entry/m],
    ['twins', /entries found: 2\n +uid=twin1.*\n +uid=twin2/, /^not accepted: several entries/m],
    ['nameless', /User ID \(uid\): none/, /^not accepted: /m],
    ['manyNames', /User ID \(uid\): many, names/, /^not accepted: /m],
  ] as const;
  for (const [person, found, verdict] of cases) {
    const { code, output } = await verify(site.pki.card(person).certFile);
    assert.equal(code, 1, person);
    assert.match(output, found, person);
    assert.match(output, verdict, person);
    assert.match(output, /^rule: ldap\.queries\.cac-certificate$/m, person);
  }
});

test('as JSON it says the same, for programs', async () => {
  const { code, output } = await verify(site.pki.card('frank').certFile, 'cac', '--json');
  assert.equal(code, 1);
  const { chains, verdict } = JSON.parse(output) as {
    chains: { valid: boolean; revocation: { verdict: string; rule: string; lists: { number: string }[] }[] }[];
    verdict: Record<string, string>;
  };
  const [leaf, authority] = chains[0]?.revocation ?? [];
  assert.deepEqual([leaf?.verdict, leaf?.rule, leaf?.lists[0]?.number], ['revoked', 'crl.sources.cac', '1']);
  assert.equal(authority?.verdict, 'good');
  assert.equal(verdict['outcome'], 'refused');
  assert.match(String(verdict['rule']), /^crl\.sources\.cac$/);
});

test('a profile that is not there, and a file without a gateway, end with 1 and say so', async () => {
  const { code, output } = await verify(site.pki.card('alice').certFile, 'password');
  assert.equal(code, 1);
  assert.match(output, /there is no profile password of type certificate/);
  const nobody = await run(site.pki.card('alice').certFile, '--profile', 'cac', '--data', site.copy());
  assert.equal(nobody.code, 1);
  assert.match(nobody.output, /no gateway is running on /);
});

/** The directory of the recipes, in slapd, with two people of one card. */
async function behindSlapd(): Promise<{ gateway: Gateway; slapd: Slapd }> {
  const slapd = await Slapd.start();
  const { gateway } = await site.startOne(
    { profile: 'cac', policy: { tls: 'required' } },
    (base) => {
      const ldap = base['ldap'] as { queries: Section };
      const { queries } = ldap;
      const corp = {
        hosts: [slapd.url],
        baseDn: 'dc=example,dc=test',
        bind: { dn: GATEWAY_ACCOUNT.dn, passwordFile: 'secrets/ldap' },
        cache: { ttl: '0s' },
      };
      const any = { ...(queries['cac-certificate'] as Section), filter: '(&(objectClass=cacUser)(!(cacserial={sn})))' };
      const profile = { type: 'certificate', query: 'any', trust: ['cac'] };
      return {
        ...base,
        ldap: { servers: { corp }, queries: { ...queries, any } },
        smtpAuthProfiles: { ...(base['smtpAuthProfiles'] as Section), everybody: profile },
      };
    },
    { store: true },
  );
  return { gateway, slapd };
}

test('of the running gateway: its configuration, its lists in force, and slapd behind it', async () => {
  const { gateway, slapd } = await behindSlapd();
  const ask = (person: 'alice' | 'bob' | 'frank', profile = 'cac', ...more: readonly string[]): Promise<Run> =>
    run(site.pki.card(person).certFile, '--profile', profile, '--data', gateway.data, ...more);
  const good = await ask('alice');
  assert.equal(good.code, 0, good.output);
  assert.match(good.output, /^Profile cac, revision 1, /);
  assert.match(good.output, /list of source cac .*: good, does not list it/);
  assert.match(good.output, /^accepted: it belongs to alice$/m);
  const revoked = await ask('frank');
  assert.equal(revoked.code, 1);
  assert.match(revoked.output, /^not accepted: client certificate revoked\nrule: crl\.sources\.cac$/m);
  assert.match((await ask('bob')).output, /entries found: 0\n(.*\n)*not accepted: no entry/);
  assert.match((await ask('alice', 'everybody')).output, /entries found: 2 and more\n(.*\n)*not accepted: several/);
  assert.match((await ask('alice', 'nowhere')).output, /there is no profile nowhere/);
  await slapd.stop();
  const away = await ask('alice');
  assert.equal(away.code, 1);
  assert.match(away.output, /^not accepted now: /m);
  await gateway.stop();
});

test('--candidate is the uncommitted configuration of the one who asks, with revocation lists of its own', async () => {
  const { gateway } = await site.startOne({ profile: 'cac', policy: { tls: 'required' } }, undefined, { store: true });
  const frank = site.pki.card('frank').certFile;
  const data = ['--profile', 'cac', '--data', gateway.data];
  const set = await runProgram(PROGRAM, ['config', 'set', 'crl.checkInbound', 'false', '--data', gateway.data]);
  assert.equal(set.code, 0, set.output);
  const candidate = await run(frank, ...data, '--candidate');
  assert.match(candidate.output, /^ +- +revocation: revocation is not checked \(crl\.checkInbound\)$/m);
  assert.match(candidate.output, /^Profile cac, revision 2, /);
  assert.match((await run(frank, ...data)).output, /^not accepted: client certificate revoked$/m);
  await gateway.stop();
});
