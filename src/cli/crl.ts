/** `crl list` and `crl update` as text for a terminal. Pure. */
import { printable } from '../core/reply.ts';
import { spacedTime } from '../core/time-text.ts';
import type { CrlListing, ListedCrl, ListedSource } from '../tls/crl-listing.ts';

/** Every line ends with a newline. */
export function renderCrlList({ nowMs, sources }: CrlListing): string {
  if (sources.length === 0) return 'No CRL sources are configured.\n';
  return sources
    .map((source) =>
      sourceLines(source, nowMs)
        .map((line) => `${printable(line)}\n`)
        .join(''),
    )
    .join('\n');
}

function sourceLines(source: ListedSource, nowMs: number): string[] {
  const { name, enabled, schedule, url, lastSuccessMs, lastError, nextRunMs, lists, everGood } = source;
  if (!enabled) return [`${name}  disabled`];
  const next = nextRunMs === undefined ? '' : `, next ${inWords(nextRunMs - nowMs)}`;
  const fetched =
    lastSuccessMs === undefined
      ? 'never'
      : `${agoWords(nowMs - lastSuccessMs)}${url === undefined ? '' : ` from ${url}`}`;
  return [
    `${name}  ${schedule}${next}`,
    `  fetched    ${fetched}`,
    ...(lastError === undefined ? [] : [`  error      ${lastError}`]),
    ...(lists.length > 0
      ? lists.flatMap((list) => listLines(list, nowMs))
      : [everGood ? '  no list is here' : '  no good copy yet']),
  ];
}

function listLines(list: ListedCrl, nowMs: number): string[] {
  const { issuer, entries, crlNumber, thisUpdateMs, nextUpdateMs, age } = list;
  const kind = [list.delta ? 'delta' : '', list.partial ? 'partial' : ''].filter((word) => word !== '').join(', ');
  const number = crlNumber === undefined ? '' : `, CRL number ${crlNumber}`;
  const end =
    nextUpdateMs === undefined
      ? 'no nextUpdate'
      : `nextUpdate ${spacedTime(nextUpdateMs)} (${inWords(nextUpdateMs - nowMs)})`;
  return [
    `  ${issuer}${kind === '' ? '' : ` (${kind})`}`,
    `    ${entries} ${entries === 1 ? 'entry' : 'entries'}${number}${age === 'fresh' ? '' : `, ${age}`}`,
    `    thisUpdate ${spacedTime(thisUpdateMs)} (${agoWords(nowMs - thisUpdateMs)}), ${end}`,
  ];
}

const agoWords = (ms: number): string => (ms < 0 ? `in ${spanWords(-ms)}` : `${spanWords(ms)} ago`);
const inWords = (ms: number): string => agoWords(-ms);

const UNITS = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']] as const; // biome-ignore format: a table

/** The largest unit that fits, rounded down. */
function spanWords(ms: number): string {
  const [unitMs, unit] = UNITS.find(([each]) => ms >= each) ?? [1000, 's'];
  return `${Math.floor(ms / unitMs)} ${unit}`;
}
