/** OCSP stapling: the gateway hands clients that ask for it a fresh answer about its own certificate. Peer: OpenSSL. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OcspRig } from './ocsp-rig.ts';
import { NOT_STAPLED, STAPLED, statusOf } from './staple-of.ts';

const SERVER = [
  'basicConstraints=critical,CA:FALSE',
  'extendedKeyUsage=serverAuth',
  'subjectAltName=DNS:gw.example.test',
];

type Section = Record<string, unknown>;

/** The gateway's own certificate names the responder, which says this about it. */
function stapling(rig: OcspRig, status: 'good' | 'revoked'): (config: Section) => Section {
  rig.responder.index = { ...rig.responder.index, '2050': status };
  const own = rig.site.pki.issue({
    subject: '/CN=gw.example.test',
    serial: '2050',
    extensions: [...SERVER, `authorityInfoAccess=OCSP;URI:${rig.responder.url}`],
  });
  writeFileSync(join(rig.site.folder, 'pki', 'stapled.pem'), own.cert + rig.site.pki.issuing.own.cert);
  writeFileSync(join(rig.site.folder, 'pki', 'stapled.key'), own.key);
  return (config) => ({
    ...config,
    certificates: { gateway: { certFile: 'pki/stapled.pem', keyFile: 'pki/stapled.key' } },
  });
}

for (const [status, expected] of [
  ['good', STAPLED],
  ['revoked', NOT_STAPLED],
] as const)
  test(`a certificate that its responder calls ${status} is ${status === 'good' ? '' : 'not '}stapled`, async () => {
    const rig = await OcspRig.open();
    const [running] = await rig.startWith([{}], stapling(rig, status));
    assert.ok(running !== undefined);
    await running.gateway.event(({ event }) => /staple/.test(String(event)));
    assert.match(await statusOf(running.port), expected);
    await running.gateway.stop();
  });

test('a staple is there again after a restart while the responder is down, and none that was taken back', async () => {
  const rig = await OcspRig.open();
  const [first] = await rig.startWith([{}], stapling(rig, 'good'));
  assert.ok(first !== undefined);
  await first.gateway.event(({ event }) => event === 'staple-updated');
  await first.stop();

  await rig.responder.down();
  const second = await first.again();
  assert.match(await statusOf(second.port), STAPLED);
  await second.gateway.event(({ event }) => event === 'staple-failed');
  assert.match(await statusOf(second.port), STAPLED);
  await second.stop();

  rig.responder.index = { ...rig.responder.index, '2050': 'revoked' };
  await rig.responder.up();
  const third = await second.again();
  await third.gateway.event((each) => each.event === 'staple-failed' && /revoked/.test(String(each['why'])));
  assert.match(await statusOf(third.port), NOT_STAPLED);
  await third.stop();

  await rig.responder.down();
  const fourth = await third.again();
  assert.match(await statusOf(fourth.port), NOT_STAPLED);
  await fourth.stop();
});
