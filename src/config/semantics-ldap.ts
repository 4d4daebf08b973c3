/**
 * Directories, queries and SMTP authentication profiles: references, and settings that need or exclude each other.
 * The directory's certificate is always verified, so encryption without anchors is a fault. Pure.
 */
import { type Fault, fault, warning } from '../core/fault.ts';
import { canonicalIp, isLoopback, parsePort } from './addresses.ts';
import type {
  CertificateProfileConfig,
  Config,
  LdapProfileConfig,
  LdapQueryConfig,
  LdapServerConfig,
  StaticMapConfig,
} from './schema.ts';
import { danglingReference } from './semantics-references.ts';
import { listed } from './suggestion.ts';

export function ldapFaults(config: Config): Fault[] {
  const { servers, queries } = config.ldap;
  return [
    ...Object.entries(servers).flatMap(([name, server]) => serverFaults(['ldap', 'servers', name], server, config)),
    ...Object.entries(queries).flatMap(([name, query]) => queryFaults(name, query, config)),
  ];
}

type Path = readonly (string | number)[];

function serverFaults(path: Path, server: LdapServerConfig, config: Config): Fault[] {
  const found: Fault[] = [];
  if (server.hosts === undefined && server.ldif === undefined) {
    found.push(fault(path, 'needs exactly one of hosts (ldap:// or ldaps://) and ldif (the embedded directory)'));
  }
  if (server.hosts !== undefined && server.ldif !== undefined) {
    found.push(fault([...path, 'ldif'], 'hosts and ldif exclude each other; exactly one is allowed'));
  }
  if (server.bind !== undefined) {
    const { password, passwordFile } = server.bind;
    if (password === undefined && passwordFile === undefined) {
      found.push(fault([...path, 'bind'], 'needs exactly one of password and passwordFile'));
    }
    if (password !== undefined && passwordFile !== undefined) {
      found.push(
        fault(
          [...path, 'bind', 'passwordFile'],
          'password and passwordFile exclude each other; exactly one is allowed',
        ),
      );
    }
  }
  return [...found, ...encryptionFaults(path, server, config)];
}

function encryptionFaults(path: Path, server: LdapServerConfig, config: Config): Fault[] {
  const hosts = server.hosts ?? [];
  const found = hosts.flatMap((host, i) => hostFaults(host, [...path, 'hosts', i]));
  const secure = hosts.findIndex((host) => host.startsWith('ldaps:'));
  if (server.startTls && secure >= 0) {
    found.push(
      fault([...path, 'hosts', secure], 'ldaps:// is encrypted already; with startTls only ldap:// is allowed'),
    );
  }
  if (server.startTls && server.ldif !== undefined) {
    found.push(fault([...path, 'startTls'], 'the embedded directory has no connection to encrypt'));
  }
  const encrypted = server.startTls || secure >= 0;
  if (server.ca === undefined) {
    const key = server.startTls ? [...path, 'startTls'] : [...path, 'hosts', secure];
    if (encrypted && server.ldif === undefined) {
      found.push(
        fault(
          key,
          'needs ca: the certificateAuthorities name whose anchors sign the directory’s certificate, which is always verified',
        ),
      );
    }
  } else {
    const exist = Object.keys(config.certificateAuthorities);
    found.push(
      ...danglingReference({ path: [...path, 'ca'], name: server.ca, section: 'certificateAuthorities', exist }),
    );
    if (!encrypted) found.push(warning([...path, 'ca'], 'has no effect: neither ldaps:// nor startTls is used'));
  }
  const open = server.startTls ? -1 : hosts.findIndex((host) => host.startsWith('ldap:') && !isLocal(host));
  if (open >= 0) {
    found.push(
      warning([...path, 'hosts', open], 'passwords cross the network in the clear; use ldaps:// or startTls: true'),
    );
  }
  return found;
}

