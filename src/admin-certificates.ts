/**
 * Client certificates of administrators: the path validation and the revocation lists of SMTP sessions, with the
 * authorities of `admin.clientCertificate` and the switch `crl.checkWebInterface`. Here, because it joins stages (tls)
 * for the API, which knows none. AsyncOS: CRL check for the web interface. RFC 5280 §6. Pure: time is handed in.
 */
import type { CertificateDoor, CertificateJudgement } from './admin/api-context.ts';
import type { Config, Material } from './config/schema.ts';
import type { Clock } from './core/ports.ts';
import { type Certificate, parseCertificate, readCertificate } from './tls/certificate.ts';
import { createSignatureCache, findPaths } from './tls/certificate-path.ts';
import { DerError } from './tls/der.ts';
import { decodePem } from './tls/pem.ts';
import { checkRevocation, type CrlSet } from './tls/revocation.ts';
import { buildTrustStore, CERTIFICATE_LABEL } from './tls/trust-store.ts';

const MAX_KEPT_SIGNATURES = 1000;
const refuse = (why: string): CertificateJudgement => ({ ok: false, why });

export function certificateDoor(config: Config, material: Material, clock: Clock, crls: () => CrlSet): CertificateDoor {
  const trust = config.admin?.clientCertificate?.trust ?? [];
  const trustStore = buildTrustStore(trust.map((name) => material.authorities[name] ?? ''));
  const signatures = createSignatureCache(MAX_KEPT_SIGNATURES);
  return {
    judge: ({ leaf: der, presented }) => {
      const leaf = readCertificate(der);
      if (leaf === undefined) return refuse('client certificate malformed');
      const nowMs = clock.now();
      const search = findPaths({ leaf, presented: () => presented, trustStore, nowMs, signatures });
      let why: string | undefined;
      for (const { certificates: path } of search) {
        const verdict = checkRevocation({ path, crls: crls(), settings: config.crl, nowMs, use: 'webInterface' });
        if (verdict.status === 'good') return identityOf(leaf);
        why ??= verdict.words;
      }
      return refuse(why ?? `client certificate not valid: ${search.failure().detail}`);
    },
    read: (file) => {
      try {
        const [der] = file[0] === 0x30 ? [file] : decodePem(file, CERTIFICATE_LABEL);
        return der === undefined ? refuse('there is no certificate in this text') : identityOf(parseCertificate(der));
      } catch (error) {
        if (error instanceof DerError) return refuse(`the certificate is malformed: ${error.message}`);
        throw error;
      }
    },
  };
}

const identityOf = ({ subject, issuer }: Certificate): CertificateJudgement => ({
  ok: true,
  identity: `${issuer.key}\n${subject.key}`,
  subject: subject.rfc4514,
  issuer: issuer.rfc4514,
});
