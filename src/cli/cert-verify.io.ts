/**
 * `sallyport cert verify`: would this client certificate be accepted by that profile, and why. Exit 0 or 1.
 * Effects: reads the configuration and files, asks the directory, fetches revocation lists that no data folder has.
 */
import path from 'node:path';
import { verifyCertificate } from '../certificate-verification.ts';
import { printable } from '../core/reply.ts';
import { offlineRevocation } from '../offline-revocation.ts';
import { loadRevision } from '../revision.ts';
import type { Arguments, Write } from './arguments.ts';
import { refuse } from './cert.ts';
import { readCertificates } from './cert-files.io.ts';
import { renderStage } from './ldaptest.ts';

export async function verify({ rest: [file = ''], options }: Arguments, write: Write): Promise<number> {
  const { profile, config: configFile = 'sallyport.yaml', data } = options;
  if (profile === undefined) return refuse('--profile is needed: a profile of type certificate', write);
  const read = await readCertificates(file);
  if (!read.ok) return refuse(`${file}: ${read.why}`, write);
  const [leaf, ...others] = read.certificates.map(({ der }) => der);
  if (leaf === undefined) return refuse(`${file}: the file holds no certificate that can be read`, write);
  const loaded = await loadRevision({ file: path.normalize(configFile), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const { config, material } = loaded.revision;
  const clock = { now: (): number => Date.now() };
  const log = { emit: () => undefined };
  const baseDir = path.dirname(path.resolve(configFile));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: data, clock, log });
  const found = await verifyCertificate(loaded.revision, profile, [leaf, ...others], { clock, log, crls });
  if (found === undefined) return refuse(`there is no profile ${profile} of type certificate`, write);
  for (const line of found.lines) write(`${printable(line)}\n`);
  for (const stage of found.ldap) write(renderStage(stage));
  write(`${printable(found.verdict)}\n`);
  return found.accepted ? 0 : 1;
}
