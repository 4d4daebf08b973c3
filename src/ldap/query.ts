/**
 * The two questions that are asked of a directory. Certificate query: whose certificate is this? SMTP AUTH query: does
 * this password belong to this login, and may its owner use one (allowance)? AsyncOS: LDAP queries, "Check with LDAP if
 * user is allowed to use SMTP AUTH Command". A `trace` sees every stage, so that `ldaptest` shows what a session does.
 * RFC 4513 §5.1 (bind), RFC 4511 §4.5. Pure but for the directory that is handed in.
 */
import type { MappingRule } from '../config/schema.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import type { AttributeValue, Directory, Entry, Found } from './directory.ts';
import { type Filter, renderFilter } from './filter.ts';
import { bindTemplate, type FilterTemplate } from './filter-template.ts';
import { checkStoredPassword } from './stored-password.ts';
import { loginTokens, type TokenLookup, withTime } from './tokens.ts';

/** `rule`: where a profile has mapping rules. */
type What = { readonly what: 'query' | 'allowance'; readonly rule?: MappingRule };

export type Stage =
  | (What & { readonly stage: 'not-asked'; readonly why: string })
  | (What & { readonly stage: 'filter'; readonly baseDn: string; readonly filter: string })
  | (What & { readonly stage: 'entries'; readonly answer: Answer<Found> })
  /** Whether an entry that was found holds the certificate. */
  | { readonly stage: 'compared'; readonly dn: string; readonly holds: boolean; readonly rule?: MappingRule }
  | { readonly stage: 'user-id'; readonly attribute: string; readonly values: readonly string[] }
  | {
      readonly stage: 'password';
      readonly method: 'bind' | 'passwordAttribute';
      readonly dn: string;
      readonly answer: Answer<true>;
    };

export type Trace = (stage: Stage) => void;

/** For people and other programs: which entries were found, not what they hold, which may be a password. */
export type ShownStage =
  | Exclude<Stage, { readonly stage: 'entries' }>
  | (What & {
      readonly stage: 'entries';
      readonly answer: Answer<{ readonly entries: readonly NameOnly[]; readonly more: boolean }>;
    });
type NameOnly = Omit<Entry, 'attributes'> & { readonly attributes: readonly never[] };

export function shownStage(stage: Stage): ShownStage {
  if (stage.stage !== 'entries') return stage;
  const { answer } = stage;
  if (answer.answer !== 'yes') return { ...stage, answer };
  const { entries, more } = answer.value;
  return { ...stage, answer: yes({ entries: entries.map(({ dn }) => ({ dn, attributes: [] })), more }) };
}

/** RFC 4511 §4.5.1.8: no attributes at all. */
const NO_ATTRIBUTES = ['1.1'];
const MAX_USER_ID_OCTETS = 1000;
const MAX_PASSWORD_OCTETS = 4096;

export type Question = {
  readonly directory: Directory;
  readonly baseDn: string;
  readonly trace?: Trace | undefined;
};

type Asked = Question & {
  readonly what: 'query' | 'allowance';
  readonly rule?: MappingRule;
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
};

/** One search, and its stages for those who watch. `unknown`: the directory cannot be asked. */
export async function ask(filter: Filter, asked: Asked): Promise<Answer<Found>> {
  const { directory, baseDn, what, rule, attributes, sizeLimit, trace } = asked;
  const shown = rule === undefined ? {} : { rule };
  trace?.({ stage: 'filter', what, baseDn, filter: renderFilter(filter), ...shown });
  const answer = await directory.search({ baseDn, filter, attributes, sizeLimit });
  trace?.({ stage: 'entries', what, answer, ...shown });
  return answer;
}

function onlyEntry({ entries, more }: Found): Answer<Entry> {
  const [entry, ...others] = entries;
  if (others.length > 0 || more) return no('several entries');
  return entry === undefined ? no('no entry') : yes(entry);
}

/** Nothing but the user id was asked for, so whatever came is it, under whichever of its names. */
export function userIds(attributes: Entry['attributes']): string[] {
  const usable = attributes.flatMap(({ values }) =>
    values.filter((value) => typeof value === 'string' && isUserId(value)),
  );
  return [...new Set(usable.map(String))];
}

/** Of a length and of characters that a log line and a mail header can carry. */
const isUserId = (text: string): boolean =>
  text.trim() !== '' && Buffer.byteLength(text) <= MAX_USER_ID_OCTETS && !/[\u0000-\u001f\u007f]/.test(text);

export type SmtpAuthQuery = Question & {
  readonly template: FilterTemplate;
  readonly method: 'bind' | 'passwordAttribute';
  readonly passwordAttribute: string;
  readonly allowance: FilterTemplate | undefined;
};

/**
 * In place of a password: take it as right. Only `trace` asks so, to say what would become of a user whose password nobody
 * but the user knows; a symbol, so that no value from a client can be it.
 */
