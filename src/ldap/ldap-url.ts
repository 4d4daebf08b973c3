/**
 * LDAP URLs: ldap://host:port/dn?attributes?scope?filter. A host and a name are needed: without them an LDAP URL means
 * whatever the client likes. RFC 4516. Pure.
 */
import { type Filter } from './filter.ts';
import { FilterSyntaxError } from './filter-parser.ts';
import { bindTemplate, parseTemplate } from './filter-template.ts';

export type SearchScope = 'base' | 'one' | 'sub';

export type LdapUrl = {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly dn: string;
  readonly attributes: readonly string[];
  readonly scope: SearchScope;
  readonly filter: Filter;
};

const MAX_CHARACTERS = 2000;
const URL_FORM =
  /^(ldaps?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/([^?#]*)(?:\?([^?#]*))?(?:\?([^?#]*))?(?:\?([^?#]*))?(?:\?([^?#]*))?$/i;
const ATTRIBUTE = /^([A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+)(;[A-Za-z0-9-]+)*$/;
const SCOPES: readonly string[] = ['base', 'one', 'sub'];
/** RFC 4516 §2: where none is given. */
const EVERY_ENTRY: Filter = { kind: 'present', attribute: 'objectClass' };

/** In words what is wrong, or the parts. */
export function parseLdapUrl(text: string): LdapUrl | string {
  const [, scheme = '', host = '', port, dn = '', attributes = '', scope = '', filter = '', extensions = ''] =
    (text.length > MAX_CHARACTERS ? null : URL_FORM.exec(text)) ?? [];
  if (scheme === '') return 'an LDAP URL is ldap://host/dn?attribute?scope?filter';
  const secure = scheme.toLowerCase() === 'ldaps';
  const name = decoded(dn);
  const names = attributes === '' ? [] : attributes.split(',').map(decoded);
  if (name === undefined || name === '') return 'an LDAP URL names an entry: ldap://host/dn';
  if (!names.every((each) => each !== undefined && ATTRIBUTE.test(each)))
    return 'an LDAP URL with a malformed attribute';
  const wanted = scope === '' ? 'base' : scope.toLowerCase();
  if (!SCOPES.includes(wanted)) return 'the scope of an LDAP URL is base, one or sub';
  // RFC 4516 §2.2: a critical extension that is not known must not be passed over.
  if (extensions.split(',').some((each) => each.startsWith('!'))) return 'an LDAP URL with a critical extension';
  const parsed = filter === '' ? EVERY_ENTRY : filterOf(decoded(filter));
  if (typeof parsed === 'string') return parsed;
  const number = portOf(port, secure);
  if (number === undefined) return 'an LDAP URL with a port from 1 to 65535';
  return {
    secure,
    hostname: host.replace(/^\[|\]$/g, ''),
    port: number,
    dn: name,
    attributes: names as string[],
    scope: wanted as SearchScope,
    filter: parsed,
  };
}

function portOf(text: string | undefined, secure: boolean): number | undefined {
  const port = text === undefined ? (secure ? 636 : 389) : Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function filterOf(text: string | undefined): Filter | string {
  if (text === undefined) return 'an LDAP URL with a malformed filter';
  try {
    const bound = bindTemplate(parseTemplate(text), () => []);
    return bound.ok ? bound.filter : 'the filter of an LDAP URL has no tokens';
  } catch (error) {
    if (error instanceof FilterSyntaxError) return `the filter of an LDAP URL: ${error.message}`;
    throw error;
  }
}
