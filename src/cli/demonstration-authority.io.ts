/**
 * The demonstration CA of the quickstart: root, issuing CA, the gateway's certificate, a card for each of its people (PEM and
 * PKCS#12), and the lists of both CAs, one of which revokes frank's card. Effects: key generation, files.
 */
import fs from 'node:fs';
import path from 'node:path';
import { DAY_MS } from '../core/duration.ts';
import {
  certificatePem,
  type Issued,
  issueCertificate,
  issueCrlPem,
  keyPem,
  pkcs12,
} from '../tls/certificate-issuance.ts';

const ORGANIZATION = 'Sallyport Quickstart';
const PKCS12_PASSWORD = 'sallyport';

export type Card = {
  readonly user: string;
  readonly email: string;
  readonly commonName: string;
  readonly serialHex: string;
  readonly revoked: boolean;
};
export type DemonstrationAuthority = { readonly dir: string; readonly cards: readonly Card[] };

export async function makeDemonstrationAuthority({ dir, cards }: DemonstrationAuthority): Promise<void> {
  const nowMs = Date.now();
  const dates = { organization: ORGANIZATION, notBeforeMs: nowMs - DAY_MS, notAfterMs: nowMs + 3650 * DAY_MS };
  const root = await issueCertificate({ ...dates, kind: 'ca', commonName: 'Quickstart Root CA', serialHex: '01' });
  const issuing = await issueCertificate({
    ...dates,
    kind: 'ca',
    pathLength: 0,
    commonName: 'Quickstart Card CA',
    serialHex: '02',
    issuer: root,
  });
  const gateway = await issueCertificate({
    ...dates,
    kind: 'server',
    commonName: 'localhost',
    hostname: 'localhost',
    addresses: ['127.0.0.1', '::1'],
    serialHex: '03',
    issuer: root,
  });
  const put = (file: string, content: string | Uint8Array, mode = 0o644): void =>
    fs.writeFileSync(path.join(dir, file), content, { mode });
  put('pki/ca.pem', certificatePem(root) + certificatePem(issuing));
  put('pki/gateway.pem', certificatePem(gateway));
  put('pki/gateway.key', await keyPem(gateway), 0o600);

  for (const { user, email, commonName, serialHex } of cards) {
    const card = await issueCertificate({
      ...dates,
      kind: 'client',
      commonName,
      serialHex,
      email,
      upn: email,
      issuer: issuing,
    });
    put(`pki/people/${user}.pem`, certificatePem(card) + certificatePem(issuing));
    put(`pki/people/${user}.key`, await keyPem(card), 0o600);
    put(`pki/people/${user}.p12`, await pkcs12(card, [issuing], PKCS12_PASSWORD), 0o600);
  }
  const revoked = cards.filter((card) => card.revoked).map(({ serialHex }) => serialHex);
  put('crl/cac.crl', (await crl(issuing, nowMs, revoked)) + (await crl(root, nowMs, [])));
}

const crl = (issuer: Issued, nowMs: number, serials: readonly string[]): Promise<string> =>
  issueCrlPem({
    issuer,
    number: Math.floor(nowMs / 1000),
    thisUpdateMs: nowMs - DAY_MS,
    nextUpdateMs: nowMs + 3650 * DAY_MS,
    revoked: serials.map((serialHex) => ({ serialHex, atMs: nowMs - DAY_MS })),
  });
