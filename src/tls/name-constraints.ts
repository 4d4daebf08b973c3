/**
 * Whether the names in a certificate lie inside the name constraints of the authorities above it: directory names,
 * rfc822Name (with emailAddress in the subject and SmtpUTF8Mailbox), dNSName, URI, iPAddress and the UPN otherName.
 * Where an authority constrains a form that is not understood, a name of that form is refused.
 * RFC 5280 §4.2.1.10, §6.1.3 (b), (c); RFC 9598 §6. Pure.
 */
import type { Certificate } from './certificate.ts';
import type { GeneralName, NameConstraints } from './certificate-extensions.ts';
import type { Attribute } from './distinguished-name.ts';

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const UPN = '1.3.6.1.4.1.311.20.2.3';
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9';

/** Octets of names to compare: more for one certificate and the path is refused, since both sides are chosen by others. */
const MAX_WORK = 10_000_000;
/** What a short name counts for. */
const MIN_OCTETS = 16;

type List = 'permitted' | 'excluded';
/** Whether a name lies in a subtree of its own form; undefined where the two cannot be compared. */
type IsWithin = (base: GeneralName, list: List) => boolean | undefined;

/** The constraints of every authority above, outermost first. Undefined, or why `certificate` is outside of them. */
export function checkNameConstraints(
  certificate: Certificate,
  authorities: readonly NameConstraints[],
): string | undefined {
  if (authorities.length === 0) return undefined;
  const names = namesOf(certificate);
  const subtrees = authorities.reduce((sum, list) => sum + list.permitted.length + list.excluded.length, 0);
  const octets = names.reduce((sum, name) => sum + Math.max(MIN_OCTETS, octetsOf(name)), 0);
  if (octets * subtrees > MAX_WORK) return 'too many names and name constraints';
  for (const name of names) {
    const [form, isWithin] = [formOf(name), within(name)];
    for (const { permitted, excluded } of authorities) {
      // Whatever cannot be compared is outside every permitted and inside every excluded subtree.
      const denied = excluded.some((base) => formOf(base) === form && (isWithin(base, 'excluded') ?? true));
      if (denied) return `${describe(name)} is in an excluded subtree`;
      const allowed = permitted.filter((base) => formOf(base) === form);
      if (allowed.length > 0 && !allowed.some((base) => isWithin(base, 'permitted') ?? false)) {
        return `${describe(name)} is in no permitted subtree`;
      }
    }
  }
  return undefined;
}

/**
 * Every name a certificate claims. Deviates: RFC 5280 §4.2.1.10 looks at emailAddress in the subject only where there
 * is no subjectAltName; here always, because an LDAP filter may ask for it.
 */
function namesOf(certificate: Certificate): GeneralName[] {
  const names: GeneralName[] = [...certificate.subjectAltNames];
  if (certificate.subject.rdns.length > 0) names.push({ kind: 'directoryName', name: certificate.subject });
  for (const attribute of certificate.subject.rdns.flat()) {
    if (attribute.oid === EMAIL_ADDRESS) names.push(emailOf(attribute));
  }
  return names;
}

const emailOf = ({ text, bytes }: Attribute): GeneralName =>
  text === undefined ? { kind: 'malformed', form: 'rfc822Name', bytes } : { kind: 'rfc822Name', text };

function octetsOf(name: GeneralName): number {
  if (name.kind === 'directoryName') return name.name.key.length;
  return 'text' in name && name.text !== undefined ? name.text.length : 0;
}

/** Names and constraints of the same form concern each other. otherName is one form per type. */
function formOf(name: GeneralName): string {
  if (name.kind === 'malformed') return name.form;
  if (name.kind !== 'otherName') return name.kind;
  // RFC 9598 §6: constraints on rfc822Name apply to SmtpUTF8Mailbox.
  return name.typeId === SMTP_UTF8_MAILBOX ? 'rfc822Name' : `otherName ${name.typeId}`;
}

const describe = (name: GeneralName): string => {
  if (name.kind === 'directoryName') return 'the subject or a directory name';
  return 'text' in name && name.kind !== 'otherName'
    ? `${name.kind} ${JSON.stringify(name.text)}`
    : `a name of form ${formOf(name)}`;
};

const NEVER: IsWithin = () => undefined;

/** The name is made comparable once, for all subtrees. */
function within(name: GeneralName): IsWithin {
  switch (name.kind) {
    case 'directoryName':
      return (base) => (base.kind === 'directoryName' ? name.name.key.startsWith(base.name.key) : undefined);
    case 'dNSName': {
      const host = dnsName(name.text);
      return (base, list) => (base.kind === 'dNSName' ? dnsWithin(host, base.text, list) : undefined);
    }
    case 'uri': {
      const host = uriHost(name.text);
      return (base) => (base.kind === 'uri' ? hostWithin(host, base.text) : undefined);
    }
    case 'iPAddress':
      return (base) => (base.kind === 'iPAddress' ? addressWithin(name.bytes, base.bytes) : undefined);
    case 'rfc822Name':
      return mailboxWithin(mailboxOf(name.text));
    case 'otherName':
      if (name.typeId === SMTP_UTF8_MAILBOX) return mailboxWithin(mailboxOf(name.text));
      return name.typeId === UPN ? userWithin(mailboxOf(name.text)) : NEVER;
    default:
      return NEVER;
  }
}