const HOST = /^ldaps?:\/\/(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?\/?$/;

function isLocal(host: string): boolean {
  const [, v6, name = ''] = HOST.exec(host) ?? [];
  return name === 'localhost' || isLoopback(canonicalIp(v6 ?? name) ?? '');
}

function hostFaults(host: string, path: Path): Fault[] {
  const [, v6, , port] = HOST.exec(host) ?? [];
  const found: Fault[] = [];
  if (port !== undefined && parsePort(port) === undefined) found.push(fault(path, 'a port is from 1 to 65535'));
  if (v6 !== undefined && canonicalIp(v6) === undefined) {
    found.push(fault(path, 'between "[" and "]" stands an IPv4 or IPv6 address'));
  }
  return found;
}

function queryFaults(name: string, query: LdapQueryConfig, config: Config): Fault[] {
  const path = ['ldap', 'queries', name];
  const exist = Object.keys(config.ldap.servers);
  const found = danglingReference({ path: [...path, 'server'], name: query.server, section: 'ldap.servers', exist });
  if (query.type === 'certificate' && query.allowance !== undefined) {
    found.push(warning([...path, 'allowance'], 'is never asked: only a query of type smtpAuth has an allowance'));
  }
  if (query.type === 'smtpAuth' && query.condition !== undefined) {
    found.push(
      fault([...path, 'condition'], 'only a query of type certificate has a condition; put it into the filter'),
    );
  }
  if (query.filter === undefined && (query.type === 'smtpAuth' || !isMappedByRules(name, config))) {
    found.push(fault([...path, 'filter'], 'is missing; must be text'));
  }
  return [...found, ...timeWarnings(path, query, config)];
}

/** Every profile that asks this certificate query finds entries by other rules than its filter. */
function isMappedByRules(name: string, { smtpAuthProfiles }: Config): boolean {
  const asking = Object.values(smtpAuthProfiles).filter((each) => each.type === 'certificate' && each.query === name);
  return asking.length > 0 && asking.every((each) => each.type === 'certificate' && !each.mapping.includes('filter'));
}

/** Samba takes a time without a fraction for one of the year 2020, so that whoever has expired would match. */
function timeWarnings(path: Path, query: LdapQueryConfig, config: Config): Fault[] {
  const server = Object.hasOwn(config.ldap.servers, query.server) ? config.ldap.servers[query.server] : undefined;
  if (server?.type !== 'activeDirectory') return [];
  return (['filter', 'condition', 'allowance'] as const).flatMap((key) =>
    query[key]?.includes('{t}') === true
      ? [
          warning(
            [...path, key],
            '{t} may be misread by Active Directory; use {t:ad} for its times and {t:filetime} for numbers such as accountExpires',
          ),
        ]
      : [],
  );
}

export function profileFaults(config: Config): Fault[] {
  return Object.entries(config.smtpAuthProfiles).flatMap(([name, profile]) => {
    const path = ['smtpAuthProfiles', name];
    return profile.type === 'certificate'
      ? certificateProfileFaults(path, profile, config)
      : ldapProfileFaults(path, profile, config);
  });
}

function queryOfType(path: Path, name: string, type: LdapQueryConfig['type'], { ldap }: Config): Fault[] {
  const all = Object.entries(ldap.queries);
  const query = Object.hasOwn(ldap.queries, name) ? ldap.queries[name] : undefined;
  const right = all.filter(([, candidate]) => candidate.type === type).map(([key]) => key);
  if (query === undefined)
    return danglingReference({ path, name, section: 'ldap.queries', exist: all.map(([key]) => key) });
  if (query.type === type) return [];
  return [
    fault(
      path,
      `"${name}" is a query of type ${query.type}; here it must be of type ${type}; there is: ${listed(right)}`,
    ),
  ];
}

function certificateProfileFaults(path: Path, profile: CertificateProfileConfig, config: Config): Fault[] {
  const authorities = Object.keys(config.certificateAuthorities);
  const found = [
    ...mappingFaults(path, profile, config),
    ...profile.trust.flatMap((name, i) =>
      danglingReference({ path: [...path, 'trust', i], name, section: 'certificateAuthorities', exist: authorities }),
    ),
  ];
  found.push(...purposeWarnings(path, profile.extendedKeyUsage));
  const fallback = profile.allowSmtpAuth;
  if (fallback === undefined) return found;
  const profiles = config.smtpAuthProfiles;
  const exist = Object.keys(profiles);
  const at = [...path, 'allowSmtpAuth'];
  if (!exist.includes(fallback)) {
    return [...found, ...danglingReference({ path: at, name: fallback, section: 'smtpAuthProfiles', exist })];
  }
  if (profiles[fallback]?.type === 'ldap') return found;
  const usable = exist.filter((name) => profiles[name]?.type === 'ldap');
  return [
    ...found,
    fault(
      at,
      `"${fallback}" is a profile of type certificate; here it must be of type ldap; there is: ${listed(usable)}`,
    ),
  ];
}

function purposeWarnings(path: Path, purposes: readonly string[]): Fault[] {
  const at = [...path, 'extendedKeyUsage'];
  if (purposes.includes('any')) {
    return purposes.length > 1 ? [warning(at, 'any accepts every purpose: the others have no effect')] : [];
  }
  return purposes.every((purpose) => purpose === 'none')
    ? [warning(at, 'none alone refuses every certificate that says clientAuth')]
    : [];
}

function mappingFaults(path: Path, profile: CertificateProfileConfig, config: Config): Fault[] {
  const { query, mapping, compareCertificate, staticMap = [] } = profile;
  const found = staticMapFaults([...path, 'staticMap'], staticMap);
  if (query !== undefined) return [...found, ...queryOfType([...path, 'query'], query, 'certificate', config)];
  if (staticMap.length === 0) {
    return [fault([...path, 'query'], 'is missing; a profile of type certificate needs a query or a staticMap')];
  }
  // What no file says is the default, which does no harm.
  if (mapping.join() !== 'filter') found.push(fault([...path, 'mapping'], 'needs a query: its rules ask a directory'));
  if (compareCertificate) found.push(fault([...path, 'compareCertificate'], 'needs a query, whose entry it looks at'));
  return found;
}

function staticMapFaults(path: Path, entries: StaticMapConfig): Fault[] {
  const seen = new Map<string, number>();
  return entries.flatMap(({ uri, sha256, spki }, i) => {
    const keys = Object.entries({ uri, sha256, spki }).filter(([, value]) => value !== undefined);
    if (keys.length !== 1) return [fault([...path, i], 'needs exactly one of uri, sha256 and spki')];
    const key = keys.flat().join(' ');
    const first = seen.get(key);
    seen.set(key, first ?? i);
    return first === undefined
      ? []
      : [fault([...path, i, keys[0]?.[0] ?? ''], `is the same as in entry [${first}]; a certificate has one user`)];
  });
}

function ldapProfileFaults(path: Path, profile: LdapProfileConfig, config: Config): Fault[] {
  const found = queryOfType([...path, 'query'], profile.query, 'smtpAuth', config);
  const { checkAllowed } = profile;
  if (found.length > 0 || checkAllowed === undefined) return found;
  if (config.ldap.queries[profile.query]?.allowance === undefined) {
    found.push(fault([...path, 'checkAllowed'], `the query "${profile.query}" has no allowance to ask`));
  }
  if (checkAllowed.action === 'monitor' && checkAllowed.response !== undefined) {
    found.push(warning([...path, 'checkAllowed', 'response'], 'is never sent: the action monitor lets people in'));
  }
  return found;
}
