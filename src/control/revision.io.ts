/**
 * From a configuration file, or a document of the store, to a numbered revision: parse, check with every part's own checks, read the files it names.
 * `check`, start, SIGHUP and commits go through the same door. Effects: reads files; makes
 * the demonstration certificate on first use.
 */
import type { StoreFault } from '../config/configuration-store.ts';
import type { Json } from '../config/document.ts';
import { checkDocument, loadConfig } from '../config/load.io.ts';
import { renderFault, renderPlainFault } from '../config/located-fault.ts';
import type { Config, Material, Revision } from '../config/schema.ts';
import type { Fault } from '../core/fault.ts';
import { faultsOfRecipientAccess } from '../envelope/recipient-access-table.ts';
import { faultsOfLdap } from '../ldap/faults.ts';
import { faultsOfPolicy } from '../policy/host-access-table.ts';
import { demonstrationCertificate, DEMONSTRATION } from '../tls/demonstration-certificate.io.ts';
import { faultsOfTrust } from '../tls/trust-faults.ts';

type Check = (config: Config, material: Material) => readonly Fault[];

const CHECKS: readonly Check[] = [faultsOfLdap, faultsOfPolicy, faultsOfRecipientAccess, faultsOfTrust];

export type LoadedRevision =
  | {
      readonly ok: true;
      readonly revision: Revision;
      /** As it was written, secrets and all. */
      readonly document: Json;
      /** Lines for a person, and what they say. */
      readonly warnings: readonly string[];
      readonly found: readonly StoreFault[];
    }
  /** Lines for `check`; warnings may be among them. */
  | { readonly ok: false; readonly faults: readonly string[]; readonly found: readonly StoreFault[] };

/** A file, or a document of the configuration store. */
export type RevisionSource = ({ readonly file: string } | { readonly document: Json }) & {
  readonly dataDir: string | undefined;
  readonly number: number;
};

/** Without `dataDir` (the `check` command) nothing is written: no demonstration certificate is made. */
export async function loadRevision(source: RevisionSource): Promise<LoadedRevision> {
  const { dataDir, number } = source;
  const loaded = 'file' in source ? loadConfig(source.file, CHECKS) : checkDocument(source.document, CHECKS);
  const notes = loaded.ok ? loaded.warnings : loaded.faults;
  const lines =
    'file' in source
      ? notes.map((fault) => renderFault(source.file, fault))
      : notes.map((fault) => renderPlainFault(fault));
  // Without a file the positions only order the faults.
  const found = 'file' in source ? notes : notes.map(({ path, severity, message }) => ({ path, severity, message }));
  if (!loaded.ok) return { ok: false, faults: lines, found };
  const { config, document } = loaded;
  const material = { ...loaded.material, certificates: { ...loaded.material.certificates } };
  const users = [...Object.values(config.listeners), ...(config.admin === undefined ? [] : [config.admin])];
  const bare = users.some(({ certificate }) => certificate === undefined);
  if (bare && dataDir !== undefined)
    material.certificates[DEMONSTRATION] = await demonstrationCertificate(dataDir, config.hostname);
  return { ok: true, revision: { number, config, material }, document, warnings: lines, found };
}
