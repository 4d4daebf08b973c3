/** A name that another section must define. The fault names what exists. Pure. */
import { type Fault, fault } from '../core/fault.ts';
import { didYouMean, listed } from './suggestion.ts';

export type Reference = {
  readonly path: readonly (string | number)[];
  readonly name: string;
  /** `ldap.servers`, for the message. */
  readonly section: string;
  readonly exist: readonly string[];
};

export function danglingReference({ path, name, section, exist }: Reference): Fault[] {
  if (exist.includes(name)) return [];
  const hint = didYouMean(name, exist);
  const what = `there is no "${name}" in ${section}`;
  if (exist.length === 0) return [fault(path, `${what}, which is empty`)];
  return [fault(path, `${what}${hint}${hint === '' ? ';' : ''} there is: ${listed(exist)}`)];
}
