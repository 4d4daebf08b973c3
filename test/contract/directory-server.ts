/** A directory as the configuration describes one, opened for a test that watches its events. */
import type { LdapServerConfig, Material } from '../../src/config/schema.ts';
import type { MailEvent } from '../../src/log/mail-event.ts';
import type { Directory } from '../../src/ldap/directory.ts';
import { openDirectory } from '../../src/ldap/directory.io.ts';
import { atEnd } from '../support/at-end.ts';
import { GATEWAY_ACCOUNT } from '../support/slapd.ts';

export const BASE_DN = 'dc=example,dc=test';

export const serverConfig = (more: Partial<LdapServerConfig>): LdapServerConfig => ({
  type: 'openldap',
  baseDn: BASE_DN,
  bind: { dn: GATEWAY_ACCOUNT.dn },
  startTls: false,
  connectTimeout: 20_000,
  queryTimeout: 20_000,
  maxConnections: 10,
  strategy: 'failover',
  cache: { ttl: 0, maxEntries: 100 },
  ...more,
});

type Opened = { readonly directory: Directory; readonly events: MailEvent[] };
type Secrets = {
  readonly password?: string;
  readonly caPem?: string;
  readonly ldif?: string;
  readonly failoverHoldMs?: number;
};

export function open(more: Partial<LdapServerConfig>, secrets: Secrets = {}): Opened {
  const events: MailEvent[] = [];
  const material: Material = {
    certificates: {},
    authorities: secrets.caPem === undefined ? {} : { ca: secrets.caPem },
    bindPasswords: { corp: secrets.password ?? GATEWAY_ACCOUNT.password },
    ldif: secrets.ldif === undefined ? {} : { corp: secrets.ldif },
  };
  const log = { emit: (event: MailEvent): void => void events.push(event) };
  const { failoverHoldMs } = secrets;
  const directory = openDirectory('corp', serverConfig(more), material, {
    log,
    share: 1,
    ...(failoverHoldMs === undefined ? {} : { failoverHoldMs }),
  });
  atEnd(() => directory.close());
  return { directory, events };
}
