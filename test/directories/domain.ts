/** What a test domain is made of: the certificate of its controller, and accounts. */
import { CertificateAuthority } from '../support/certificate-authority.ts';
import { AD_BASE, type Certified } from '../support/samba-ad.ts';
import type { EntryText } from './peer.ts';

/** The certificate of LDAPS, for the address that the server has. */
export function certify(folder: string, address: string): Certified {
  const authority = CertificateAuthority.root(`${folder}/ca`, '/CN=AD CA');
  const { certFile, keyFile } = authority.issue({
    subject: '/CN=dc1.ad.example.test',
    serial: '01',
    extensions: ['extendedKeyUsage=serverAuth', `subjectAltName=IP:${address}`],
  });
  return { certFile, keyFile, caFile: authority.own.certFile };
}

/** `control`: userAccountControl; `accountExpires`: 100 ns since 1601. */
export function person(
  account: string,
  control: number,
  accountExpires: string,
  ...lines: readonly string[]
): EntryText {
  return {
    dn: `CN=${account},CN=Users,${AD_BASE}`,
    lines: [
      ...['objectClass: user', `sAMAccountName: ${account}`, `accountExpires: ${accountExpires}`, ...lines],
      `userAccountControl: ${control}`,
    ],
  };
}