/** Lower case, without the dot of the root. Undefined: no host name, and readers would disagree about what it names. */
function hostOf(text: string): string | undefined {
  const host = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host) ? host : undefined;
}

/** A constraint: a host, or `.domain`. */
const baseHost = (text: string): string | undefined => {
  const host = hostOf(text.startsWith('.') ? text.slice(1) : text);
  return host !== undefined && text.startsWith('.') ? `.${host}` : host;
};

const isBelow = (host: string, domain: string): boolean => host.length > domain.length && host.endsWith(domain);

/** RFC 5280 §4.2.1.10, for URI and rfc822Name: a host means that host, `.domain` the hosts below it. */
function hostWithin(host: string | undefined, constraint: string): boolean | undefined {
  const base = baseHost(constraint);
  if (host === undefined || base === undefined) return undefined;
  return base.startsWith('.') ? isBelow(host, base) : host === base;
}

const WILDCARD = '*.';

const dnsName = (text: string): string | undefined => {
  if (!text.startsWith(WILDCARD)) return hostOf(text);
  const parent = hostOf(text.slice(WILDCARD.length));
  return parent === undefined ? undefined : WILDCARD + parent;
};

/** A name is inside when labels were added on the left of the constraint, or none; an empty constraint holds all. */
function dnsWithin(host: string | undefined, constraint: string, list: List): boolean | undefined {
  const base = constraint === '' ? '' : baseHost(constraint);
  if (host === undefined || base === undefined) return undefined;
  if (base === '' || host === base || isBelow(host, base.startsWith('.') ? base : `.${base}`)) return true;
  // A wildcard stands for hosts below its parent: it must not reach into an excluded subtree.
  return list === 'excluded' && host.startsWith(WILDCARD) && isBelow(base, host.slice(1));
}

type Mailbox = { readonly local: string; readonly host: string };

function mailboxOf(text: string | undefined): Mailbox | undefined {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(0, at));
  // RFC 9598 §6: hosts are compared as A-labels; one with other characters cannot be compared.
  const host = hostOf(text.slice(at + 1));
  const quoted = local.startsWith('"') && local.endsWith('"');
  // A second @ outside of quotes is no mailbox, and mail systems disagree about its host. Directories overlook blanks.
  if (host === undefined || local === '' || local !== local.trim() || (local.includes('@') && !quoted))
    return undefined;
  return { local, host };
}

/** RFC 5280 §7.5: the local part is compared exactly; to exclude one, mail systems' blindness to case is counted in. */
const mailboxWithin =
  (mailbox: Mailbox | undefined): IsWithin =>
  (base, list) =>
    base.kind === 'rfc822Name' ? isWithinMailboxes(mailbox, base.text, list === 'excluded') : undefined;

/** Users of Active Directory are the same in any case. */
const userWithin =
  (user: Mailbox | undefined): IsWithin =>
  (base) =>
    base.kind === 'otherName' && base.text !== undefined ? isWithinMailboxes(user, base.text, true) : undefined;

/** The constraint: a host, `.domain`, or one mailbox; `@host` is what OpenSSL and Active Directory take for `host`. */
function isWithinMailboxes(mailbox: Mailbox | undefined, constraint: string, anyCase: boolean): boolean | undefined {
  if (mailbox === undefined) return undefined;
  if (constraint.lastIndexOf('@') <= 0) return hostWithin(mailbox.host, constraint.replace('@', ''));
  const wanted = mailboxOf(constraint);
  if (wanted === undefined) return undefined;
  const sameLocal = anyCase
    ? mailbox.local.toLowerCase() === wanted.local.toLowerCase()
    : mailbox.local === wanted.local;
  return sameLocal && mailbox.host === wanted.host;
}

// RFC 3986 §3.2, strictly: readers disagree about the host where other characters stand before the @.
const URI_AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[\w.~%!$&'()*+,;=:-]*@)?([\w.-]+)(?::\d*)?(?:[/?#]|$)/;

/** Undefined where the URI has no authority with a host name (RFC 5280 §4.2.1.10: then it MUST be rejected). */
function uriHost(uri: string): string | undefined {
  const host = hostOf(URI_AUTHORITY.exec(uri)?.[1] ?? '');
  return host === undefined || /(^|\.)\d+$/.test(host) ? undefined : host;
}

/** Undefined where one of them is malformed. `base` is an address and a mask. */
function addressWithin(address: Uint8Array, base: Uint8Array): boolean | undefined {
  const { length } = address;
  if ((length !== 4 && length !== 16) || (base.length !== 8 && base.length !== 32)) return undefined;
  if (base.length !== 2 * length) return false;
  for (let i = 0; i < length; i++) {
    const mask = base[length + i] as number;
    if (((address[i] as number) & mask) !== ((base[i] as number) & mask)) return false;
  }
  return true;
}
