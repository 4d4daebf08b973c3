/**
 * The certificate query: which entry of the directory does a certificate belong to? Asked by the query's filter
 * (AsyncOS), or by mapping rules. All rules of a profile are asked together; together they must find exactly one entry,
 * and one rule without an answer leaves the question open, because it might have found another entry.
 * MS-PKCA §3.1.5.2.1.3 (altSecurityIdentities), RFC 4523 §2.5, §4.1 (userCertificate). Pure but for the directory that
 * is handed in.
 */
import type { MappingRule } from '../config/schema.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import type { AttributeValue, Entry, Found } from './directory.ts';
import { dnText, parseDn } from './distinguished-name.ts';
import type { Filter } from './filter.ts';
import { bindTemplate, type FilterTemplate, parseTemplate } from './filter-template.ts';
import { ask, type Question, type Stage, userIds } from './query.ts';
import { type TokenLookup, withTime } from './tokens.ts';

/** A certificate as a query sees it. */
export type CertificateSubject = { readonly token: TokenLookup; readonly der: Uint8Array };

export type CertificateQuery = Question & {
  readonly rules: readonly MappingRule[];
  /** Of the rule `filter`. */
  readonly template: FilterTemplate | undefined;
  readonly condition: FilterTemplate | undefined;
  /** The entry must hold the certificate; the rule `userCertificate` wants it in any case. */
  readonly compareCertificate: boolean;
  readonly userIdAttribute: string;
};

export type Owner = { readonly user: string; readonly dn: string; readonly rules: readonly MappingRule[] };

const TEMPLATES: Readonly<Partial<Record<MappingRule, FilterTemplate>>> = {
  issuerAndSerial: parseTemplate('(altSecurityIdentities={altsec:issuerAndSerial})'),
  ski: parseTemplate('(altSecurityIdentities={altsec:ski})'),
  sha1PublicKey: parseTemplate('(altSecurityIdentities={altsec:sha1PublicKey})'),
  sid: parseTemplate('(objectSid={sid})'),
};

/** The filter of a rule, or why it cannot be asked about this certificate. */
export type RuleFilter = { readonly rule: MappingRule; readonly filter: Answer<Filter> };

export function ruleFilters(query: CertificateQuery, subject: CertificateSubject, nowMs: number): RuleFilter[] {
  const lookup = withTime(subject.token, nowMs);
  const condition = query.condition === undefined ? undefined : bind(query.condition, lookup);
  return query.rules.map((rule) => {
    const template = rule === 'filter' ? query.template : TEMPLATES[rule];
    const found = rule === 'userCertificate' ? yes(holderFilter(subject)) : bind(template, lookup);
    if (found.answer !== 'yes' || condition === undefined) return { rule, filter: found };
    if (condition.answer !== 'yes') return { rule, filter: condition };
    return { rule, filter: yes({ kind: 'and', of: [found.value, condition.value] }) };
  });
}

function bind(template: FilterTemplate | undefined, lookup: TokenLookup): Answer<Filter> {
  if (template === undefined) return no('the query has no filter');
  const bound = bindTemplate(template, lookup);
  return bound.ok ? yes(bound.filter) : no(`certificate: ${bound.why}`);
}

const CERTIFICATE_ATTRIBUTE = 'userCertificate';

/**
 * Who may hold the certificate; whether an entry does is decided by comparing octets. OpenLDAP answers the assertion of
 * certificateExactMatch (RFC 4523 §2.5, in GSER), Active Directory and 389 Directory Server one that is the certificate.
 */
function holderFilter({ token, der }: CertificateSubject): Filter {
  const holds = (value: string | Uint8Array): Filter => ({ kind: 'equal', attribute: CERTIFICATE_ATTRIBUTE, value });
  const [serial, issuer] = [token('sn:dec')?.[0], token('issuer')?.[0]];
  if (serial === undefined || issuer === undefined) return holds(der);
  const exactly = `{ serialNumber ${serial}, issuer rdnSequence:"${issuer.replaceAll('"', '""')}" }`;
  return { kind: 'or', of: [holds(exactly), holds(der)] };
}

/** Entries that a filter may find before their certificates are compared. */
const MAX_CANDIDATES = 16;

type Asked = { readonly rule: MappingRule; readonly answer: Answer<Found>; readonly stages: readonly Stage[] };

/**
 * The owner with the rules that found it; `no` for none, several, or one without a user id; `unknown` where a rule
 * has no answer.
 */
