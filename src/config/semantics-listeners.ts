/**
 * Listeners: references, addresses that are claimed twice, the order and the names of the host access table, recipient
 * access tables that are missing or never asked. AsyncOS: listenerconfig, HAT, RAT. Pure.
 */
import { type Fault, fault, warning } from '../core/fault.ts';
import { type AddressPort, isLoopback, overlap, parseAddressPort } from './addresses.ts';
import { implicitPolicy, policyNames } from './built-in-policies.ts';
import { effectivePolicy } from './effective-policy.ts';
import { profileNames } from './listener-profiles.ts';
import type { Config, ListenerConfig, SenderGroupConfig } from './schema.ts';
import { danglingReference } from './semantics-references.ts';

type Path = readonly (string | number)[];

export function listenerFaults(config: Config): Fault[] {
  const listeners = Object.entries(config.listeners);
  if (listeners.length === 0) return [fault(['listeners'], 'at least one listener is needed')];
  return listeners.flatMap(([name, listener]) => {
    const path = ['listeners', name];
    return [
      ...referenceFaults(path, listener, config),
      ...hatFaults(path, listener, config),
      ...ratFaults(path, name, config),
    ];
  });
}

function referenceFaults(path: Path, listener: ListenerConfig, config: Config): Fault[] {
  const found: Fault[] = [];
  const { certificate } = listener;
  if (certificate !== undefined) {
    const exist = Object.keys(config.certificates);
    found.push(
      ...danglingReference({ path: [...path, 'certificate'], name: certificate, section: 'certificates', exist }),
    );
  }
  return [...found, ...profileReferenceFaults([...path, 'smtpAuthProfile'], listener, config)];
}

/** Several profiles share a listener where each is about certificates and at most one way leads on to passwords. */
function profileReferenceFaults(path: Path, listener: ListenerConfig, config: Config): Fault[] {
  const names = profileNames(listener);
  const exist = Object.keys(config.smtpAuthProfiles);
  const at = (i: number): Path => (typeof listener.smtpAuthProfile === 'string' ? path : [...path, i]);
  const found = names.flatMap((name, i) =>
    danglingReference({ path: at(i), name, section: 'smtpAuthProfiles', exist }),
  );
  if (names.length < 2 || found.length > 0) return found;
  let fallback: string | undefined;
  for (const [i, name] of names.entries()) {
    const profile = config.smtpAuthProfiles[name];
    if (profile === undefined) continue;
    if (names.indexOf(name) < i) found.push(fault(at(i), `"${name}" is in the list already`));
    if (profile.type !== 'certificate') {
      found.push(
        fault(at(i), `"${name}" is a profile of type ldap; in a list of several each must be of type certificate`),
      );
    } else if (profile.allowSmtpAuth !== undefined) {
      if (fallback !== undefined && fallback !== profile.allowSmtpAuth) {
        const message = `allowSmtpAuth of "${name}" is ${profile.allowSmtpAuth}, and that of a profile before it is ${fallback}; a listener has one way to check passwords`;
        found.push(fault(at(i), message));
      }
      fallback ??= profile.allowSmtpAuth;
    }
  }
  return found;
}

function hatFaults(path: Path, listener: ListenerConfig, config: Config): Fault[] {
  const { hat } = listener;
  const found: Fault[] = [];
  const seen = new Set<string>();
  for (const [i, group] of hat.entries()) {
    const at = [...path, 'hat', i];
    found.push(...groupFaults(at, group, i === hat.length - 1));
    if (seen.has(group.senderGroup)) {
      found.push(
        fault(
          [...at, 'senderGroup'],
          `the sender group "${group.senderGroup}" is there already; a name may appear once`,
        ),
      );
    }
    seen.add(group.senderGroup);
    const exist = policyNames(config.mailFlowPolicies);
    found.push(
      ...danglingReference({ path: [...at, 'policy'], name: group.policy, section: 'mailFlowPolicies', exist }),
    );
    if (group.senderGroup === 'ALL' && effectivePolicy(config, '', group.policy).behavior === 'continue') {
      found.push(fault([...at, 'policy'], 'the group ALL cannot continue: no group comes after it'));
    }
  }
  if (!seen.has('ALL')) {
    const rest = implicitPolicy(listener.type);
    found.push(warning([...path, 'hat'], `there is no group ALL: senders that no group matches get ${rest}`));
  }
  return found;
}

