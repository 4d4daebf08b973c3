/** Alerts: addresses, waits, hosts. AsyncOS: alertconfig. Pure. */
import { scanPath } from '../core/address.ts';
import { type Fault, fault, warning } from '../core/fault.ts';
import { routeHostFaults } from './semantics-delivery.ts';
import type { Config } from './schema.ts';

export const ADDRESS = 'an address is local-part@domain in ASCII, such as ops@example.com';
const ALONE = 'alerts need a host: leave smtpHosts out to follow SMTP routes and DNS';

export function alertFaults({ alerts }: Config): Fault[] {
  const found: Fault[] = [];
  if (alerts.from !== undefined && !isAddress(alerts.from)) found.push(fault(['alerts', 'from'], ADDRESS));
  const seen = new Map<string, string>();
  for (const [address, classes] of Object.entries(alerts.recipients)) {
    const path = ['alerts', 'recipients', address];
    if (!isAddress(address)) found.push(fault(path, ADDRESS));
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

/** Whether a mail server would take it: `local-part@domain` in ASCII. */
export function isAddress(text: string): boolean {
  const scan = scanPath(`<${text}>`);
  return scan.ok && scan.end === text.length + 2 && scan.path.domain !== '' && /^[!-~]+$/.test(text);
}
