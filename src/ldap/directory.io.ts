/**
 * The Directory port over LDAP servers: which host is asked, and what its answer means. AsyncOS: Multiple host options.
 * Failover asks the hosts in the order given; after it had to go to a later one it stays there for a while and then
 * begins with the first again. Load balancing asks them in turn. A question that no host answered is `unknown`.
 * Effects: connections to the hosts (`directory-host.io.ts`), the log.
 */
import type { LdapServerConfig, Material } from '../config/schema.ts';
import { type Answer, no, unknown, yes } from '../core/verdict.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { Directory, Found, Search } from './directory.ts';
import { DirectoryFailure } from './directory-failure.ts';
import { DirectoryHost } from './directory-host.io.ts';
import { embeddedDirectory } from './embedded-directory.ts';
import type { Outcome } from './ldap-connection.io.ts';
import { hostTarget } from './ldap-socket.io.ts';
import { parseLdif } from './ldif.ts';
import { ldapError, meaningOfBind, meaningOfSearch } from './result-codes.ts';

export type DirectoryParts = {
  readonly log: MailLog;
  /** Threads that each open this directory: they share `maxConnections`. */
  readonly share: number;
  /** How long failover stays with a later host. */
  readonly failoverHoldMs?: number;
};

const FAILOVER_HOLD_MS = 30_000;

/** Connects when first asked. `server` and `material` must have passed `check`. */
export function openDirectory(
  name: string,
  server: LdapServerConfig,
  material: Material,
  parts: DirectoryParts,
): Directory {
  if (server.ldif !== undefined) return embeddedDirectory(parseLdif(material.ldif[name] ?? '').entries, server.ldif);
  return new LdapDirectory(
    hostsOf(name, server, material, parts),
    server.strategy,
    parts.failoverHoldMs ?? FAILOVER_HOLD_MS,
  );
}

function hostsOf(
  name: string,
  server: LdapServerConfig,
  material: Material,
  { log, share }: DirectoryParts,
): DirectoryHost[] {
  const ca = server.ca === undefined ? undefined : material.authorities[server.ca];
  const settings = {
    maxConnections: Math.max(1, Math.floor(server.maxConnections / share)),
    connectTimeoutMs: server.connectTimeout,
    queryTimeoutMs: server.queryTimeout,
    account: server.bind && { dn: server.bind.dn, password: material.bindPasswords[name] ?? '' },
    onChange: (host: string, up: boolean, why: string): void =>
      log.emit({
        event: 'directory',
        server: name,
        host,
        up,
        hostsUp: hosts.filter((each) => each.up).length,
        ...(why === '' ? {} : { why }),
      }),
  };
  const hosts = (server.hosts ?? []).map((url) => new DirectoryHost(hostTarget(url, server.startTls, ca), settings));
  return hosts;
}

class LdapDirectory implements Directory {
  readonly #hosts: readonly DirectoryHost[];
  readonly #strategy: 'failover' | 'loadBalance';
  readonly #failoverHoldMs: number;
  #turn = 0;
  #preferred: DirectoryHost | undefined;
  #preferredUntilMs = 0;

  constructor(hosts: readonly DirectoryHost[], strategy: 'failover' | 'loadBalance', failoverHoldMs: number) {
    this.#hosts = hosts;
    this.#strategy = strategy;
    this.#failoverHoldMs = failoverHoldMs;
  }

  search(search: Search): Promise<Answer<Found>> {
    return this.#ask(
      (host) => host.search(search),
      ({ code, entries }) => {
        const meaning = meaningOfSearch(code);
        if (meaning === 'unanswered') return unknown(ldapError(code));
        if (meaning === 'no-entries') return yes({ entries: [], more: false });
        const more = meaning === 'more-entries' || entries.length > search.sizeLimit;
        return yes({ entries: entries.slice(0, search.sizeLimit), more });
      },
    );
  }

  async bind(dn: string, password: string): Promise<Answer<true>> {
    // RFC 4513 §5.1.1, §5.1.2: without a name or a password the bind would succeed as anonymous.
    if (dn === '' || password === '') return no('empty name or password');
    return this.#ask(
      (host) => host.bind(dn, password),
      ({ code }) => {
        const meaning = meaningOfBind(code);
        if (meaning === 'unanswered') return unknown(ldapError(code));
        return meaning === 'right' ? yes(true) : no(`LDAP authentication failed: ${ldapError(code)}`);
      },
    );
  }

  test(): ReturnType<Directory['test']> {
    return Promise.all(this.#hosts.map((host) => host.test()));
  }

  close(): void {
    for (const host of this.#hosts) host.close();
  }

  /** Each host is asked at most once, so that a question ends after `queryTimeout` per host at the latest. */
  async #ask<T>(
    ask: (host: DirectoryHost) => Promise<Outcome>,
    read: (outcome: Outcome) => Answer<T>,
  ): Promise<Answer<T>> {
    let why = '';
    for (const host of this.#inOrder()) {
      if (!host.available) {
        why = `${host.url}: ${host.why}`;
        continue;
      }
      try {
        const answer = read(await ask(host));
        if (answer.answer !== 'unknown') {
          this.#answeredBy(host);
          return answer;
        }
        why = `${host.url}: ${answer.why}`;
      } catch (error) {
        if (!(error instanceof DirectoryFailure)) throw error;
        why = `${host.url}: ${error.message}`;
      }
    }
    return unknown(why);
  }

  #inOrder(): readonly DirectoryHost[] {
    if (this.#strategy === 'loadBalance') {
      const first = this.#turn++ % this.#hosts.length;
      return [...this.#hosts.slice(first), ...this.#hosts.slice(0, first)];
    }
    const preferred = this.#preferred;
    if (preferred === undefined || performance.now() >= this.#preferredUntilMs) return this.#hosts;
    return [preferred, ...this.#hosts.filter((host) => host !== preferred)];
  }

  #answeredBy(host: DirectoryHost): void {
    if (host === this.#hosts[0]) this.#preferred = undefined;
    else if (host !== this.#preferred || performance.now() >= this.#preferredUntilMs) {
      this.#preferred = host;
      this.#preferredUntilMs = performance.now() + this.#failoverHoldMs;
    }
  }
}
