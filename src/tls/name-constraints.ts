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

/** More comparisons than this for one certificate and the path is refused: both numbers are the certificates' choice. */
const MAX_COMPARISONS = 250_000;

type List = 'permitted' | 'excluded';

/** The constraints of every authority above, outermost first. Undefined, or why `certificate` is outside of them. */
export function checkNameConstraints(
  certificate: Certificate,
  authorities: readonly NameConstraints[],
): string | undefined {
  if (authorities.length === 0) return undefined;
  const names = namesOf(certificate);
  const subtrees = authorities.reduce((sum, list) => sum + list.permitted.length + list.excluded.length, 0);
  if (names.length * subtrees > MAX_COMPARISONS) return 'too many names and name constraints';
  for (const name of names) {
    const constrained = formOf(name);
    for (const { permitted, excluded } of authorities) {
      const denied = excluded.filter((base) => formOf(base) === constrained);
      if (denied.some((base) => matches(name, base, 'excluded'))) return `${describe(name)} is in an excluded subtree`;
      const allowed = permitted.filter((base) => formOf(base) === constrained);
      if (allowed.length > 0 && !allowed.some((base) => matches(name, base, 'permitted'))) {
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

/** Whatever cannot be compared is outside every permitted and inside every excluded subtree. */
function matches(name: GeneralName, base: GeneralName, list: List): boolean {
  const unknown = list === 'excluded';
  if (name.kind === 'directoryName' && base.kind === 'directoryName') return name.name.key.startsWith(base.name.key);
  if (name.kind === 'dNSName' && base.kind === 'dNSName') return dnsMatches(name.text, base.text, list);
  if (name.kind === 'uri' && base.kind === 'uri') return uriMatches(name.text, base.text) ?? unknown;
  if (name.kind === 'iPAddress' && base.kind === 'iPAddress') return addressMatches(name.bytes, base.bytes) ?? unknown;
  if (base.kind === 'rfc822Name') {
    const mailbox = name.kind === 'rfc822Name' ? name.text : otherNameText(name, SMTP_UTF8_MAILBOX);
    return mailbox === undefined ? unknown : (mailboxMatches(mailbox, base.text, list) ?? unknown);
  }
  const [upn, constraint] = [otherNameText(name, UPN), otherNameText(base, UPN)];
  return upn === undefined || constraint === undefined ? unknown : (upnMatches(upn, constraint) ?? unknown);
}

const otherNameText = (name: GeneralName, typeId: string): string | undefined =>
  name.kind === 'otherName' && name.typeId === typeId ? name.text : undefined;

const withoutTrailingDot = (host: string): string => (host.endsWith('.') ? host.slice(0, -1) : host);

/** A name is inside when labels were added on the left of the constraint, or none. */
function dnsMatches(name: string, base: string, list: List): boolean {
  const host = withoutTrailingDot(name.toLowerCase());
  const subtree = withoutTrailingDot(base.toLowerCase());
  if (isWithin(host, subtree)) return true;
  // A wildcard stands for hosts below its parent: it must not reach into an excluded subtree.
  return list === 'excluded' && host.startsWith('*.') && isWithin(subtree, host.slice(2));
}

const isWithin = (host: string, subtree: string): boolean =>
  subtree === '' ||
  (subtree.startsWith('.') ? host.endsWith(subtree) : host === subtree || host.endsWith(`.${subtree}`));

/** RFC 5280 §4.2.1.10: a host means that host, `.domain` means the hosts below it. */
const hostMatches = (host: string, base: string): boolean =>
  base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base;

/** Undefined where the name is no mailbox. */
function mailboxMatches(mailbox: string, base: string, list: List): boolean | undefined {
  const parts = splitMailbox(mailbox);
  if (parts === undefined) return undefined;
  const constraint = splitMailbox(base);
  if (constraint === undefined) return hostMatches(parts.host, withoutTrailingDot(base.toLowerCase()));
  if (parts.host !== constraint.host) return false;
  // RFC 5280 §7.5: the local part is compared exactly; to exclude one, mail systems' blindness to case is counted in.
  return list === 'excluded'
    ? parts.local.toLowerCase() === constraint.local.toLowerCase()
    : parts.local === constraint.local;
}

function splitMailbox(mailbox: string): { local: string; host: string } | undefined {
  const at = mailbox.lastIndexOf('@');
  const local = mailbox.slice(0, at);
  const host = withoutTrailingDot(mailbox.slice(at + 1).toLowerCase());
  const quoted = local.startsWith('"') && local.endsWith('"');
  // A second @ outside of quotes is no mailbox, and mail systems disagree about its host.
  if (at < 1 || host === '' || (local.includes('@') && !quoted)) return undefined;
  // RFC 9598 §6: hosts are compared as A-labels; one with other characters cannot be compared.
  return /^[\x21-\x7e]+$/.test(host) ? { local, host } : undefined;
}

// RFC 3986 §3.2, strictly: readers disagree about the host where other characters stand before the @.
const URI_AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[\w.~%!$&'()*+,;=:-]*@)?([\w.-]+)(?::\d*)?(?:[/?#]|$)/;

/** Undefined where the URI has no authority with a host name (RFC 5280 §4.2.1.10: then it MUST be rejected). */
function uriMatches(uri: string, base: string): boolean | undefined {
  const host = withoutTrailingDot((URI_AUTHORITY.exec(uri)?.[1] ?? '').toLowerCase());
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host) || /(^|\.)\d+$/.test(host)) return undefined;
  return hostMatches(host, withoutTrailingDot(base.toLowerCase()));
}

/** Undefined where one of them is malformed. `base` is an address and a mask. */
function addressMatches(address: Uint8Array, base: Uint8Array): boolean | undefined {
  const { length } = address;
  if ((length !== 4 && length !== 16) || (base.length !== 8 && base.length !== 32)) return undefined;
  if (base.length !== 2 * length) return false;
  for (let i = 0; i < length; i++) {
    const mask = base[length + i] as number;
    if (((address[i] as number) & mask) !== ((base[i] as number) & mask)) return false;
  }
  return true;
}

/** As Active Directory writes them: `@domain` or `domain` for users of it, `.domain` for those below, or one user. */
function upnMatches(upn: string, base: string): boolean | undefined {
  const parts = splitMailbox(upn);
  if (parts === undefined) return undefined;
  const constraint = splitMailbox(base);
  const domain = withoutTrailingDot((base.startsWith('@') ? base.slice(1) : base).toLowerCase());
  if (constraint === undefined) return hostMatches(parts.host, domain);
  return parts.host === constraint.host && parts.local.toLowerCase() === constraint.local.toLowerCase();
}
