/**
 * `cert verify` of a running gateway whose profile asks an OCSP responder (`openssl ocsp`): each answer with its
 * responder, signer and times, and what the profile makes of it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Credentials } from '../../support/certificate-authority.ts';
import { PROGRAM } from '../../support/gateway.ts';
import { HOUR } from '../../support/ocsp-responder.ts';
import { runProgram } from '../../support/program.ts';
import { type OcspGateway, OcspRig } from './ocsp-rig.ts';

let rig: OcspRig;
let running: OcspGateway;
before(async () => {
  rig = await OcspRig.open();
  running = await rig.start({});
});

const verify = async (card: Credentials): Promise<{ code: number | null; output: string }> =>
  runProgram(PROGRAM, ['cert', 'verify', card.certFile, '--profile', 'cac0', '--data', running.gateway.data]);

const INSTANT = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
const TIMES = `producedAt ${INSTANT}, thisUpdate ${INSTANT}, nextUpdate ${INSTANT}`;

test('a good answer is shown with responder, signer and times; the list of the root beside it', async () => {
  const { code, output } = await verify(rig.card('alice'));
  assert.equal(code, 0, output);
  const signer = 'signed by CN=Test Card Issuing CA,O=Example';
  assert.match(output, new RegExp(`OCSP ${rig.responder.url}: good, ${signer}, ${TIMES}: no objection`));
  assert.match(output, /list of source root \(CN=Test Card Root CA,O=Example\): 0 entries/);
  assert.match(output, /^accepted: it belongs to alice$/m);
});

test('a revoked one refuses, with the reason and the rule; what the responder does not know, too', async () => {
  const revoked = await verify(rig.card('frank'));
  assert.equal(revoked.code, 1);
  assert.match(revoked.output, new RegExp(`OCSP ${rig.responder.url}: revoked, .*: .*since ${INSTANT}: revoked`));
  assert.match(revoked.output, /^not accepted: client certificate revoked\nrule: smtpAuthProfiles\.cac0\.ocsp: http/m);
  const unknown = await verify(rig.card('bob'));
  assert.equal(unknown.code, 1);
  assert.match(unknown.output, new RegExp(`OCSP ${rig.responder.url}: unknown, .*does not know the certificate`));
  assert.match(unknown.output, /^not accepted: client certificate cannot be checked for revocation: no OCSP answer$/m);
});

test('the answer is the one that sessions use: the responder is asked once for both', async () => {
  rig.responder.questions = 0;
  assert.equal((await verify(rig.card('carol'))).code, 0);
  assert.match(await running.enter(rig.card('carol')), /^250 2\.1\.0/);
  assert.equal(rig.responder.questions, 1);
});

test('a responder that is down is told with its reason; the certificate is not accepted now', async () => {
  rig.responder.behaviour = { kind: 'status', code: 503 };
  const { code, output } = await verify(rig.stranger('3999'));
  rig.responder.behaviour = HOUR;
  assert.equal(code, 1);
  assert.match(output, /OCSP: no answer: http:\S+: the server answers 503/);
  assert.match(output, /^not accepted now: client certificate cannot be checked/m);
});
