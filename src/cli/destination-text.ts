/**
 * Destination controls as text: the list of `destconfig`, and AsyncOS's file for import and export, an INI file with a
 * section [DEFAULT] and one for each domain. What of such a file has no counterpart here is told, and what would weaken
 * TLS if it were left out refuses the file. Pure.
 */
import { isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { faultAt } from '../config/schema-place.ts';
import { destinationKeyFault } from '../config/semantics-destinations.ts';
import { shown } from './form.ts';

const SECTION = ['destinationControls'];
const TLS_LABEL: Readonly<Record<string, string>> = { off: 'Off', preferred: 'Preferred', required: 'Required' };
/** AsyncOS `table_tls`. */
const TLS_WORD: Readonly<Record<string, string>> = { off: 'off', preferred: 'on', required: 'require' };

/** What holds where neither Default nor the `delivery` section says otherwise. */
const STANDING = { tls: 'preferred', maxConnectionsPerHost: 20, maxMessagesPerConnection: 50 } as const;

const mappingAt = (document: Json, path: readonly string[]): Mapping => {
  const found = valueAt(document, path);
  return isMapping(found) ? found : {};
};

export const domainsOf = (document: Mapping): Mapping => mappingAt(document, [...SECTION, 'domains']);

/** What Default says, with what holds where it says nothing. */
export function defaultEntry(document: Mapping): Mapping {
  const delivery = mappingAt(document, ['delivery']);
  return {
    tls: STANDING.tls,
    maxConnections: delivery['maxConnectionsPerHost'] ?? STANDING.maxConnectionsPerHost,
    maxMessagesPerConnection: delivery['maxMessagesPerConnection'] ?? STANDING.maxMessagesPerConnection,
    recipientLimit: 'none',
    ...mappingAt(document, [...SECTION, 'default']),
  };
}

export function limitText(limit: Json | undefined): string {
  if (limit === undefined) return 'Default';
  if (!isMapping(limit)) return 'None';
  return `${shown(limit['recipients'] ?? '')} in ${shown(limit['minutes'] ?? 60)} min`;
}

/** One row of LIST. */
export function entryRow(entry: Json): string {
  const { tls, maxConnections, maxMessagesPerConnection, recipientLimit }: Mapping = isMapping(entry) ? entry : {};
  return [
    `TLS ${typeof tls === 'string' ? (TLS_LABEL[tls] ?? tls) : 'Default'}`,
    `concurrency ${shown(maxConnections ?? 'Default')}`,
    `messages ${shown(maxMessagesPerConnection ?? 'Default')}`,
    `recipients ${limitText(recipientLimit)}`,
  ].join(', ');
}

export function listText(document: Mapping): string {
  const rows = [...Object.entries(domainsOf(document)), ['(Default)', defaultEntry(document)] as const];
  const table = rows.map(([domain, entry]) => {
    const { tls, maxConnections, maxMessagesPerConnection, recipientLimit }: Mapping = isMapping(entry) ? entry : {};
    return [
      domain,
      limitText(recipientLimit),
      shown(maxConnections ?? 'Default'),
      shown(maxMessagesPerConnection ?? 'Default'),
      typeof tls === 'string' ? (TLS_LABEL[tls] ?? tls) : 'Default',
    ];
  });
  const heads = ['Domain', 'Recipient Limit', 'Concurrency', 'Messages', 'TLS'];
  const widths = heads.map((head, i) => Math.max(head.length, ...table.map((cells) => cells[i]?.length ?? 0)));
  const print = (cells: readonly string[]): string =>
    `${cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  return [heads, widths.map((width) => '='.repeat(width)), ...table].map(print).join('');
}

const iniSection = (name: string, rows: readonly (readonly [string, string])[]): string =>
  [`[${name}]`, ...rows.map(([key, value]) => `${key} = ${value}`), ''].join('\n');

function iniRows(entry: Mapping): (readonly [string, string])[] {
  const { tls, maxConnections, maxMessagesPerConnection, recipientLimit } = entry;
  const limit: [string, string][] =
    recipientLimit === undefined
      ? []
      : isMapping(recipientLimit)
        ? [
            ['recipient_minutes', shown(recipientLimit['minutes'] ?? 60)],
            ['recipient_limit', shown(recipientLimit['recipients'] ?? '')],
          ]
        : [
            ['recipient_minutes', '60'],
            ['recipient_limit', '0'],
          ];
  const limited = maxConnections !== undefined || recipientLimit !== undefined;
  return [
    ...(maxConnections === undefined ? [] : [['max_host_concurrency', shown(maxConnections)] as const]),
    ...(maxMessagesPerConnection === undefined
      ? []
      : [['max_messages_per_connection', shown(maxMessagesPerConnection)] as const]),
    ...limit,
    // AsyncOS: with a limit it must be said what it counts for: the domain, on the whole machine.
    ...(limited ? ([['limit_type', '0'] as const, ['limit_apply', '0'] as const] as const) : []),
    ...(typeof tls === 'string' ? [['table_tls', TLS_WORD[tls] ?? tls] as const] : []),
  ];
}

/** The file of EXPORT; AsyncOS wants every key in [DEFAULT]. */
export function iniText(document: Mapping): string {
  const alert = valueAt(document, [...SECTION, 'sendTlsRequiredAlert']) === true;
  const fixed: [string, string][] = [
    ['ip_sort_pref', 'PREFER_V6'],
    ['bounce_validation', '0'],
    ['send_tls_req_alert', alert ? '1' : '0'],
  ];
  return [
    '# Destination controls, written by sallyport destconfig\n',
    iniSection('DEFAULT', [...iniRows(defaultEntry(document)), ...fixed]),
    ...Object.entries(domainsOf(document)).map(([domain, entry]) =>
      iniSection(domain, iniRows(isMapping(entry) ? entry : {})),
    ),
  ].join('\n');
}

export type ParsedDestinations =
  | {
      readonly ok: true;
      readonly common: Mapping;
      readonly domains: Mapping;
      readonly sendTlsRequiredAlert: boolean | undefined;
      /** What the file says and nothing here does. */
      readonly left: readonly string[];
    }
  | { readonly ok: false; readonly why: string };

type Row = { readonly line: number; readonly key: string; readonly value: string };
type Section = { readonly line: number; readonly name: string; readonly rows: Row[] };

export function parseIni(text: string): ParsedDestinations {
  const sections: Section[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const row = raw.replace(/^\s*[#;].*/, '').trim();
    if (row === '') continue;
    const name = /^\[([^\]]+)\]$/.exec(row)?.[1]?.trim();
    if (name !== undefined) {
      if (sections.some((each) => each.name.toLowerCase() === name.toLowerCase()))
        return { ok: false, why: `line ${i + 1}: ${name} is there already` };
      sections.push({ line: i + 1, name, rows: [] });
      continue;
    }
    const [, key = '', value = ''] = /^([A-Za-z_]+)\s*[=:]\s*(.*)$/.exec(row) ?? [];
    const section = sections.at(-1);
    if (key === '' || section === undefined) return { ok: false, why: `line ${i + 1}: [DOMAIN] or KEY = VALUE` };
    section.rows.push({ line: i + 1, key: key.toLowerCase(), value: value.trim() });
  }
  return sections.length === 0 ? { ok: false, why: 'there is no entry' } : entriesOf(sections);
}

function entriesOf(sections: readonly Section[]): ParsedDestinations {
  const domains: Record<string, Mapping> = {};
  const left: string[] = [];
  let common: Mapping = {};
  let sendTlsRequiredAlert: boolean | undefined;
  for (const { line, name, rows } of sections) {
    const isDefault = name.toUpperCase() === 'DEFAULT';
    const keyFault = isDefault ? undefined : destinationKeyFault(name);
    if (keyFault !== undefined) return { ok: false, why: `line ${line}: ${keyFault}` };
    const read = entryOf(rows);
    if (!read.ok) return read;
    const path = isDefault ? [...SECTION, 'default'] : [...SECTION, 'domains', name];
    const fault = faultAt({}, path, read.entry);
    if (fault !== undefined) return { ok: false, why: `line ${line}: ${fault}` };
    left.push(...read.left.map((each) => `${name}: ${each}`));
    if (isDefault) common = read.entry;
    else domains[name] = read.entry;
    if (read.alert !== undefined && isDefault) sendTlsRequiredAlert = read.alert;
  }
  return { ok: true, common, domains, sendTlsRequiredAlert, left };
}

type ReadEntry =
  | {
      readonly ok: true;
      readonly entry: Mapping;
      readonly left: readonly string[];
      readonly alert: boolean | undefined;
    }
  | { readonly ok: false; readonly why: string };

/** Values that ask for nothing beyond what is done anyway. */
const AS_HERE: Readonly<Record<string, readonly string[]>> = {
  ip_sort_pref: ['prefer_v6'],
  limit_type: ['0', 'host'],
  limit_apply: ['0', 'system'],
  bounce_validation: ['0', 'off', 'no', 'default'],
  bounce_profile: ['default'],
};
const TLS_OF_WORD: Readonly<Record<string, string>> = { off: 'off', on: 'preferred', require: 'required' };
const YES = ['1', 'on', 'yes', 'true'];

function entryOf(rows: readonly Row[]): ReadEntry {
  const entry: Record<string, Json> = {};
  const left: string[] = [];
  let alert: boolean | undefined;
  let limit: { recipients?: number; minutes?: number } = {};
  for (const { line, key, value } of rows) {
    const wrong = (why: string): ReadEntry => ({ ok: false, why: `line ${line}: ${key}: ${why}` });
    const word = value.toLowerCase();
    if (['max_host_concurrency', 'max_messages_per_connection', 'recipient_minutes', 'recipient_limit'].includes(key)) {
      if (!/^\d{1,9}$/.test(value)) return wrong('a whole number is needed');
      if (key === 'max_host_concurrency') entry['maxConnections'] = Number(value);
      else if (key === 'max_messages_per_connection') entry['maxMessagesPerConnection'] = Number(value);
      else if (key === 'recipient_minutes') limit = { ...limit, minutes: Number(value) };
      else limit = { ...limit, recipients: Number(value) };
    } else if (key === 'table_tls') {
      const tls = TLS_OF_WORD[word];
      // Leaving the check of the certificate out in silence would be less than was asked for.
      if (tls === undefined) return wrong(`${value} is not there yet; there are: off, on, require`);
      entry['tls'] = tls;
    } else if (key === 'send_tls_req_alert') alert = YES.includes(word);
    else if (AS_HERE[key]?.includes(word) !== true) left.push(`${key} = ${value}`);
  }
  if (limit.recipients !== undefined)
    entry['recipientLimit'] = limit.recipients === 0 ? 'none' : { minutes: 60, ...limit };
  return { ok: true, entry, left, alert };
}
