/**
 * `cert verify` with its effects: a client certificate judged for one certificate profile by the code that judges live
 * sessions: every path, the lists that speak for each certificate, the directory's answer, the verdict.
 * Effects: directories, and lists where the profile fetches them.
 */
import { compileRevision } from './compiled-revision.ts';
import type { Revision } from './config/schema.ts';
import { CertificateCheck } from './identity/identify.io.ts';
import type { Stage as LdapStage } from './ldap/query.ts';
import { type DoorParts, openProfileStages } from './pipeline/doors.io.ts';
import type { Certificate } from './tls/certificate.ts';
import { CertificateDesk } from './tls/certificate-desk.io.ts';

export type Verification = {
  /** What happened, in order, one line each. */
  readonly lines: readonly string[];
  readonly ldap: readonly LdapStage[];
  readonly verdict: string;
  readonly accepted: boolean;
};

/** `certificates`: the client's own, then what it sends along. Undefined: there is no certificate profile of that name. */
export async function verifyCertificate(
  revision: Revision,
  profile: string,
  certificates: readonly [Uint8Array, ...Uint8Array[]],
  parts: Omit<DoorParts, 'ldapTrace' | 'receiveThreads' | 'desk' | 'staples'>,
): Promise<Verification | undefined> {
  const ldap: LdapStage[] = [];
  const authorities = (): readonly string[] => Object.values(revision.material.authorities);
  const desk = new CertificateDesk({ clock: parts.clock, log: parts.log, authorities });
  const opened = openProfileStages(profile, compileRevision(revision, new Map()), {
    ...parts,
    desk,
    staples: () => ({}),
    receiveThreads: 1,
    ldapTrace: (stage) => ldap.push(stage),
  });
  if (opened === undefined) return undefined;
  const { stages, close } = opened;
  try {
    const [leaf, ...presented] = certificates;
    const standing = await new CertificateCheck(leaf, () => presented, [stages]).standing(true);
    const parsed = stages.parse(leaf);
    const nowMs = parts.clock.now();
    const lines: string[] = [];
    const search = parsed === undefined ? [] : stages.findPaths(parsed, () => presented, nowMs);
    for (const { certificates: path } of search) {
      lines.push(`Path of ${path.length} certificates, valid by RFC 5280 §6.1:`);
      for (const [i, certificate] of path.entries()) {
        lines.push(`  ${i + 1}. ${certificate.subject.rfc4514}, serial ${certificate.serialHex}`);
        if (i < path.length - 1) lines.push(...listLines(certificate, parts));
      }
      const revocation = stages.checkRevocation(path, nowMs);
      lines.push(
        revocation.status === 'good'
          ? '  Revocation: no objection'
          : `  Revocation: ${revocation.words} (rule: ${revocation.rule})`,
      );
    }
    if (standing.kind === 'valid') {
      const { owner } = standing;
      const verdict =
        owner.answer === 'yes' ? `accepted: it belongs to ${owner.value.user}` : `not accepted: ${owner.why}`;
      return { lines, ldap, verdict, accepted: owner.answer === 'yes' };
    }
    const why = standing.kind === 'invalid' ? `${standing.reason} (rule: ${standing.rule})` : 'no certificate';
    return { lines, ldap, verdict: `not accepted: ${why}`, accepted: false };
  } finally {
    close();
    desk.stop();
  }
}

/** Lists of the certificate's issuer that are held. */
function listLines({ issuer }: Certificate, { crls }: Pick<DoorParts, 'crls'>): string[] {
  const lists = crls.set.lists.filter(({ issuerKey }) => issuerKey === issuer.key);
  if (lists.length === 0) return [`     no revocation list of ${issuer.rfc4514} is held`];
  return lists.map(({ source, table, crlNumber, nextUpdateMs }) => {
    const number = crlNumber === undefined ? '' : `, CRL number ${crlNumber}`;
    const next = nextUpdateMs === undefined ? 'no nextUpdate' : `nextUpdate ${new Date(nextUpdateMs).toISOString()}`;
    return `     list of source ${source}: ${table.count} entries${number}, ${next}`;
  });
}
