/**
 * A listener and its terms in the words of the AsyncOS command line, from the configuration as it is written. TLS is what the
 * policies of those say whose mail is taken; where they differ each is named. Pure.
 */
import { BUILT_IN_POLICIES, DEFAULT_POLICY_PARAMETERS, policyNames } from '../config/built-in-policies.ts';
import { parseAddressPort } from '../config/addresses.ts';
import { isList, isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { shown } from './form.ts';

/** An address of this machine: `lo`, `127.0.0.1`, `127.0.0.1/8`. */
export type Interface = { readonly name: string; readonly address: string; readonly cidr: string };

export const TLS_WORDS: Readonly<Record<string, string>> = { off: 'No', preferred: 'Preferred', required: 'Required' };
const MAX_CONCURRENCY: Readonly<Record<string, number>> = { public: 1000, private: 600 };

const text = (value: Json | undefined): string => (value === undefined ? '' : shown(value));
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const mappingAt = (document: Json, path: readonly string[]): Mapping => {
  const found = valueAt(document, path);
  return isMapping(found) ? found : {};
};

/** The terms under that name with every value filled in: its own, those built in, those of `default`. */
export function policyTerms(document: Json, name: string): Mapping {
  const own = name === 'default' ? {} : mappingAt(document, ['mailFlowPolicies', name]);
  const builtIn = (Object.hasOwn(BUILT_IN_POLICIES, name) ? BUILT_IN_POLICIES[name] : {}) as Mapping;
  return {
    ...(DEFAULT_POLICY_PARAMETERS as Mapping),
    ...mappingAt(document, ['mailFlowPolicies', 'default']),
    ...builtIn,
    ...own,
  };
}

/** Bytes as a person writes them: `100M`. */
export function sizeText(size: Json | undefined): string {
  const MIB = 1024 * 1024;
  return typeof size === 'number' && size % MIB === 0 ? `${size / MIB}M` : text(size);
}

/** What holds where the policy itself is silent. */
export function inheritedTerms(document: Json, name: string): Mapping {
  const { [name]: _, ...others } = mappingAt(document, ['mailFlowPolicies']);
  return policyTerms({ mailFlowPolicies: others }, name);
}

export function senderGroups(listener: Mapping): Mapping[] {
  const { hat } = listener;
  return isList(hat) ? hat.filter((group) => isMapping(group)) : [];
}

/** `Required`, or `Required (RELAYLIST), No (ALL)` where the sender groups differ. */
export function tlsOf(document: Json, listener: Mapping): string {
  const words = new Map<string, string[]>();
  for (const { senderGroup, policy } of senderGroups(listener)) {
    const { behavior, tls } = policyTerms(document, text(policy));
    if (behavior !== 'accept' && behavior !== 'relay') continue;
    const word = TLS_WORDS[text(tls)] ?? text(tls);
    words.set(word, [...(words.get(word) ?? []), text(senderGroup)]);
  }
  if (words.size <= 1) return [...words.keys()][0] ?? 'No';
  return [...words].map(([word, groups]) => `${word} (${groups.join(', ')})`).join(', ');
}

/** `full` as in the summary of a listener, `short` as in the list of all. */
type Place = { readonly full: string; readonly short: string; readonly port: string };

function placeOf(address: string, interfaces: readonly Interface[]): Place {
  const parsed = parseAddressPort(address);
  if (parsed === undefined) return { full: address, short: address, port: '' };
  const { host } = parsed;
  const port = String(parsed.port);
  const found = interfaces.find((each) => each.address === host);
  if (found !== undefined) return { full: `${found.name} (${found.cidr})`, short: `${found.name}, ${host}`, port };
  return host === '' ? { full: 'all', short: 'all', port } : { full: host, short: host, port };
}

const addressesOf = ({ address }: Mapping): string[] => (isList(address) ? address.map(text) : []);
const protocolOf = ({ tlsMode }: Mapping): string => (tlsMode === 'implicit' ? 'SMTPS' : 'SMTP');

/** `(on lo, 127.0.0.1) SMTP TCP Port 25 Public` */
export function listenerRow(listener: Json, interfaces: readonly Interface[]): string {
  if (!isMapping(listener)) return '';
  const places = addressesOf(listener).map((address) => {
    const { short, port } = placeOf(address, interfaces);
    return `(on ${short}) ${protocolOf(listener)} TCP Port ${port}`;
  });
  return `${places.join(', ')} ${capital(text(listener['type']))}`;
}

export function listenerSummary(
  name: string,
  { document, interfaces }: { readonly document: Json; readonly interfaces: readonly Interface[] },
): string {
  const listener = mappingAt(document, ['listeners', name]);
  const { type, maxConcurrency = MAX_CONCURRENCY[text(type)] ?? 0, tcpQueue = 50 } = listener;
  const places = addressesOf(listener).map((address) => {
    const { full, port } = placeOf(address, interfaces);
    return `Interface: ${full} TCP Port ${port}`;
  });
  return [
    `Name: ${name}`,
    `Type: ${capital(text(type))}`,
    ...places,
    `Protocol: ${protocolOf(listener)}`,
    `Default Domain: ${text(listener['defaultDomain'])}`.trimEnd(),
    `Max Concurrency: ${text(maxConcurrency)} (TCP Queue: ${text(tcpQueue)})`,
    'Domain map: disabled',
    `TLS: ${tlsOf(document, listener)}`,
    `Certificate: ${text(listener['certificate'] ?? 'demonstration certificate')}`,
    `SMTP Authentication Profile: ${text(listener['smtpAuthProfile'] ?? 'none')}`,
  ].join('\n');
}

/** What a host access table's menu shows first. */
export function hostAccessHeading(document: Json, listener: Mapping): string {
  const terms = policyTerms(document, 'default');
  const rows: readonly (readonly [string, string])[] = [
    ['Maximum Message Size', sizeText(terms['maxMessageSize'])],
    ['Maximum Number Of Concurrent Connections From A Single IP', text(terms['maxConnectionsPerAddress'])],
    ['Maximum Number Of Messages Per Connection', text(terms['maxMessagesPerConnection'])],
    ['Maximum Number Of Recipients Per Message', text(terms['maxRecipientsPerMessage'])],
    ['Allow TLS Connections', TLS_WORDS[text(terms['tls'])] ?? ''],
    ['Verify Client Certificate', terms['verifyClientCertificate'] === true ? 'Yes' : 'No'],
    ['Allow SMTP Authentication', TLS_WORDS[text(terms['smtpAuth'])] ?? ''],
    ['Require TLS To Offer SMTP Authentication', terms['requireTlsToOfferSmtpAuth'] === true ? 'Yes' : 'No'],
  ];
  const policies = policyNames(mappingAt(document, ['mailFlowPolicies'])).length;
  return [
    'Default Policy Parameters',
    '==========================',
    ...rows.map(([label, value]) => `${label}: ${value}`),
    '',
    // Word for word as AsyncOS, whatever the number.
    `There are currently ${policies} policies defined.`,
    `There are currently ${senderGroups(listener).length} sender groups.`,
  ].join('\n');
}
