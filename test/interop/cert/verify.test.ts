/** `cert verify`: the verdict of a profile on a certificate, with the reasons, as a session would get it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { PROGRAM, writeConfig } from '../../support/gateway.ts';
import { badKinds } from '../../support/pki.ts';
import { runProgram } from '../../support/program.ts';
import { Site, withListener } from '../../support/site.ts';

let site: Site;
let config: string;
before(async () => {
  site = await Site.open();
  const listener = { port: 2525, profile: 'cac', policy: { tls: 'required' } };
  config = writeConfig(join(site.folder, 'sallyport.yaml'), withListener(site.base(), 'submission', listener));
});

const verify = async (file: string, profile = 'cac'): Promise<{ code: number | null; output: string }> =>
  await runProgram(PROGRAM, ['cert', 'verify', file, '--profile', profile, '--config', config]);

test('a good card is accepted with path, lists, query and owner', async () => {
  const { code, output } = await verify(site.pki.card('alice').certFile);
  assert.equal(code, 0, output);
  assert.match(output, /Path of 3 certificates/);
  assert.match(output, /list of source cac: 1 entries, CRL number 1, nextUpdate/);
  assert.match(output, /Query: \(&\(caccn=ADAMS\.ALICE\.A\.1000000001\)\(cacserial=1001\)\)/);
  assert.match(output, /^accepted: it belongs to alice$/m);
});

test('every kind of bad card is not accepted, and the reason is told', async () => {
  for (const kind of badKinds) {
    const { code, output } = await verify(site.pki.bad(kind).certFile);
    assert.equal(code, 1, `${kind}: ${output}`);
    assert.match(output, /^not accepted: client certificate /m);
  }
});

test('a good card without an entry, and a profile that is not there, end with 1 and say so', async () => {
  assert.match((await verify(site.pki.card('bob').certFile)).output, /^not accepted: /m);
  const { code, output } = await verify(site.pki.card('alice').certFile, 'password');
  assert.equal(code, 1);
  assert.match(output, /there is no profile password of type certificate/);
});
