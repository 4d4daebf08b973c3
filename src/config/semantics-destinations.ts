/** Destination Controls: the domains. AsyncOS: destconfig. Pure. */
import type { Fault } from '../core/fault.ts';
import { keyFaults, routeKeyFault } from './semantics-delivery.ts';
import type { Config } from './schema.ts';

const KEY = 'a key is example.com or .example.com; for all others there is destinationControls.default';

export const destinationFaults = ({ destinationControls: { domains } }: Config): Fault[] =>
  keyFaults(domains, ['destinationControls', 'domains'], destinationKeyFault);

/** Why this is no key of a destination. */
export const destinationKeyFault = (key: string): string | undefined =>
  key.toUpperCase() === 'ALL' || routeKeyFault(key) !== undefined ? KEY : undefined;
