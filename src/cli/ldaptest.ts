/**
 * What `sallyport ldaptest` prints: each stage of a query as it happened, in the words of AsyncOS (ldaptest) where it has
 * words. Values from the directory are shown printable. Pure.
 */
import type { LdapQueryConfig } from '../config/schema.ts';
import { printable } from '../core/reply.ts';
import type { Answer } from '../core/verdict.ts';
import type { Found, HostTest } from '../ldap/directory.ts';
import type { SmtpAuthAnswer, Stage } from '../ldap/query.ts';

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

export const renderHost = ({ host, ok, why }: HostTest): string =>
  ok ? `Server ${printable(host)}: ${printable(why)}\n` : `Server ${printable(host)}: Error: ${printable(why)}\n`;

const WHAT = { query: 'Query', allowance: 'Allowance' } as const;

export function renderStage(stage: Stage): string {
  switch (stage.stage) {
    case 'not-asked':
      return `${WHAT[stage.what]}: not sent: ${printable(stage.why)}\n`;
    case 'filter':
      return `${WHAT[stage.what]}: ${printable(stage.filter)} below ${printable(stage.baseDn) || 'the root'}\n`;
    case 'entries':
      return renderEntries(WHAT[stage.what], stage.answer);
    case 'user-id':
      return `User ID (${stage.attribute}): ${stage.values.map(printable).join(', ') || 'none'}\n`;
    case 'password': {
      const how = stage.method === 'bind' ? 'BIND' : 'Password attribute';
      const { answer } = stage;
      if (answer.answer === 'unknown') return `${how} as ${printable(stage.dn)}: Error: ${printable(answer.why)}\n`;
      const match = answer.answer === 'yes' ? 'match positive' : `match negative (${printable(answer.why)})`;
      return `${how} as ${printable(stage.dn)}: ${match}\n`;
    }
  }
}

function renderEntries(what: string, answer: Answer<Found>): string {
  if (answer.answer !== 'yes') return `${what}: Error: ${printable(answer.why)}\n`;
  const { entries, more } = answer.value;
  const names = entries.map(({ dn }) => `    ${printable(dn)}\n`).join('');
  return `${what}: entries found: ${entries.length}${more ? ' and more' : ''}\n${names}`;
}

/** The last line, and the exit code: 0 for a match. */
export type Conclusion = { readonly text: string; readonly code: 0 | 1 };

export function concludeCertificate(answer: Answer<string>): Conclusion {
  switch (answer.answer) {
    case 'yes':
      return {
        text: `Success: Action: match positive: the certificate belongs to ${printable(answer.value)}\n`,
        code: 0,
      };
    case 'no':
      return { text: `Failure: Action: match negative: ${printable(answer.why)}\n`, code: 1 };
    case 'unknown':
      return { text: `Error: ${printable(answer.why)}\n`, code: 1 };
  }
}

export function concludeLogin(answer: SmtpAuthAnswer, allowanceAsked: boolean): Conclusion {
  switch (answer.kind) {
    case 'unavailable':
      return { text: `Error: ${printable(answer.why)}\n`, code: 1 };
    case 'wrong':
      return { text: `Failure: Action: match negative: ${printable(answer.why)}\n`, code: 1 };
    case 'accepted': {
      if (!answer.allowed) {
        const text =
          'Failure: Action: the password is right, but the allowance does not match: not allowed to use SMTP AUTH\n';
        return { text, code: 1 };
      }
      const allowed = allowanceAsked ? ', allowed to use SMTP AUTH' : '';
      return { text: `Success: Action: match positive${allowed}\n`, code: 0 };
    }
  }
}
