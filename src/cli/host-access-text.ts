/**
 * The host access table as text, in AsyncOS's format: what HOSTACCESS > EXPORT writes and IMPORT reads, so that a table can
 * come over from an AsyncOS machine. Keywords of policies that this gateway has no key for are named, not lost silently.
 * Pure.
 */
import { isMapping, type Json, type Mapping } from '../config/document.ts';
import { parseSizeBytes } from '../core/duration.ts';
import { shown } from './form.ts';
import { senderGroups } from './listener-summary.ts';

export type HostAccess = {
  readonly groups: readonly Mapping[];
  readonly policies: Readonly<Record<string, Mapping>>;
  /** Keywords without a key here. */
  readonly unknown: readonly string[];
};
export type Parsed = ({ readonly ok: true } & HostAccess) | { readonly ok: false; readonly why: string };

const KEYWORDS: Readonly<Record<string, string>> = {
  tls: 'tls',
  verify_client_certificate: 'verifyClientCertificate',
  smtp_auth: 'smtpAuth',
  require_tls_to_offer_smtp_auth: 'requireTlsToOfferSmtpAuth',
  max_concurrency: 'maxConnectionsPerAddress',
  max_msgs_per_session: 'maxMessagesPerConnection',
  max_rcpts_per_msg: 'maxRecipientsPerMessage',
  max_message_size: 'maxMessageSize',
};
const BEHAVIORS: Readonly<Record<string, string>> = {
  ACCEPT: 'accept',
  RELAY: 'relay',
  REJECT: 'reject',
  TCPREFUSE: 'tcpRefuse',
  CONTINUE: 'continue',
};
/** The policy that stands for a bare rule. */
const BARE: Readonly<Record<string, string>> = {
  ACCEPT: 'ACCEPTED',
  RELAY: 'RELAYED',
  REJECT: 'BLOCKED',
  TCPREFUSE: 'TCPREFUSE',
  CONTINUE: 'CONTINUE',
};
const WORDS: Readonly<Record<string, string>> = {
  on: 'preferred',
  require: 'required',
  preferred: 'preferred',
  required: 'required',
  off: 'off',
};
const RULE = /^(\$[A-Za-z0-9_.-]+|ACCEPT|RELAY|REJECT|TCPREFUSE|CONTINUE)\b\s*(?:\{([^}]*)\})?\s*(?:\(.*\))?$/;

export function hostAccessText(document: Json, listener: Mapping): string {
  const policies = isMapping(document) && isMapping(document['mailFlowPolicies']) ? document['mailFlowPolicies'] : {};
  const used = new Set(senderGroups(listener).map(({ policy }) => policy));
  const lines = ['# Host access table, written by sallyport listenerconfig'];
  for (const [name, policy] of Object.entries(policies))
    if (isMapping(policy) && used.has(name)) lines.push(`$${name}`, `    ${policyText(policy)}`);
  for (const { senderGroup = '', senders = [], policy = '' } of senderGroups(listener)) {
    const members = Array.isArray(senders) ? senders.map(shown) : [];
    lines.push(senderGroup === 'ALL' ? 'ALL' : `${shown(senderGroup)}:`);
    lines.push(...members.map((member) => `    ${member}`), `    $${shown(policy)}`);
  }
  return `${lines.join('\n')}\n`;
}

function policyText(policy: Mapping): string {
  const { behavior = 'accept' } = policy;
  const rule = Object.entries(BEHAVIORS).find(([, word]) => word === behavior)?.[0] ?? 'ACCEPT';
  const values = Object.entries(KEYWORDS).flatMap(([keyword, key]) => {
    const value = policy[key];
    return value === undefined
      ? []
      : [`${keyword} = ${typeof value === 'number' ? value : JSON.stringify(shown(value))}`];
  });
  return values.length === 0 ? rule : `${rule} { ${values.join(' ')} }`;
}

type Reading = { groups: Mapping[]; policies: Record<string, Mapping>; unknown: Set<string> };
type Entry = { readonly header: string; readonly line: number; readonly body: readonly string[] };

