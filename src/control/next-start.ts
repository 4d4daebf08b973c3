/**
 * What of a changed configuration counts only from the next start, because threads, the account and the queue of a socket
 * that is open are chosen once. Whoever changes it is told. Pure.
 */
import type { Config } from '../config/schema.ts';

export function fromNextStart(before: Config, after: Config): string[] {
  const keys = (['receiveThreads', 'user', 'group'] as const)
    .filter((key) => before.system[key] !== after.system[key])
    .map((key) => `system.${key}`);
  const open = tcpQueues(before);
  for (const [name, { address, tcpQueue }] of Object.entries(after.listeners)) {
    const kept = address.some((each) => (open.get(each) ?? tcpQueue) !== tcpQueue);
    if (kept) keys.push(`listeners.${name}.tcpQueue`);
  }
  return keys.map((key) => `${key} counts from the next start on`);
}

const tcpQueues = ({ listeners }: Config): Map<string, number> =>
  new Map(
    Object.values(listeners).flatMap(({ address, tcpQueue }) => address.map((each) => [each, tcpQueue] as const)),
  );
