/** Alerts: addresses, waits, hosts. AsyncOS: alertconfig. Pure. */
import { scanPath } from '../core/address.ts';
import { type Fault, fault, warning } from '../core/fault.ts';
import { routeHostFaults } from './semantics-delivery.ts';
import type { Config } from './schema.ts';

const ADDRESS = 'an address is local-part@domain in ASCII, such as ops@example.com';
const ALONE = 'alerts need a host: leave smtpHosts out to follow SMTP routes and DNS';

export function alertFaults({ alerts }: Config): Fault[] {
  const found: Fault[] = [];
  const fromFault = alerts.from === undefined ? undefined : addressFault(alerts.from);
  if (fromFault !== undefined) found.push(fault(['alerts', 'from'], fromFault));
  const seen = new Map<string, string>();
  for (const [address, classes] of Object.entries(alerts.recipients)) {
    const path = ['alerts', 'recipients', address];
    const why = addressFault(address);
    if (why !== undefined) found.push(fault(path, why));
    const twin = seen.get(address.toLowerCase());
    if (twin !== undefined) found.push(fault(path, `the same address as ${JSON.stringify(twin)}`));
    seen.set(address.toLowerCase(), address);
    if (Object.values(classes).every((severities) => severities === undefined))
      found.push(fault(path, 'names no class: one of all, system, certificates, directory, delivery'));
  }
  if (alerts.initialWait > alerts.maxWait)
    found.push(warning(['alerts', 'initialWait'], 'is longer than maxWait, which bounds every wait'));
  alerts.smtpHosts?.forEach((host, i) => {
    const path = ['alerts', 'smtpHosts', i];
    if (host === 'USEDNS' || host === '/dev/null') found.push(fault(path, ALONE));
    else found.push(...routeHostFaults(host, path));
  });
  return found;
}

/** Why alerts cannot be sent to this address. */
export function addressFault(text: string): string | undefined {
  const scan = scanPath(`<${text}>`);
  const good = scan.ok && scan.end === text.length + 2 && scan.path.domain !== '' && /^[!-~]+$/.test(text);
  return good ? undefined : ADDRESS;
}
