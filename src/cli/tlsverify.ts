/** What `sallyport tlsverify` prints, in the words of AsyncOS where it has words. Text of other hosts is shown printable. Pure. */
import { printable } from '../core/reply.ts';
import { isoTime } from '../core/time-text.ts';
import type { HostVerification, PeerCertificate, VerificationStep } from '../delivery/tls-verification.io.ts';
import type { DestinationVerification } from '../explain/destination-verification.io.ts';

const HEAD: Readonly<Record<VerificationStep['step'], string>> = {
  connect: 'Connecting to',
  greeting: 'Greeting',
  ehlo: 'EHLO',
  starttls: 'STARTTLS',
  tls: 'TLS connection established',
  chain: 'Verifying peer certificate',
  name: 'TLS certificate match',
};

const OUTCOME: Readonly<Record<HostVerification['outcome'], string>> = {
  verified: 'TLS certificate verified.',
  unverified: 'TLS certificate NOT verified.',
  clear: 'TLS could not be negotiated.',
  failed: 'Failed to connect.',
};

export function renderVerifiedDestination(verification: DestinationVerification): string {
  const { domain, route, trust, hosts, moreHosts, verified, policy } = verification;
  const lines = [
    `Mail for ${domain}: ${route.says} (${route.rule})`,
    ...hosts.flatMap(hostLines),
    ...(moreHosts === 0 ? [] : [`and ${moreHosts} more hosts that were not connected to`]),
    `Trusted: ${trust}`,
    `Policy: TLS ${policy.tls}: ${policy.says} (${policy.rule})`,
    `TLS verification completed: ${domain} is ${verified ? '' : 'NOT '}verified.`,
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function hostLines({ host, steps, certificates, outcome }: HostVerification): string[] {
  return [
    `Host ${host}`,
    ...steps.flatMap((each) => [
      `  ${each.ok ? 'ok    ' : 'FAILED'} ${headOf(each)}: ${each.says}`,
      ...(each.step === 'chain' ? certificates.flatMap(certificateLines) : []),
    ]),
    `  ${OUTCOME[outcome]}`,
  ];
}

const headOf = ({ step, ok }: VerificationStep): string =>
  step === 'tls' && !ok ? 'Checking TLS connection' : HEAD[step];

const certificateLines = (certificate: PeerCertificate, place: number): string[] => {
  const { subject, issuer, serial, notBeforeMs, notAfterMs, names } = certificate;
  return [
    `           ${place + 1}. ${subject}, serial ${serial}, issued by ${issuer}, valid ${isoTime(notBeforeMs)} to ${isoTime(notAfterMs)}`,
    ...(names.length === 0 ? [] : [`              names: ${names.join(', ')}`]),
  ];
};
