/** OCSP of certificate profiles: somebody to ask, and lists to fall back on where the profile falls back. Pure. */
import { type Fault, fault } from '../core/fault.ts';
import type { Config, OcspConfig } from './schema.ts';

type Path = readonly (string | number)[];

export function ocspFaults(config: Config): Fault[] {
  return Object.entries(config.smtpAuthProfiles).flatMap(([name, profile]) => {
    if (profile.type !== 'certificate' || profile.ocsp === undefined || profile.ocsp.mode === 'off') return [];
    const path = ['smtpAuthProfiles', name, 'ocsp'];
    return [...nobodyToAsk(path, profile.ocsp), ...(config.crl.checkInbound ? [] : noLists(path, profile.ocsp))];
  });
}

function nobodyToAsk(path: Path, { responders, allowHosts }: OcspConfig): Fault[] {
  if (responders !== undefined || allowHosts !== undefined) return [];
  return [
    fault(path, 'needs responders (URLs that are asked), allowHosts (hosts that a certificate may name), or both'),
  ];
}

/** Unknown is never yes: without lists a fall back to them would let everybody in, or nobody. */
function noLists(path: Path, { mode, whenUnavailable, whenNoResponder }: OcspConfig): Fault[] {
  const choices = [
    ['whenUnavailable', whenUnavailable, 'defer, refuse or accept'],
    ['whenNoResponder', whenNoResponder, 'refuse'],
  ] as const;
  return choices.flatMap(([key, choice, allowed]) => {
    if (choice === 'crl') {
      const why = `the revocation lists would decide, but crl.checkInbound is off; without lists allowed: ${allowed}`;
      return [fault([...path, key], why)];
    }
    if (choice !== undefined || mode !== 'prefer') return [];
    const why = `with prefer, and without ${key}, the revocation lists decide, but crl.checkInbound is off`;
    return [fault([...path, 'mode'], `${why}; set ${key}: ${allowed}`)];
  });
}
