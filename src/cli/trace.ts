/**
 * What `sallyport trace` prints: each stage of the session with the rule that decided, the directory's stages, the route
 * of each recipient, and the outcome. AsyncOS: trace. Pure.
 */
import { printable, renderReply, type Reply } from '../core/reply.ts';
import type { TraceReport } from '../explain/trace.io.ts';
import { renderStage } from './ldaptest.ts';

const MARK = { passed: 'ok      ', refused: 'refused ', deferred: 'deferred' } as const;
const CONCLUSION = {
  accepted: 'the mail is accepted',
  refused: 'the mail is refused',
  deferred: 'the client is told to try again later',
} as const;

/** 0 accepted, 1 refused, 3 deferred; 2 is wrong usage, as for every command. */
export const TRACE_EXIT_CODE = { accepted: 0, refused: 1, deferred: 3 } as const;

export function renderTrace(report: TraceReport): string {
  const { stages, ldap, routes, outcome, decisive, user, revision, hostname, noHostname } = report;
  const name =
    hostname !== undefined
      ? [`Name of the client: ${printable(hostname)}`]
      : noHostname !== undefined
        ? [`Name of the client: none (${printable(noHostname)})`]
        : [];
  const lines = stages.flatMap(({ stage, outcome: mark, rule, says, reply }) => [
    `${MARK[mark]} ${stage}: ${printable(says)}`,
    `         rule: ${printable(rule)}`,
    ...(reply === undefined ? [] : [`         reply: ${onOneLine(reply)}`]),
  ]);
  const asked = ldap.length === 0 ? [] : ['Directory:', ...ldap.flatMap((each) => indented(renderStage(each)))];
  const ways =
    outcome === 'refused'
      ? []
      : routes.map(({ recipient, rule, to }) => `Route of <${printable(recipient)}>: ${to} (${rule})`);
  const who = user === undefined ? 'without an identity' : `as ${printable(user)}`;
  const decided =
    decisive === undefined
      ? []
      : [`Decided by ${decisive.stage}: ${printable(decisive.says)} (${printable(decisive.rule)})`];
  return `${[...name, ...lines, ...asked, ...ways, ...decided, `Outcome under revision ${revision}: ${CONCLUSION[outcome]}, ${who}`].join('\n')}\n`;
}

export const onOneLine = (reply: Reply): string => renderReply(reply).trimEnd().replaceAll('\r\n', ' / ');

const indented = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
