/**
 * `cert verify` of a running gateway whose profile fetches what certificates name: missing issuers (AIA) and revocation
 * lists (distribution points), by the gateway's own desk and from allowed hosts only.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { atEnd } from '../../support/at-end.ts';
import { CLIENT_EXTENSIONS, derOf } from '../../support/certificate-authority.ts';
import { CrlServer } from '../../support/crl-server.ts';
import { type Gateway, PROGRAM } from '../../support/gateway.ts';
import { runProgram } from '../../support/program.ts';
import { Site } from '../../support/site.ts';
import { ALICE, IssuerRig } from '../issuers/issuer-rig.ts';

type Section = Record<string, unknown>;
type Run = { readonly code: number | null; readonly output: string };

const verify = ({ data }: Gateway, file: string): Promise<Run> =>
  runProgram(PROGRAM, ['cert', 'verify', file, '--profile', 'cac', '--data', data]);

let rig: IssuerRig;
before(async () => {
  rig = await IssuerRig.open();
  rig.web.put('issuing.der', rig.issuing);
});

test('an issuer that the certificate names is fetched, and the path that it completes is explained', async () => {
  const { gateway } = await rig.start({ allowHosts: [rig.web.host] });
  const { code, output } = await verify(gateway, rig.card(rig.web.url('issuing.der')).certFile);
  assert.equal(code, 0, output);
  assert.match(output, /^Issuers fetched where the certificates say \(AIA\): 1$/m);
  assert.match(output, /^Path 1, 3 certificates: valid by RFC 5280 §6\.1$/m);
  assert.match(output, /2\. CN=Test Card Issuing CA,O=Example, serial 0A \(authority\)/);
  await gateway.stop();
});

test('without aia the chain ends at the client’s certificate, and the check that says so is marked', async () => {
  const { gateway } = await rig.start(undefined);
  const { code, output } = await verify(gateway, rig.card(rig.web.url('issuing.der')).certFile);
  assert.equal(code, 1);
  assert.match(output, /^Path 1, 1 certificate: not valid: client certificate not trusted$/m);
  assert.match(output, /FAILED signature: .*; no certificate of CN=Test Card Issuing CA,O=Example verifies it/);
  await gateway.stop();
});

test('the list that the certificate names is fetched by the gateway once, and shown with its address', async () => {
  const site = await Site.open();
  const server = await CrlServer.start({ kind: 'list', body: derOf(site.pki.issuing.crl({ revoked: ['1006'] })) });
  atEnd(() => server.stop());
  const card = (serial: string) =>
    site.pki.issue({
      ...ALICE,
      serial,
      extensions: [...CLIENT_EXTENSIONS, `crlDistributionPoints=URI:${server.url()}`],
    });
  writeFileSync(join(site.pki.folder, 'root-crl.pem'), site.pki.root.crl({}));
  const { gateway } = await site.startOne({ profile: 'cac', policy: { tls: 'required' } }, (config) => {
    const profiles = config['smtpAuthProfiles'] as Record<string, Section>;
    const points = { allowHosts: [`127.0.0.1:${server.port}`] };
    return {
      ...config,
      smtpAuthProfiles: { ...profiles, cac: { ...profiles['cac'], crlDistributionPoints: points } },
      crl: {
        checkInbound: true,
        sources: { root: { type: 'pem', primaryUrl: 'file://pki/root-crl.pem', schedule: 'manual' } },
      },
    };
  });
  const good = await verify(gateway, card('1001').certFile);
  assert.equal(good.code, 0, good.output);
  assert.ok(good.output.includes(`list of source ${server.url()} (CN=Test Card Issuing CA,O=Example): 1 entry`));
  assert.match(good.output, /list of source root \(CN=Test Card Root CA,O=Example\): 0 entries/);
  const revoked = await verify(gateway, card('1006').certFile);
  assert.equal(revoked.code, 1);
  assert.match(
    revoked.output,
    /^not accepted: client certificate revoked\nrule: smtpAuthProfiles\.cac\.crlDistributionPoints$/m,
  );
  assert.equal(server.requests, 1);
  await gateway.stop();
});