export const PASSWORD_TAKEN_AS_RIGHT: unique symbol = Symbol('password taken as right');

export type Login = {
  readonly login: string;
  readonly password: string | typeof PASSWORD_TAKEN_AS_RIGHT;
  readonly nowMs: number;
  /** The listener's, for logins without a domain. */
  readonly defaultDomain: string | undefined;
  readonly askAllowance: boolean;
};

export type SmtpAuthAnswer =
  | { readonly kind: 'accepted'; readonly allowed: boolean }
  /** One answer to the client, whatever the reason is. */
  | { readonly kind: 'wrong'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string };

/**
 * Search, bind or password attribute, allowance, in this order (contract, "AUTH PLAIN/LOGIN against an LDAP
 * profile").
 */
export async function smtpAuthQuery(query: SmtpAuthQuery, login: Login): Promise<SmtpAuthAnswer> {
  const refusal = refuseLogin(login);
  if (refusal !== undefined) return { kind: 'wrong', why: refusal };
  const lookup = withTime(loginTokens(login.login, login.defaultDomain), login.nowMs);
  const found = await findLogin(query, lookup);
  if (found.answer !== 'yes') return refused(found);
  const password =
    login.password === PASSWORD_TAKEN_AS_RIGHT ? yes(true) : await checkPassword(query, found.value, login.password);
  if (password.answer !== 'yes') return refused(password);
  if (!login.askAllowance) return { kind: 'accepted', allowed: true };
  const allowance = await askAllowance(query, lookup);
  return allowance.answer === 'unknown'
    ? { kind: 'unavailable', why: allowance.why }
    : { kind: 'accepted', allowed: allowance.answer === 'yes' };
}

const refused = (answer: Exclude<Answer<unknown>, { answer: 'yes' }>): SmtpAuthAnswer =>
  answer.answer === 'no' ? { kind: 'wrong', why: answer.why } : { kind: 'unavailable', why: answer.why };

/** What no directory needs to be asked about. */
function refuseLogin({ login, password }: Login): string | undefined {
  // RFC 4513 §5.1.2: a bind with an empty password succeeds as anonymous.
  if (password === '') return 'empty password';
  if (login === '') return 'empty login';
  const secret = password === PASSWORD_TAKEN_AS_RIGHT ? '' : password;
  if (login.includes('\u0000') || secret.includes('\u0000')) return 'NUL in the login or the password';
  if (Buffer.byteLength(login) > MAX_USER_ID_OCTETS) return 'the login is too long';
  return Buffer.byteLength(secret) > MAX_PASSWORD_OCTETS ? 'the password is too long' : undefined;
}

async function findLogin(query: SmtpAuthQuery, lookup: TokenLookup): Promise<Answer<Entry>> {
  const bound = bindTemplate(query.template, lookup);
  if (!bound.ok) {
    query.trace?.({ stage: 'not-asked', what: 'query', why: bound.why });
    return no(`login: ${bound.why}`);
  }
  const attributes = query.method === 'bind' ? NO_ATTRIBUTES : [query.passwordAttribute];
  const found = await ask(bound.filter, { ...query, what: 'query', attributes, sizeLimit: 2 });
  return found.answer === 'yes' ? onlyEntry(found.value) : found;
}

async function checkPassword(query: SmtpAuthQuery, entry: Entry, password: string): Promise<Answer<true>> {
  const { method, directory } = query;
  const answer =
    method === 'bind'
      ? await directory.bind(entry.dn, password)
      : await compareStored(
          entry.attributes.flatMap(({ values }) => values),
          password,
        );
  query.trace?.({ stage: 'password', method, dn: entry.dn, answer });
  return answer;
}

async function compareStored(stored: readonly AttributeValue[], password: string): Promise<Answer<true>> {
  let why = stored.length === 0 ? 'the entry has no password' : 'wrong password';
  for (const each of stored) {
    const check = await checkStoredPassword(each, password);
    if (check.fits) return yes(true);
    if (check.unsupported !== undefined) why = `passwords in the form ${check.unsupported} cannot be checked here`;
  }
  return no(why);
}

/** Never kept: a permission that has ended must end now. */
async function askAllowance(query: SmtpAuthQuery, lookup: TokenLookup): Promise<Answer<true>> {
  if (query.allowance === undefined) return no('the query has no allowance');
  const bound = bindTemplate(query.allowance, lookup);
  if (!bound.ok) {
    query.trace?.({ stage: 'not-asked', what: 'allowance', why: bound.why });
    return no(bound.why);
  }
  const found = await ask(bound.filter, { ...query, what: 'allowance', attributes: NO_ATTRIBUTES, sizeLimit: 1 });
  if (found.answer !== 'yes') return found.answer === 'no' ? no(found.why) : unknown(found.why);
  return found.value.entries.length > 0 || found.value.more ? yes(true) : no('the allowance does not match');
}
