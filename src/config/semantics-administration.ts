/** The web interface: names that lead nowhere, logins that nobody could use or that are not checked. Pure. */
import { type Fault, fault, warning } from '../core/fault.ts';
import type { Config } from './schema.ts';
import { danglingReference } from './semantics-references.ts';

export function adminFaults(config: Config): Fault[] {
  const { admin } = config;
  if (admin === undefined) return [];
  const found: Fault[] = [];
  const refer = (
    path: readonly (string | number)[],
    name: string,
    section: 'certificates' | 'certificateAuthorities',
  ) => found.push(...danglingReference({ path, name, section, exist: Object.keys(config[section]) }));
  if (admin.certificate !== undefined) refer(['admin', 'certificate'], admin.certificate, 'certificates');
  for (const [i, name] of (admin.clientCertificate?.trust ?? []).entries())
    refer(['admin', 'clientCertificate', 'trust', i], name, 'certificateAuthorities');
  if (admin.clientCertificate !== undefined && !config.crl.checkWebInterface)
    found.push(
      warning(
        ['admin', 'clientCertificate'],
        'certificates are not checked for revocation: crl.checkWebInterface is off',
      ),
    );
  if (admin.sessionLifetime < admin.sessionIdle)
    found.push(fault(['admin', 'sessionLifetime'], 'must not be shorter than sessionIdle'));
  return found;
}
