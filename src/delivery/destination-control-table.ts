/**
 * Destination Controls as an administrator sets them (`destconfig`): which row holds for a recipient's domain, and what
 * it says. The domain itself is looked up first, then the longest `.partial` (which excludes the domain itself), then
 * Default. What a row leaves out, Default says; what that leaves out, the `delivery` section does. Pure.
 */
import type { Config } from '../config/schema.ts';
import { comparableDomain } from '../core/host-name.ts';

/** The forms that verify the host's certificate have their place after `required`. */
export type TlsSetting = 'off' | 'preferred' | 'required';

export type RecipientLimit = { readonly recipients: number; readonly minutes: number };

export type DestinationControl = {
  /** Its place in the configuration. */
  readonly rule: string;
  readonly tls: TlsSetting;
  readonly maxConnections: number;
  readonly maxMessagesPerConnection: number;
  readonly recipientLimit: RecipientLimit | undefined;
  /** Each domain counts for itself, also where one SMTP route leads to the same hosts. */
  readonly byDomain: boolean;
};

export type ControlTable = {
  readonly exact: ReadonlyMap<string, DestinationControl>;
  /** Keys without their leading dot. */
  readonly partial: ReadonlyMap<string, DestinationControl>;
  readonly otherwise: DestinationControl;
};

type Entry = Config['destinationControls']['default'];

/** Never fails: what `check` refuses is left out. */
export function compileControls({
  destinationControls: { default: common, domains },
  delivery,
}: Pick<Config, 'destinationControls' | 'delivery'>): ControlTable {
  const { maxConnectionsPerHost: maxConnections, maxMessagesPerConnection } = delivery;
  const standing = { tls: 'preferred', maxConnections, maxMessagesPerConnection, recipientLimit: 'none' } as const;
  const ofDefault = over(standing, common);
  const otherwise = controlOf('destinationControls.default', ofDefault);
  const exact = new Map<string, DestinationControl>();
  const partial = new Map<string, DestinationControl>();
  for (const [key, entry] of Object.entries(domains)) {
    const domain = comparableDomain(key.startsWith('.') ? key.slice(1) : key);
    if (domain === undefined) continue; // `check` refuses it
    const control = { ...controlOf(`destinationControls.domains.${key}`, over(ofDefault, entry)), byDomain: true };
    (key.startsWith('.') ? partial : exact).set(domain, control);
  }
  return { exact, partial, otherwise };
}

type Merged = { readonly [Key in keyof Required<Entry>]: NonNullable<Entry[Key]> };

/** What an entry says; what it leaves out, `below` does. */
function over(below: Merged, entry: Entry): Merged {
  return {
    tls: entry.tls ?? below.tls,
    maxConnections: entry.maxConnections ?? below.maxConnections,
    maxMessagesPerConnection: entry.maxMessagesPerConnection ?? below.maxMessagesPerConnection,
    recipientLimit: entry.recipientLimit ?? below.recipientLimit,
  };
}

function controlOf(rule: string, merged: Merged): DestinationControl {
  const { tls, maxConnections, maxMessagesPerConnection, recipientLimit } = merged;
  const limit = recipientLimit === 'none' ? undefined : recipientLimit;
  return {
    rule,
    tls,
    maxConnections,
    maxMessagesPerConnection,
    recipientLimit: limit,
    // An alert names the domain, a limit counts for it: neither may be lost among others on the way to one host.
    byDomain: tls === 'required' || limit !== undefined,
  };
}

/** `domain` as it stands in an address. */
export function controlFor({ exact, partial, otherwise }: ControlTable, domain: string): DestinationControl {
  if (exact.size === 0 && partial.size === 0) return otherwise;
  const name = comparableDomain(domain);
  if (name === undefined) return otherwise;
  const own = exact.get(name);
  if (own !== undefined) return own;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const within = partial.get(name.slice(dot + 1));
    if (within !== undefined) return within;
  }
  return otherwise;
}
