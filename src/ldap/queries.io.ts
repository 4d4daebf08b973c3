/**
 * The LDAP queries of one configuration revision, by name, as a receive thread asks them: templates parsed once,
 * directories and caches shared by the queries of a server. Certificate queries are cached; a bind and an allowance
 * never are.
 * Effects: connections to directories.
 */
import { createHash } from 'node:crypto';
import type { Config, LdapQueryConfig, MappingRule, Material } from '../config/schema.ts';
import { GatewayError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Answer } from '../core/verdict.ts';
import type { MailLog } from '../log/mail-event.ts';
import {
  type CertificateQuery,
  type CertificateSubject,
  certificateQuery,
  type Owner,
  type RuleFilter,
  ruleFilters,
} from './certificate-query.ts';
import type { Directory } from './directory.ts';
import { openDirectory } from './directory.io.ts';
import { renderFilter } from './filter.ts';
import { type FilterTemplate, parseTemplate } from './filter-template.ts';
import { type Login, type SmtpAuthAnswer, type SmtpAuthQuery, smtpAuthQuery, type Trace } from './query.ts';
import { QueryCache } from './query-cache.ts';
import { dependsOnTime } from './tokens.ts';

/** The entry whose certificate it is. */
export type AskOwner = (subject: CertificateSubject, nowMs: number) => Promise<Answer<Owner>>;
/** How a certificate profile finds the entry. */
export type CertificateMapping = { readonly rules: readonly MappingRule[]; readonly compareCertificate: boolean };
export type AskLogin = (login: Login) => Promise<SmtpAuthAnswer>;

export type LdapQueries = {
  /** Throws GatewayError `config` where there is no such query of the type. With a `trace` nothing is cached. */
  certificate(name: string, mapping?: CertificateMapping, trace?: Trace): AskOwner;
  smtpAuth(name: string, trace?: Trace): AskLogin;
  /** The directory behind a query. */
  directory(queryName: string): Directory;
  /** Ends connections once what runs on them is done. */
  close(): void;
};

export type QueryParts = { readonly clock: Clock; readonly log: MailLog; readonly receiveThreads: number };

type Server = { readonly directory: Directory; readonly owners: QueryCache<Owner>; readonly baseDn: string };

/** Nobody is connected to before the first question. Queries that name the same server share its connections. */
export function openQueries(config: Config, material: Material, { log, receiveThreads }: QueryParts): LdapQueries {
  const { servers: configs, queries } = config.ldap;
  const servers = new Map<string, Server>();
  const serverOf = (name: string): Server => {
    const known = servers.get(name);
    if (known !== undefined) return known;
    const server = Object.hasOwn(configs, name) ? configs[name] : undefined;
    if (server === undefined) throw new GatewayError('config', `there is no LDAP server ${name}`);
    const directory = openDirectory(name, server, material, { log, share: Math.max(1, receiveThreads) });
    const { ttl: ttlMs, maxEntries } = server.cache;
    const opened = { directory, owners: new QueryCache<Owner>({ ttlMs, maxEntries }), baseDn: server.baseDn };
    servers.set(name, opened);
    return opened;
  };
  const queryOf = (name: string): LdapQueryConfig => {
    const query = Object.hasOwn(queries, name) ? queries[name] : undefined;
    if (query === undefined) throw new GatewayError('config', `there is no LDAP query ${name}`);
    return query;
  };
  const typed = (name: string, type: LdapQueryConfig['type']): LdapQueryConfig => {
    const query = queryOf(name);
    if (query.type !== type) throw new GatewayError('config', `the LDAP query ${name} is not of type ${type}`);
    return query;
  };
  return {
    certificate: (name, mapping = FILTER_ONLY, trace) =>
      certificateAsker({ name, config: typed(name, 'certificate'), mapping, trace }, serverOf(queryOf(name).server)),
    smtpAuth: (name, trace) => smtpAuthAsker(typed(name, 'smtpAuth'), serverOf(queryOf(name).server), trace),
    directory: (name) => serverOf(queryOf(name).server).directory,
    close: () => {
      for (const { directory } of servers.values()) directory.close();
    },
  };
}

const FILTER_ONLY: CertificateMapping = { rules: ['filter'], compareCertificate: false };

type Named = {
  readonly name: string;
  readonly config: LdapQueryConfig;
  readonly mapping: CertificateMapping;
  readonly trace: Trace | undefined;
};

const templateOf = (text: string | undefined): FilterTemplate | undefined =>
  text === undefined ? undefined : parseTemplate(text);

function certificateAsker({ name, config, mapping, trace }: Named, { directory, owners, baseDn }: Server): AskOwner {
  const { userIdAttribute } = config;
  const template = mapping.rules.includes('filter') ? templateOf(config.filter) : undefined;
  const condition = templateOf(config.condition);
  const query = {
    directory,
    baseDn: config.baseDn ?? baseDn,
    template,
    condition,
    userIdAttribute,
    trace,
    ...mapping,
  };
  const tokens = [template, condition].flatMap((each) => [...(each?.tokens.keys() ?? [])]);
  const keep = trace === undefined && !dependsOnTime(new Set(tokens));
  return async (subject, nowMs) => {
    const filters = ruleFilters(query, subject, nowMs);
    if (!keep || filters.every(({ filter }) => filter.answer !== 'yes'))
      return certificateQuery(query, filters, subject.der);
    const key = cacheKey(name, query, filters, subject.der);
    const kept = owners.get(key, nowMs);
    if (kept !== undefined) return kept;
    const answer = await certificateQuery(query, filters, subject.der);
    owners.put(key, answer, nowMs);
    return answer;
  };
}

/** A hash, because a filter may hold a whole certificate. What is compared with the entry belongs to the question. */
function cacheKey(name: string, query: CertificateQuery, filters: readonly RuleFilter[], der: Uint8Array): string {
  const hash = createHash('sha256').update(name);
  for (const { rule, filter } of filters)
    hash.update(`\n${rule} ${filter.answer === 'yes' ? renderFilter(filter.value) : ''}`);
  if (query.compareCertificate) hash.update('\n').update(der);
  return hash.digest('base64');
}

function smtpAuthAsker(config: LdapQueryConfig, { directory, baseDn }: Server, trace: Trace | undefined): AskLogin {
  const query: SmtpAuthQuery = {
    directory,
    baseDn: config.baseDn ?? baseDn,
    template: parseTemplate(config.filter ?? ''),
    method: config.method,
    passwordAttribute: config.passwordAttribute,
    allowance: config.allowance === undefined ? undefined : parseTemplate(config.allowance),
    trace,
  };
  return (login) => smtpAuthQuery(query, login);
}
