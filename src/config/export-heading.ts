/** The comment on top of a saved configuration: what it is, and what became of its secrets. Pure. */
import { isoSeconds } from '../core/time-text.ts';
import type { ExportOptions } from './configuration-store.ts';

const SECRETS: Readonly<Record<ExportOptions['secrets'], string>> = {
  masked: 'Secrets are masked: loaded where they are known, this file keeps them; elsewhere they must be written in.',
  sealed: 'Secrets are encrypted under a passphrase: sallyport config load asks for it.',
  clear: 'SECRETS ARE IN THE CLEAR: keep this file as you would keep them.',
};

const BASED_ON = 'uncommitted changes, based on revision ';
const HEADING = new RegExp(`^# Sallyport configuration, (?:${BASED_ON}|revision )(\\d{1,9}), saved `, 'm');

/** The revision that a saved configuration says it was made from. */
export function revisionInHeading(text: string): number | undefined {
  const number = HEADING.exec(text.slice(0, 1000))?.[1];
  return number === undefined ? undefined : Number(number);
}

export function exportHeading(
  revision: number,
  isCandidate: boolean,
  { secrets, nowMs }: { readonly secrets: ExportOptions['secrets']; readonly nowMs: number },
): string[] {
  const what = isCandidate ? `${BASED_ON}${revision}` : `revision ${revision}`;
  return [`Sallyport configuration, ${what}, saved ${isoSeconds(nowMs)}.`, SECRETS[secrets]];
}
