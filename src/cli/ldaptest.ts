/**
 * What `sallyport ldaptest` prints: each stage of a query as it happened, in the words of AsyncOS (ldaptest) where it has
 * words. Values from the directory are shown printable. Pure.
 */
import type { MappingRule } from '../config/schema.ts';
import { printable } from '../core/reply.ts';
import type { Answer } from '../core/verdict.ts';
import type { DirectoryTest } from '../explain/directory-test.io.ts';
import type { Found, HostTest } from '../ldap/directory.ts';
import type { SmtpAuthAnswer, Stage } from '../ldap/query.ts';

export const renderStaticMap = (profile: string, answer: Answer<{ readonly by: string }>): string =>
  `Profile ${profile}: ${answer.answer === 'yes' ? `static map: match positive (${answer.value.by})` : answer.why}\n`;

export const renderHost = ({ host, ok, why }: HostTest): string =>
  ok ? `Server ${printable(host)}: ${printable(why)}\n` : `Server ${printable(host)}: Error: ${printable(why)}\n`;

const WHAT = { query: 'Query', allowance: 'Allowance' } as const;

type Named = { readonly what: keyof typeof WHAT; readonly rule?: MappingRule };

const nameOf = ({ what, rule }: Named): string => (rule === undefined ? WHAT[what] : `${WHAT[what]} (${rule})`);

/** A whole certificate in a filter would fill the screen. */
const shortened = (filter: string): string =>
  filter.replace(/(?:\\[0-9a-f]{2}){64,}/g, (octets) => `${octets.slice(0, 48)}... (${octets.length / 3} octets)`);

export function renderStage(stage: Stage): string {
  switch (stage.stage) {
    case 'not-asked':
      return `${nameOf(stage)}: not sent: ${printable(stage.why)}\n`;
    case 'filter':
      return `${nameOf(stage)}: ${shortened(printable(stage.filter))} below ${printable(stage.baseDn) || 'the root'}\n`;
    case 'entries':
      return renderEntries(nameOf(stage), stage.answer);
    case 'compared': {
      const match = stage.holds ? 'holds this certificate' : 'does not hold this certificate';
      return `${nameOf({ what: 'query', ...stage })}: ${printable(stage.dn)} ${match}\n`;
    }
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

export function concludeCertificate(answer: Answer<{ readonly user: string; readonly by: string }>): Conclusion {
  switch (answer.answer) {
    case 'yes':
      return {
        text: `Success: Action: match positive: the certificate belongs to ${printable(answer.value.user)}\n`,
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

/** Everything of a test in the order in which it happened. */
export function renderDirectoryTest(test: DirectoryTest): Conclusion {
  const { staticMap, query, stages, answer } = test;
  const conclusion =
    answer.of === 'certificate'
      ? concludeCertificate(answer.owner)
      : concludeLogin(answer.login, answer.allowanceAsked);
  const text = [
    ...(staticMap === undefined ? [] : [renderStaticMap(staticMap.profile, staticMap.answer)]),
    ...(query === undefined
      ? []
      : [`LDAP query ${query.name} (${query.type}) on server ${query.server}\n`, ...query.hosts.map(renderHost)]),
    ...stages.map(renderStage),
    conclusion.text,
  ];
  return { text: text.join(''), code: conclusion.code };
}
