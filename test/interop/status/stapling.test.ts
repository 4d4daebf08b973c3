/** OCSP stapling: the gateway hands clients that ask for it a fresh answer about its own certificate. Peer: OpenSSL. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OcspRig } from './ocsp-rig.ts';

const SERVER = [
  'basicConstraints=critical,CA:FALSE',
  'extendedKeyUsage=serverAuth',
  'subjectAltName=DNS:gw.example.test',
];

/** What `openssl s_client -status` prints of the handshake after STARTTLS. */
function statusOf(port: number): Promise<string> {
  const args = ['s_client', '-status', '-starttls', 'smtp', '-connect', `127.0.0.1:${port}`];
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end('QUIT\r\n');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}

for (const [status, expected] of [
  ['good', /OCSP Response Status: successful[^]*Cert Status: good/],
  ['revoked', /OCSP response: no response sent/],
] as const)
  test(`a certificate that its responder calls ${status} is ${status === 'good' ? '' : 'not '}stapled`, async () => {
    const rig = await OcspRig.open();
    rig.responder.index = { ...rig.responder.index, '2050': status };
    const own = rig.site.pki.issue({
      subject: '/CN=gw.example.test',
      serial: '2050',
      extensions: [...SERVER, `authorityInfoAccess=OCSP;URI:${rig.responder.url}`],
    });
    const [running] = await rig.startWith([{}], (config) => {
      writeFileSync(join(rig.site.folder, 'pki', 'stapled.pem'), own.cert + rig.site.pki.issuing.own.cert);
      writeFileSync(join(rig.site.folder, 'pki', 'stapled.key'), own.key);
      return { ...config, certificates: { gateway: { certFile: 'pki/stapled.pem', keyFile: 'pki/stapled.key' } } };
    });
    assert.ok(running !== undefined);
    await running.gateway.event(({ event }) => /staple/.test(String(event)));
    assert.match(await statusOf(running.port), expected);
    await running.gateway.stop();
  });
