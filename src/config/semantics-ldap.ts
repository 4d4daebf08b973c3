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
} from './schema.ts';
import { danglingReference } from './semantics-references.ts';
import { listed } from './suggestion.ts';

export function ldapFaults(config: Config): Fault[] {
  const { servers, queries } = config.ldap;
  return [
    ...Object.entries(servers).flatMap(([name, server]) => serverFaults(['ldap', 'servers', name], server, config)),
    ...Object.entries(queries).flatMap(([name, query]) => queryFaults(['ldap', 'queries', name], query, config)),
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

function queryFaults(path: Path, query: LdapQueryConfig, config: Config): Fault[] {
  const exist = Object.keys(config.ldap.servers);
  const found = danglingReference({ path: [...path, 'server'], name: query.server, section: 'ldap.servers', exist });
  if (query.type === 'certificate' && query.allowance !== undefined) {
    found.push(warning([...path, 'allowance'], 'is never asked: only a query of type smtpAuth has an allowance'));
  }
  return found;
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
    ...queryOfType([...path, 'query'], profile.query, 'certificate', config),
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
