/** Certificates of the configuration as AsyncOS lists them: name, common name, issuer, status, remaining days. Pure. */
import { inDays } from '../core/counted.ts';
import { DAY_MS } from '../core/duration.ts';
import type { Certificate } from '../tls/certificate.ts';
import { printable } from '../core/reply.ts';

export type CertificateRow = {
  readonly name: string;
  readonly certificate: Certificate | undefined;
  readonly why?: string;
};

const WIDTHS = [16, 28, 28, 14, 10];
const HEADS = ['Name', 'Common Name', 'Issued By', 'Status', 'Remaining'];

/** The common name, else the whole name. */
export function commonName(rfc4514: string): string {
  const found = /(?:^|[,+])CN=((?:\\.|[^,+\\])*)/i.exec(rfc4514)?.[1];
  return found === undefined || found === '' ? rfc4514 : found.replace(/\\(.)/g, '$1');
}

export function certificateTable(rows: readonly CertificateRow[], nowMs: number): string {
  const lines = [HEADS, WIDTHS.map((width) => '-'.repeat(width)), ...rows.map((row) => cellsOf(row, nowMs))];
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => fit(cell, WIDTHS[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf({ name, certificate, why = 'cannot be read' }: CertificateRow, nowMs: number): string[] {
  if (certificate === undefined) return [name, why, '', 'Unreadable', ''];
  const { subject, issuer } = certificate;
  return [name, commonName(subject.rfc4514), commonName(issuer.rfc4514), ...validity(certificate, nowMs)];
}

function validity({ notBeforeMs, notAfterMs }: Certificate, nowMs: number): [string, string] {
  const days = Math.floor((notAfterMs - nowMs) / DAY_MS);
  if (nowMs > notAfterMs) return ['Expired', inDays(days)];
  return [nowMs < notBeforeMs ? 'Not yet valid' : 'Active', inDays(days)];
}

function fit(text: string, width: number): string {
  const safe = printable(text);
  return safe.length > width ? `${safe.slice(0, width - 1)}…` : safe.padEnd(width);
}