function groupFaults(at: Path, { senderGroup, senders }: SenderGroupConfig, last: boolean): Fault[] {
  if (senderGroup === 'ALL') {
    const found: Fault[] = [];
    if (senders !== undefined)
      found.push(fault([...at, 'senders'], 'the group ALL takes every sender; it has no senders'));
    if (!last) found.push(fault([...at, 'senderGroup'], 'the group ALL takes every sender; it must be the last'));
    return found;
  }
  if (senders === undefined) return [fault(at, `the group "${senderGroup}" needs senders; only ALL has none`)];
  return senders.length === 0 ? [warning([...at, 'senders'], 'is empty: the group never matches')] : [];
}

function ratFaults(path: Path, name: string, config: Config): Fault[] {
  const listener = config.listeners[name] as ListenerConfig;
  if (listener.type === 'private') {
    return listener.rat === undefined
      ? []
      : [warning([...path, 'rat'], 'is never asked: only a public listener has a recipient access table')];
  }
  if ((listener.rat?.length ?? 0) > 0) return ratEntryFaults(path, listener);
  const policies = [
    ...listener.hat.map(({ policy }) => policy),
    ...(hasAll(listener) ? [] : [implicitPolicy('public')]),
  ];
  const accepts = policies.some((policy) => effectivePolicy(config, name, policy).behavior === 'accept');
  return accepts
    ? [warning(path, 'a public listener without rat rejects every recipient; give it rat, or a policy that relays')]
    : [];
}

function ratEntryFaults(path: Path, { rat = [] }: ListenerConfig): Fault[] {
  const last = rat.findIndex(({ recipients }) => recipients.includes('ALL'));
  const found: Fault[] = [];
  if (last >= 0 && last < rat.length - 1) {
    found.push(warning([...path, 'rat', last + 1], 'is never reached: an entry before it takes ALL recipients'));
  }
  if (last >= 0 && rat[last]?.action === 'accept') {
    found.push(warning([...path, 'rat', last], 'open relay: mail from outside is accepted for any recipient'));
  }
  return found;
}

const hasAll = ({ hat }: ListenerConfig): boolean => hat.some(({ senderGroup }) => senderGroup === 'ALL');

/** Every address belongs to one listener, and metrics are for this machine only. */
export function addressFaults(config: Config): Fault[] {
  const claimed: { readonly owner: string; readonly text: string; readonly address: AddressPort }[] = [];
  const found: Fault[] = [];
  const claim = (path: Path, owner: string, text: string) => {
    const address = parseAddressPort(text);
    if (address === undefined) return;
    const other = claimed.find((candidate) => overlap(candidate.address, address));
    if (other !== undefined) found.push(fault(path, `${text} is taken: ${other.owner} listens on ${other.text}`));
    claimed.push({ owner, text, address });
  };
  for (const [name, { address }] of Object.entries(config.listeners)) {
    for (const [i, text] of address.entries()) claim(['listeners', name, 'address', i], `listeners.${name}`, text);
  }
  for (const [i, text] of (config.admin?.address ?? []).entries()) claim(['admin', 'address', i], 'admin', text);
  const { metrics } = config.system;
  if (metrics === undefined) return found;
  claim(['system', 'metrics'], 'system.metrics', metrics);
  if (!isLoopback(parseAddressPort(metrics)?.host ?? '')) {
    found.push(fault(['system', 'metrics'], 'must be a loopback address, such as 127.0.0.1:9100 or [::1]:9100'));
  }
  return found;
}
