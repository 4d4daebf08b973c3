/**
 * `ldaptest`: the directory is asked exactly what a session would ask, of a login or of a certificate, and every stage is
 * told. AsyncOS: ldaptest. Effects: the directory.
 */
import { certificateLookup } from './certificate-lookup.ts';
import type { CertificateProfileConfig, LdapQueryConfig, Revision, SmtpAuthProfileConfig } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { type Answer, no, yes } from '../core/verdict.ts';
import type { HostTest } from '../ldap/directory.ts';
import { type AskOwner, type CertificateMapping, type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import { PASSWORD_TAKEN_AS_RIGHT, type ShownStage, shownStage, type SmtpAuthAnswer } from '../ldap/query.ts';
import { SILENT } from '../log/silent.ts';

/** A user, or a certificate (PEM or DER). */
export type DirectoryQuestion = {
  readonly query?: string | undefined;
  readonly profile?: string | undefined;
} & ({ readonly user: string; readonly password: string | undefined } | { readonly certificate: Uint8Array });

export type DirectoryTest = {
  readonly revision: number;
  /** What the profile's static map says, where it has one. */
  readonly staticMap?: { readonly profile: string; readonly answer: Answer<{ readonly by: string }> };
  /** Undefined where the static map decided. */
  readonly query?: {
    readonly name: string;
    readonly type: LdapQueryConfig['type'];
    readonly server: string;
    readonly hosts: readonly HostTest[];
  };
  readonly stages: readonly ShownStage[];
  readonly answer:
    | { readonly of: 'certificate'; readonly owner: Answer<{ readonly user: string; readonly by: string }> }
    | { readonly of: 'login'; readonly login: SmtpAuthAnswer; readonly allowanceAsked: boolean };
};

type Testing = {
  readonly revision: Revision;
  readonly queries: LdapQueries;
  readonly clock: Clock;
  readonly stages: ShownStage[];
};

/** `no`: the question does not fit the configuration. */
export async function testDirectory(
  revision: Revision,
  question: DirectoryQuestion,
  clock: Clock,
): Promise<Answer<DirectoryTest>> {
  const queries = openQueries(revision.config, revision.material, { clock, log: SILENT, receiveThreads: 1 });
  try {
    const testing = { revision, queries, clock, stages: [] };
    return 'user' in question ? await testLogin(testing, question) : await testCertificate(testing, question);
  } finally {
    queries.close();
  }
}

async function testLogin(
  { revision, queries, clock, stages }: Testing,
  { user, password, query }: Extract<DirectoryQuestion, { readonly user: string }>,
): Promise<Answer<DirectoryTest>> {
  const { config } = revision;
  const chosen = chooseQuery(config.ldap.queries, 'smtpAuth', query);
  if (chosen.answer !== 'yes') return chosen;
  const name = chosen.value;
  const asked = await describeQuery({ revision, queries }, name);
  const allowanceAsked = config.ldap.queries[name]?.allowance !== undefined;
  const defaultDomain = Object.values(config.listeners).find((each) => each.defaultDomain !== undefined)?.defaultDomain;
  const login = await queries.smtpAuth(name, (stage) => stages.push(shownStage(stage)))({
    login: user,
    password: password ?? PASSWORD_TAKEN_AS_RIGHT,
    nowMs: clock.now(),
    defaultDomain,
    askAllowance: allowanceAsked,
  });
  return yes({ revision: revision.number, query: asked, stages, answer: { of: 'login', login, allowanceAsked } });
}

async function testCertificate(
  testing: Testing,
  { certificate, ...chosen }: Extract<DirectoryQuestion, { readonly certificate: Uint8Array }>,
): Promise<Answer<DirectoryTest>> {
  const told: Told = {};
  const question = ownerQuestion(testing, chosen, told);
  if (question.answer !== 'yes') return question;
  const found = certificateLookup(certificate);
  if (!found.ok) return no(found.why);
  const owner = await found.owner(question.value, testing.clock.now());
  return yes({
    revision: testing.revision.number,
    ...told,
    stages: testing.stages,
    answer: { of: 'certificate', owner },
  });
}

type Told = { staticMap?: NonNullable<DirectoryTest['staticMap']>; query?: NonNullable<DirectoryTest['query']> };
type OwnerQuestion = Parameters<Extract<ReturnType<typeof certificateLookup>, { ok: true }>['owner']>[0];

/** As the profile asks, or as the query alone does. */
function ownerQuestion(
  testing: Testing,
  { query, profile }: Pick<DirectoryQuestion, 'query' | 'profile'>,
  told: Told,
): Answer<OwnerQuestion> {
  const { revision, queries, stages } = testing;
  const { config } = revision;
  const meant = query === undefined ? chooseProfile(config.smtpAuthProfiles, profile) : yes(undefined);
  if (meant.answer !== 'yes') return meant;
  const askQuery = (name: string, mapping?: CertificateMapping): AskOwner => {
    const ask = queries.certificate(name, mapping, (stage) => stages.push(shownStage(stage)));
    return async (...question) => {
      told.query = await describeQuery(testing, name);
      return ask(...question);
    };
  };
  if (meant.value === undefined) {
    const chosen = chooseQuery(config.ldap.queries, 'certificate', query);
    if (chosen.answer !== 'yes') return chosen;
    return yes({ profile: '', config: { query: chosen.value, staticMap: undefined }, ask: askQuery(chosen.value) });
  }
  const { name, config: owned } = meant.value;
  const { mapping: rules, compareCertificate } = owned;
  return yes({
    profile: name,
    config: owned,
    ask: owned.query === undefined ? undefined : askQuery(owned.query, { rules, compareCertificate }),
    onStaticMap: (answer) => {
      told.staticMap = { profile: name, answer };
    },
  });
}

/** With every host of its server connected to as a search would. */
async function describeQuery({ revision, queries }: Pick<Testing, 'revision' | 'queries'>, name: string) {
  const query = revision.config.ldap.queries[name];
  if (query === undefined) throw new Error(`there is no query ${name}`);
  const { type, server } = query;
  return { name, type, server, hosts: await queries.directory(name).test() };
}

type Queries = Readonly<Record<string, LdapQueryConfig>>;

/** The query that is meant: the one named, or the only one of the type. */
export function chooseQuery(
  queries: Queries,
  type: LdapQueryConfig['type'],
  named: string | undefined,
): Answer<string> {
  const names = Object.keys(queries).filter((name) => queries[name]?.type === type);
  if (named === undefined) {
    const [only, ...others] = names;
    if (only === undefined) return { answer: 'no', why: `the configuration has no query of type ${type}` };
    if (others.length === 0) return { answer: 'yes', value: only };
    return {
      answer: 'no',
      why: `there are several queries of type ${type}; choose one with --query: ${names.join(', ')}`,
    };
  }
  if (names.includes(named)) return { answer: 'yes', value: named };
  const why = Object.hasOwn(queries, named)
    ? `the query ${named} is not of type ${type}`
    : `there is no query ${named}`;
  return { answer: 'no', why: names.length === 0 ? why : `${why}; of type ${type}: ${names.join(', ')}` };
}

type Profiles = Readonly<Record<string, SmtpAuthProfileConfig>>;
type CertificateProfile = { readonly name: string; readonly config: CertificateProfileConfig };

/**
 * The certificate profile that is meant: the one named, or any where all find owners in the same way. None at all is
 * no fault: then a query is asked as a profile without mapping rules would ask it.
 */
export function chooseProfile(profiles: Profiles, named: string | undefined): Answer<CertificateProfile | undefined> {
  const found = Object.entries(profiles).flatMap(([name, config]) =>
    config.type === 'certificate' ? [{ name, config }] : [],
  );
  const names = found.map(({ name }) => name).join(', ');
  if (named !== undefined) {
    const profile = found.find(({ name }) => name === named);
    if (profile !== undefined) return { answer: 'yes', value: profile };
    const why = Object.hasOwn(profiles, named)
      ? `the profile ${named} is not of type certificate`
      : `there is no profile ${named}`;
    return { answer: 'no', why: names === '' ? why : `${why}; of type certificate: ${names}` };
  }
  if (new Set(found.map(({ config }) => howOwnersAreFound(config))).size > 1) {
    return { answer: 'no', why: `there are several certificate profiles; choose one with --profile: ${names}` };
  }
  return { answer: 'yes', value: found[0] };
}

const howOwnersAreFound = ({ query, mapping, compareCertificate, staticMap }: CertificateProfileConfig): string =>
  JSON.stringify([query, mapping, compareCertificate, staticMap]);
