/**
 * Exemptions: who may use a password instead of a card although the directory's allowance says no, until when, why and
 * granted by whom; and the report of those whom monitor mode lets in.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { before, test } from 'node:test';
import { PATIENCE_MS } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, PROGRAM } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const day = (fromNow: number): string => new Date(Date.now() + fromNow * 86_400_000).toISOString().slice(0, 10);

let site: Site;
let gateway: Gateway;
let port = 0;
let monitoredPort = 0;

before(async () => {
  site = await Site.open();
  port = await freePort();
  monitoredPort = await freePort();
  const policy = { smtpAuth: 'required' };
  let config = withListener(site.base(), 'submission', { policy, profile: 'password', port });
  config = withListener(config, 'watched', { policy, profile: 'monitored', port: monitoredPort });
  config['exemptions'] = {
    'alice-lost-card': { user: 'Alice', until: day(5), reason: 'card lost', grantedBy: 'help desk, ticket 42' },
    'erin-over': { user: 'erin', until: day(-2), reason: 'card broken', grantedBy: 'help desk' },
    'frank-elsewhere': { user: 'frank', until: day(90), reason: 'x', grantedBy: 'y', profiles: ['monitored'] },
  };
  gateway = await site.start(config, { folder: site.copy() });
});

async function login(at: number, user: string, password = `${user}-secret`): Promise<string> {
  const session = await SmtpSession.open({ port: at });
  const { text } = await session.authPlain(user, password);
  await session.quit();
  return text;
}

const command = (...args: string[]): { code: number | null; text: string } => {
  const { status, stdout } = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: PATIENCE_MS });
  return { code: status, text: stdout };
};

test('at start the log says which exemptions end soon, and which have ended', async () => {
  await gateway.line(
    /exemption alice-lost-card of Alice ends in [56] days \(card lost; granted by help desk, ticket 42\)/,
  );
  await gateway.line(/exemption erin-over of erin has ended and can be removed/);
  assert.ok(!gateway.lines.some((line) => line.includes('frank-elsewhere')));
});

test('an exempted user may use the password, and the trace names the exemption', async () => {
  assert.match(await login(port, 'alice'), /^235 2\.7\.0/);
  const { text } = command(
    ...[
      'trace',
      '--config',
      gateway.configFile,
      '--data',
      gateway.data,
      '--listener',
      'submission',
      '--from-ip',
      '127.0.0.1',
      '--user',
      'alice',
    ],
    ...['--sender', 'alice@example.test', 'x@elsewhere.example'],
  );
  assert.match(text, /rule: exemptions\.alice-lost-card/);
});

test('an exemption makes no wrong password right', async () => {
  assert.match(await login(port, 'alice', 'wrong'), /^535 5\.7\.8/);
});

test('an exemption that has ended, and one of another profile, do not count', async () => {
  assert.match(await login(port, 'erin'), /^525 Dear user/);
  assert.match(await login(port, 'frank'), /^525 Dear user/);
});

test('the reports say what ends when, how often it was used, and who is only monitored', async () => {
  assert.match(await login(monitoredPort, 'erin'), /^235/);
  assert.match(await login(monitoredPort, 'erin'), /^235/);
  assert.match(await login(monitoredPort, 'frank'), /^235/);
  await gateway.stop();
  const exemptions = command('exemptions', '--config', gateway.configFile, '--data', gateway.data);
  assert.equal(exemptions.code, 3, exemptions.text);
  assert.match(exemptions.text, /^erin-over: erin, ENDED .*never used\n {4}card broken; granted by help desk$/m);
  assert.match(exemptions.text, /^alice-lost-card: Alice, ENDS SOON, until .* \([56] days\), used 1 time, last /m);
  assert.match(exemptions.text, /^frank-elsewhere: frank, until .*used 1 time/m);
  const monitored = command('monitored', '--data', gateway.data);
  assert.match(monitored.text, /^erin \(profile monitored\): 2 times, since \d{4}-.*, last \d{4}-/);
  assert.doesNotMatch(monitored.text, /frank/); // exempted, so not monitored
});
