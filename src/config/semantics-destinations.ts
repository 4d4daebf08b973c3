/** Destination Controls: the domains. AsyncOS: destconfig. Pure. */
import { type Fault, fault } from '../core/fault.ts';
import { routeKeyFault } from './semantics-delivery.ts';
import type { Config } from './schema.ts';

const KEY = 'a key is example.com or .example.com; for all others there is destinationControls.default';

export function destinationFaults({ destinationControls: { domains } }: Config): Fault[] {
  const seen = new Map<string, string>();
  return Object.keys(domains).flatMap((key) => {
    const path = ['destinationControls', 'domains', key];
    const twin = seen.get(key.toLowerCase());
    seen.set(key.toLowerCase(), key);
    const keyFault = destinationKeyFault(key);
    if (keyFault !== undefined) return [fault(path, keyFault)];
    return twin === undefined ? [] : [fault(path, `the same domain as ${JSON.stringify(twin)}; domains have no case`)];
  });
}

/** Why this is no key of a destination. */
export const destinationKeyFault = (key: string): string | undefined =>
  key.toUpperCase() === 'ALL' || routeKeyFault(key) !== undefined ? KEY : undefined;
