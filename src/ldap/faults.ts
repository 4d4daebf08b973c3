/**
 * What is wrong with the LDAP queries and LDIF files of a configuration: filters that do not parse, tokens that the
 * query's type does not have, names that are none. Pure.
 */
import type { Config, LdapQueryConfig, Material } from '../config/schema.ts';
import { type Fault, fault, warning } from '../core/fault.ts';
import { parseDn } from './distinguished-name.ts';
import { FilterSyntaxError } from './filter-parser.ts';
import { type FilterTemplate, parseTemplate } from './filter-template.ts';
import { parseLdif } from './ldif.ts';
import { type QueryType, TOKENS } from './tokens.ts';

type Path = readonly (string | number)[];

/** Without `material` the LDIF files are not looked at. */
export function faultsOfLdap(config: Config, material?: Material): Fault[] {
  const { servers, queries } = config.ldap;
  return [
    ...Object.entries(servers).flatMap(([name, { baseDn, ldif }]) => {
      const path = ['ldap', 'servers', name];
      const text = ldif === undefined ? undefined : material?.ldif[name];
      return [...faultsOfBase([...path, 'baseDn'], baseDn), ...faultsOfLdif([...path, 'ldif'], ldif ?? '', text)];
    }),
    ...Object.entries(queries).flatMap(([name, query]) => faultsOfQuery(['ldap', 'queries', name], query)),
  ];
}

const faultsOfBase = (path: Path, baseDn: string | undefined): Fault[] =>
  baseDn === undefined || parseDn(baseDn) !== undefined
    ? []
    : [fault(path, 'not a distinguished name such as dc=example,dc=com (RFC 4514)')];

function faultsOfLdif(path: Path, file: string, text: string | undefined): Fault[] {
  if (text === undefined) return [];
  const { entries, faults } = parseLdif(text);
  const found = faults.map(({ line, message }) => fault(path, `${file} line ${line}: ${message}`));
  return entries.length === 0 && found.length === 0 ? [warning(path, `${file} has no entries`)] : found;
}

function faultsOfQuery(path: Path, query: LdapQueryConfig): Fault[] {
  const { type, baseDn } = query;
  return [
    ...faultsOfBase([...path, 'baseDn'], baseDn),
    ...(['filter', 'condition', 'allowance'] as const).flatMap((key) => {
      const text = query[key];
      return text === undefined
        ? []
        : [...faultsOfFilter([...path, key], text, type), ...weakMappings([...path, key], text)];
    }),
  ];
}

const WEAK_FORM = /X509:(?:<I>[^<]*)?<(?:S|RFC822)>/i;

const weakMappings = (path: Path, text: string): Fault[] =>
  WEAK_FORM.test(text)
    ? [
        warning(
          path,
          'asks for a weak form of altSecurityIdentities, which names and not certificates decide; {altsec} gives the strong ones',
        ),
      ]
    : [];

/** Errors and warnings of one filter. */
export function faultsOfFilter(path: Path, text: string, type: QueryType): Fault[] {
  let template: FilterTemplate;
  try {
    template = parseTemplate(text);
  } catch (error) {
    if (error instanceof FilterSyntaxError) return [fault(path, error.message)];
    throw error;
  }
  const unknown = [...template.tokens].filter(([token]) => !TOKENS[type].includes(token));
  const known = TOKENS[type].map((token) => `{${token}}`).join(' ');
  const found = unknown.map(([token, offset]) =>
    fault(
      path,
      `{${token}} is no token of a query of type ${type} (at character ${offset + 1}); there are ${known}; \\7b is a brace`,
    ),
  );
  // Such a filter finds the same entry whoever asks, so that one password would do for every login name.
  const aboutNobody = type === 'smtpAuth' && !['u', 'a', 'd'].some((token) => template.tokens.has(token));
  return aboutNobody ? [...found, warning(path, 'names no {u} or {a}: it asks the same for every login')] : found;
}
