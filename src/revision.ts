/**
 * From a configuration file to a numbered revision: parse, check with every part's own checks, read the files it names.
 * `check`, start and SIGHUP go through the same door. Effects: reads files; makes
 * the demonstration certificate on first use.
 */
import { loadConfig, renderFault } from './config/load.io.ts';
import type { Config, Material, Revision } from './config/schema.ts';
import type { Fault } from './core/fault.ts';
import { faultsOfRoutes } from './delivery/smtp-routes.ts';
import { faultsOfRecipientAccess } from './envelope/recipient-access-table.ts';
import { faultsOfLdap } from './ldap/faults.ts';
import { faultsOfPolicy } from './policy/host-access-table.ts';
import { demonstrationCertificate, DEMONSTRATION } from './tls/demonstration-certificate.io.ts';
import { faultsOfTrust } from './tls/trust-faults.ts';

type Check = (config: Config, material: Material) => readonly Fault[];

const CHECKS: readonly Check[] = [faultsOfLdap, faultsOfRoutes, faultsOfPolicy, faultsOfRecipientAccess, faultsOfTrust];

export type LoadedRevision =
  | { readonly ok: true; readonly revision: Revision; readonly warnings: readonly string[] }
  /** Lines for `check`; warnings may be among them. */
  | { readonly ok: false; readonly faults: readonly string[] };

export type RevisionSource = { readonly file: string; readonly dataDir: string | undefined; readonly number: number };

/** Without `dataDir` (the `check` command) nothing is written: no demonstration certificate is made. */
export async function loadRevision({ file, dataDir, number }: RevisionSource): Promise<LoadedRevision> {
  const loaded = loadConfig(file, CHECKS);
  if (!loaded.ok) return { ok: false, faults: loaded.faults.map((fault) => renderFault(file, fault)) };
  const { config } = loaded;
  const warnings = loaded.warnings.map((fault) => renderFault(file, fault));
  let { material } = loaded;
  const users = [...Object.values(config.listeners), ...(config.admin === undefined ? [] : [config.admin])];
  const bare = users.some(({ certificate }) => certificate === undefined);
  if (bare && dataDir !== undefined) {
    material = {
      ...material,
      certificates: {
        ...material.certificates,
        [DEMONSTRATION]: await demonstrationCertificate(dataDir, config.hostname),
      },
    };
  }
  return { ok: true, revision: { number, config, material }, warnings };
}