export async function certificateQuery(
  query: CertificateQuery,
  filters: readonly RuleFilter[],
  der: Uint8Array,
): Promise<Answer<Owner>> {
  const asked = await Promise.all(filters.map((each) => askRule(query, each, der)));
  // The rules are asked at once; what is shown comes in their order.
  for (const { stages } of asked) for (const stage of stages) query.trace?.(stage);
  const answer = combine(asked);
  if (answer.answer !== 'yes') return answer;
  const { userIdAttribute } = query;
  const { entry, rules } = answer.value;
  const values = userIds(entry.attributes.filter(({ description }) => !isCertificateAttribute(description)));
  query.trace?.({ stage: 'user-id', attribute: userIdAttribute, values });
  const [user, ...others] = values;
  if (others.length > 0) return no(`several values of ${userIdAttribute}`);
  return user === undefined ? no(`the entry has no ${userIdAttribute}`) : yes({ user, dn: entry.dn, rules });
}

async function askRule(query: CertificateQuery, { rule, filter }: RuleFilter, der: Uint8Array): Promise<Asked> {
  const stages: Stage[] = [];
  const trace = (stage: Stage): void => void stages.push(stage);
  const shown = isPlain(query) ? {} : { rule };
  if (filter.answer !== 'yes') {
    trace({ stage: 'not-asked', what: 'query', why: filter.why, ...shown });
    return { rule, answer: filter, stages };
  }
  const compare = query.compareCertificate || rule === 'userCertificate';
  const answer = await ask(filter.value, {
    ...query,
    ...shown,
    trace,
    what: 'query',
    attributes: compare
      ? [query.userIdAttribute, CERTIFICATE_ATTRIBUTE, `${CERTIFICATE_ATTRIBUTE};binary`]
      : [query.userIdAttribute],
    // Two are enough to see that there is not exactly one.
    sizeLimit: compare ? MAX_CANDIDATES : 2,
  });
  if (!compare || answer.answer !== 'yes') return { rule, answer, stages };
  const holders = answer.value.entries.filter((entry) => {
    const held = entry.attributes.filter(({ description }) => isCertificateAttribute(description));
    const holds = held.some(({ values }) => values.some((value) => isSame(value, der)));
    trace({ stage: 'compared', dn: entry.dn, holds, ...shown });
    return holds;
  });
  return { rule, answer: yes({ entries: holders, more: answer.value.more }), stages };
}

/** As AsyncOS knows it, so that it is shown as AsyncOS shows it. */
const isPlain = ({ rules }: CertificateQuery): boolean => rules.length === 1 && rules[0] === 'filter';

/** `userCertificate;binary` in OpenLDAP, without the option in Active Directory. */
function isCertificateAttribute(description: string): boolean {
  const [name = ''] = description.toLowerCase().split(';');
  return name === 'usercertificate' || name === '2.5.4.36';
}

const isSame = (value: AttributeValue, der: Uint8Array): boolean =>
  Buffer.from(value as string).equals(Buffer.from(der.buffer, der.byteOffset, der.byteLength));

type Combined = { readonly entry: Entry; readonly rules: readonly MappingRule[] };

/** Unknown before anything else: what was not answered could be a second entry. */
function combine(asked: readonly Asked[]): Answer<Combined> {
  const open = asked.find(({ answer }) => answer.answer === 'unknown');
  if (open?.answer.answer === 'unknown') return unknown(open.answer.why);
  const byName = new Map<string, { readonly entry: Entry; readonly rules: MappingRule[] }>();
  let wasAsked = false;
  for (const { rule, answer } of asked) {
    if (answer.answer !== 'yes') continue;
    wasAsked = true;
    if (answer.value.more) return no('several entries');
    for (const entry of answer.value.entries) {
      const known = byName.get(nameKey(entry.dn));
      if (known === undefined) byName.set(nameKey(entry.dn), { entry, rules: [rule] });
      else known.rules.push(rule);
    }
  }
  const [only, ...others] = byName.values();
  if (others.length > 0) return no('several entries');
  if (only !== undefined) return yes(only);
  return no(wasAsked ? 'no entry' : whyNotAsked(asked));
}

function whyNotAsked(asked: readonly Asked[]): string {
  const reasons = asked.map(({ rule, answer }) => ({ rule, why: answer.answer === 'no' ? answer.why : '' }));
  const [only, ...others] = reasons;
  if (only !== undefined && others.length === 0) return only.why;
  return `no mapping rule can be asked: ${reasons.map(({ rule, why }) => `${rule}: ${why}`).join('; ')}`;
}

function nameKey(dn: string): string {
  const name = parseDn(dn);
  return name === undefined ? dn : dnText(name);
}
