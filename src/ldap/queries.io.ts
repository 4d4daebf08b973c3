/**
 * The LDAP queries of one configuration revision, by name, as a receive thread asks them: templates parsed once,
 * directories and caches shared by the queries of a server. Certificate queries are cached; a bind and an allowance
 * never are.
 * Effects: connections to directories.
 */
import type { Config, LdapQueryConfig, Material } from '../config/schema.ts';
import { GatewayError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { type Answer, yes } from '../core/verdict.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { Directory } from './directory.ts';
import { openDirectory } from './directory.io.ts';
import { renderFilter } from './filter.ts';
import { parseTemplate } from './filter-template.ts';
import {
  certificateFilter,
  certificateQuery,
  type Login,
  type Owner,
  type SmtpAuthAnswer,
  type SmtpAuthQuery,
  smtpAuthQuery,
  type Trace,
} from './query.ts';
import { QueryCache } from './query-cache.ts';
import { dependsOnTime, type TokenLookup } from './tokens.ts';

/** The user whose certificate it is. */
export type AskOwner = (lookup: TokenLookup, nowMs: number) => Promise<Answer<string>>;
export type AskLogin = (login: Login) => Promise<SmtpAuthAnswer>;

export type LdapQueries = {
  /** Throws GatewayError `config` where there is no such query of the type. With a `trace` nothing is cached. */
  certificate(name: string, trace?: Trace): AskOwner;
  smtpAuth(name: string, trace?: Trace): AskLogin;
  /** The directory behind a query. */
  directory(queryName: string): Directory;
  /** Ends connections once what runs on them is done. */
  close(): void;
};

export type QueryParts = { readonly clock: Clock; readonly log: MailLog; readonly receiveThreads: number };

type Server = { readonly directory: Directory; readonly owners: QueryCache<Owner>; readonly baseDn: string };

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
    certificate: (name, trace) =>
      certificateAsker({ name, config: typed(name, 'certificate'), trace }, serverOf(queryOf(name).server)),
    smtpAuth: (name, trace) => smtpAuthAsker(typed(name, 'smtpAuth'), serverOf(queryOf(name).server), trace),
    directory: (name) => serverOf(queryOf(name).server).directory,
    close: () => {
      for (const { directory } of servers.values()) directory.close();
    },
  };
}

const userOf = (answer: Answer<Owner>): Answer<string> => (answer.answer === 'yes' ? yes(answer.value.user) : answer);

type Named = { readonly name: string; readonly config: LdapQueryConfig; readonly trace: Trace | undefined };

function certificateAsker({ name, config, trace }: Named, { directory, owners, baseDn }: Server): AskOwner {
  const template = parseTemplate(config.filter);
  const { userIdAttribute } = config;
  const query = { directory, baseDn: config.baseDn ?? baseDn, template, userIdAttribute, trace };
  const keep = trace === undefined && !dependsOnTime(new Set(template.tokens.keys()));
  return async (lookup, nowMs) => {
    const filter = certificateFilter(template, lookup, nowMs);
    if (filter.answer !== 'yes') {
      trace?.({ stage: 'not-asked', what: 'query', why: filter.why });
      return filter;
    }
    if (!keep) return userOf(await certificateQuery(query, filter.value));
    const key = `${name}\n${renderFilter(filter.value)}`;
    const kept = owners.get(key, nowMs);
    if (kept !== undefined) return userOf(kept);
    const answer = await certificateQuery(query, filter.value);
    owners.put(key, answer, nowMs);
    return userOf(answer);
  };
}

function smtpAuthAsker(config: LdapQueryConfig, { directory, baseDn }: Server, trace: Trace | undefined): AskLogin {
  const query: SmtpAuthQuery = {
    directory,
    baseDn: config.baseDn ?? baseDn,
    template: parseTemplate(config.filter),
    method: config.method,
    passwordAttribute: config.passwordAttribute,
    allowance: config.allowance === undefined ? undefined : parseTemplate(config.allowance),
    trace,
  };
  return (login) => smtpAuthQuery(query, login);
}
