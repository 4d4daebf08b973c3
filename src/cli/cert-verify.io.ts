/**
 * `sallyport cert verify`: would this client certificate be accepted by that profile, and why. Of the running gateway, by
 * its configuration and the revocation lists in force, or of a configuration file with `--config`. Exit 0 or 1.
 * Effects: the control socket; or reads the configuration and files, asks the directory and responders, fetches
 * revocation lists that no data folder has.
 */
import path from 'node:path';
import { type Verification, verifyCertificate } from '../explain/certificate-verification.io.ts';
import { offlineRevocation } from '../explain/offline-revocation.io.ts';
import { loadRevision } from '../control/revision.io.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { SILENT } from '../log/silent.ts';
import type { Arguments, Write } from './arguments.ts';
import { pemOf, refuse } from './cert.ts';
import { readCertificates } from './cert-files.io.ts';
import { renderVerification, verificationExitCode } from './cert-verify.ts';
import { askWhy, whichAsked } from './on-gateway.io.ts';

export async function verify(parsed: Arguments, write: Write): Promise<number> {
  const [file = ''] = parsed.rest;
  const { profile, config } = parsed.options;
  if (profile === undefined) return refuse('--profile is needed: a profile of type certificate', write);
  const read = await readCertificates(file);
  if (!read.ok) return refuse(`${file}: ${read.why}`, write);
  const [leaf, ...others] = read.certificates.map(({ der }) => der);
  if (leaf === undefined) return refuse(`${file}: the file holds no certificate that can be read`, write);
  const asked = { parsed, profile, certificates: [leaf, ...others] } as const;
  const found = config === undefined ? await askGateway(asked) : await askFile(asked, config);
  if (typeof found === 'string') return refuse(found, write);
  if ('faults' in found) {
    for (const line of found.faults) write(`${line}\n`);
    return 1;
  }
  write(parsed.flags.has('json') ? `${JSON.stringify(found, null, 2)}\n` : renderVerification(found));
  return verificationExitCode(found);
}

type Asked = {
  readonly parsed: Arguments;
  readonly profile: string;
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]];
};
/** A string: why not. */
type Found = Verification | { readonly faults: readonly string[] } | string;

async function askGateway({ parsed: { options, flags }, profile, certificates }: Asked): Promise<Found> {
  const which = whichAsked({ flags });
  const certificate = certificates.map(pemOf).join('');
  const answer = await askWhy(options['data'], 'POST /api/cert/verify', { which, profile, certificate });
  if (answer.ok) return answer.body as Verification;
  const { detail, errors } = answer.refusal;
  return errors.length === 0 ? detail : { faults: [detail, ...errors.map((each) => `${each.path}: ${each.detail}`)] };
}

async function askFile({ parsed: { options, flags }, profile, certificates }: Asked, file: string): Promise<Found> {
  if (flags.has('candidate')) return '--candidate is about the running gateway, --config about a file';
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) return loaded;
  const { config, material } = loaded.revision;
  const parts = { clock: systemClock, log: SILENT };
  const baseDir = path.dirname(path.resolve(file));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir: options['data'], ...parts });
  try {
    const found = await verifyCertificate(loaded.revision, { profile, certificates }, { ...parts, crls });
    return found ?? `there is no profile ${profile} of type certificate`;
  } finally {
    crls.close();
  }
}