export function parseHostAccess(text: string): Parsed {
  const reading: Reading = { groups: [], policies: {}, unknown: new Set() };
  for (const entry of entriesOf(text)) {
    const why = entry.header.startsWith('$') ? readPolicy(entry, reading) : readGroup(entry, reading);
    if (why !== undefined) return { ok: false, why: `line ${entry.line}: ${why}` };
  }
  if (reading.groups.length === 0) return { ok: false, why: 'there is no sender group' };
  return { ok: true, groups: reading.groups, policies: reading.policies, unknown: [...reading.unknown] };
}

/** A line at the margin begins an entry; what is between braces is one line. */
function entriesOf(text: string): Entry[] {
  const found: { header: string; line: number; body: string[] }[] = [];
  const kept = text.split('\n').map((line) => (line.trimStart().startsWith('#') ? '' : line.trimEnd()));
  for (let i = 0; i < kept.length; i++) {
    let row = kept[i] ?? '';
    const line = i + 1;
    while (row.includes('{') && !row.includes('}') && i + 1 < kept.length) row += ` ${(kept[++i] ?? '').trim()}`;
    if (row.trim() === '') continue;
    if (/^\s/.test(row)) found.at(-1)?.body.push(row.trim());
    else {
      // `.spam.example REJECT` is an entry of one line.
      const [, header = row, rule] = /^(\S+)\s+(\S.*)$/.exec(row) ?? [];
      found.push({ header, line, body: rule === undefined ? [] : [rule] });
    }
  }
  return found;
}

function readPolicy({ header, body }: Entry, reading: Reading): string | undefined {
  const [, rule = '', values] = RULE.exec(body.join(' ')) ?? [];
  const behavior = BEHAVIORS[rule];
  if (behavior === undefined)
    return `${header}: a policy is ACCEPT, RELAY, REJECT, TCPREFUSE or CONTINUE, with { keyword = value } behind it`;
  reading.policies[header.slice(1)] = { behavior, ...valuesOf(values ?? '', reading) };
  return undefined;
}

function valuesOf(text: string, { unknown }: Reading): Mapping {
  const values: Record<string, Json> = {};
  for (const [, keyword = '', quoted, plain] of text.matchAll(/([a-z_]+)\s*=\s*(?:"([^"]*)"|(\S+))/g)) {
    const key = Object.hasOwn(KEYWORDS, keyword) ? KEYWORDS[keyword] : undefined;
    if (key === undefined) unknown.add(keyword);
    else values[key] = valueOf(key, quoted ?? plain ?? '');
  }
  return values;
}

function valueOf(key: string, text: string): Json {
  if (key === 'tls' || key === 'smtpAuth') return WORDS[text] ?? text;
  if (key === 'verifyClientCertificate' || key === 'requireTlsToOfferSmtpAuth') return text === 'on' || text === 'true';
  if (key === 'maxMessageSize') return parseSizeBytes(text) ?? text;
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function readGroup({ header, line, body }: Entry, reading: Reading): string | undefined {
  const last = body.at(-1) ?? '';
  const [, rule = '', values] = RULE.exec(last) ?? [];
  if (rule === '') return `${header}: the last line of an entry is its policy, such as $RELAYED, or a rule`;
  const policy = rule.startsWith('$') ? rule.slice(1) : (BARE[rule] ?? rule);
  // These two rules have no policy that is built in.
  if (policy === 'TCPREFUSE' || policy === 'CONTINUE')
    reading.policies[policy] ??= { behavior: BEHAVIORS[rule] ?? 'reject' };
  if (header === 'ALL') {
    if (values !== undefined) reading.policies['default'] = valuesOf(values, reading);
    reading.groups.push({ senderGroup: 'ALL', policy });
    return undefined;
  }
  const grouped = header.endsWith(':');
  const senders = grouped ? body.slice(0, -1) : [header];
  reading.groups.push({ senderGroup: grouped ? header.slice(0, -1) : `LINE_${line}`, senders, policy });
  return undefined;
}
