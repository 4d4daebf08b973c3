/**
 * The `Dns` port over c-ares: NXDOMAIN and NODATA are a sure no, everything else that is no answer (time-out, SERVFAIL,
 * refused) is unknown. Answers are attacker-controlled: names that are none are left out, and lists are bounded.
 * Sure answers are kept for a minute, and one question that is under way serves everybody who asks it meanwhile.
 * Effects: DNS queries.
 */
import type { MxRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { codeOf } from '../core/errors.ts';
import { isIp } from '../core/network.ts';
import type { Dns } from '../core/ports.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import { hostName } from '../core/host-name.ts';

const MAX_RECORDS = 64;
const MAX_CACHED = 10_000;
const SURE_NO = new Set(['ENOTFOUND', 'ENODATA']);

export type DnsOptions = {
  /** Addresses with optional port (`192.0.2.53`, `[2001:db8::53]:5353`); without them those of the system. */
  readonly servers?: readonly string[] | undefined;
  /** Per try. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** How long sure answers are kept; 0 asks each time. */
  readonly cacheMs?: number;
};

/** Throws where a server is not an address. */
export function createDns(options: DnsOptions): Dns {
  const { servers, timeoutMs = 5_000, tries = 3, cacheMs = 60_000 } = options;
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined && servers.length > 0) resolver.setServers([...servers]);
  const cached = answerCache(cacheMs);
  return {
    reverse: async (ip) =>
      isIp(ip) ? cached(`ptr ${ip}`, () => ask(() => resolver.reverse(ip), hostName)) : no('not an address'),
    async addresses(host) {
      const name = hostName(host);
      if (name === undefined) return no('not a host name');
      if (name === 'localhost') return yes(['127.0.0.1', '::1']); // RFC 6761 §6.3
      const families = (): Promise<[Addresses, Addresses]> =>
        Promise.all([ask(() => resolver.resolve6(name), ipOnly), ask(() => resolver.resolve4(name), ipOnly)]);
      return cached(`a ${name}`, async () => both(await families()));
    },
    async mx(domain) {
      const name = hostName(domain);
      if (name === undefined || name === 'localhost') return no('not a domain of the DNS');
      return cached(`mx ${name}`, () => ask(() => resolver.resolveMx(name), mxRecord));
    },
  };
}

type Addresses = Answer<readonly string[]>;

const ipOnly = (text: string): string | undefined => (isIp(text) ? text : undefined);

function mxRecord({ exchange, priority }: MxRecord): { exchange: string; preference: number } | undefined {
  const name = exchange === '' || exchange === '.' ? '' : hostName(exchange);
  return name === undefined ? undefined : { exchange: name, preference: priority };
}

type Cached = { readonly untilMs: number; readonly answer: Promise<Answer<unknown>> };

/** Asks, or gives the answer that is there or on its way under this key. */
function answerCache(cacheMs: number): <T>(key: string, question: () => Promise<Answer<T>>) => Promise<Answer<T>> {
  const cache = new Map<string, Cached>();
  return (key, question) => {
    const now = performance.now();
    const hit = cache.get(key);
    if (hit !== undefined && hit.untilMs > now) return hit.answer as ReturnType<typeof question>;
    if (cache.size >= MAX_CACHED) cache.clear();
    const answer = question();
    cache.set(key, { untilMs: now + cacheMs, answer });
    void answer.then((result) => {
      if (result.answer === 'unknown' || cacheMs === 0) cache.delete(key);
    });
    return answer;
  };
}

/** `yes` with an empty list: there are records, and none is usable. */
async function ask<R, T>(query: () => Promise<R[]>, clean: (found: R) => T | undefined): Promise<Answer<readonly T[]>> {
  try {
    const found = await query();
    const usable = found
      .slice(0, MAX_RECORDS)
      .map(clean)
      .filter((item) => item !== undefined);
    return found.length > 0 ? yes(usable) : no('no such record');
  } catch (error) {
    const code = codeOf(error) ?? 'error';
    return SURE_NO.has(code) ? no(code === 'ENOTFOUND' ? 'no such name' : 'no such record') : unknown(`DNS ${code}`);
  }
}

/** One family is enough; a sure no needs both. */
function both([v6, v4]: [Answer<readonly string[]>, Answer<readonly string[]>]): Answer<readonly string[]> {
  const found = [...(v6.answer === 'yes' ? v6.value : []), ...(v4.answer === 'yes' ? v4.value : [])];
  if (found.length > 0) return yes(found);
  if (v6.answer === 'unknown') return v6;
  return v4.answer === 'yes' ? no('no usable address') : v4;
}
