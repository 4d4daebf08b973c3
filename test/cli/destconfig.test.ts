/** destconfig on a running gateway: the dialogue of AsyncOS, scripts, and AsyncOS's own file. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { piped } from '../support/command-line.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { type One, Site } from '../support/site.ts';

let one: One;
before(async () => {
  const site = await Site.open();
  one = await site.startOne({ policy: {} }, undefined, { store: true });
});

const at = (...words: readonly string[]): string[] => [...words, '--data', one.gateway.data];
async function told(...answers: readonly string[]): Promise<string> {
  const { code, stdout } = await piped(at('destconfig'), ...answers);
  assert.equal(code, 0, stdout);
  return stdout;
}
async function configured(): Promise<Record<string, unknown>> {
  const { code, stdout } = await piped(at('config', 'show', 'destinationControls', '--candidate', '--json'));
  assert.equal(code, 0, stdout);
  return JSON.parse(stdout) as Record<string, unknown>;
}
const clear = (): Promise<unknown> => piped(at('clearchanges', '--yes'));

test('new leaves to Default what is not asked for, and asks for TLS in the words of AsyncOS', async () => {
  const output = await told('new', 'ALL', 'partner.example', 'n', 'n', 'n', 'y', '3', '');
  assert.match(
    output,
    /^There are currently 0 entries configured\.\nDefault: TLS Preferred, concurrency 20, messages 50, recipients None\n/,
  );
  assert.match(output, /Enter the domain you wish to configure\.\n\[\]> ALL\na key is example\.com or \.example\.com/);
  assert.match(output, /Do you wish to configure a concurrency limit for partner\.example\?\n\[N\]> n\n/);
  assert.match(output, /Do you wish to apply a messages-per-connection limit to this domain\?\n\[N\]> n\n/);
  assert.match(output, /Do you wish to apply a recipient limit to this domain\?\n\[N\]> n\n/);
  assert.match(
    output,
    /Do you wish to apply a specific TLS setting for this domain\?\n\[N\]> y\nDo you want to use TLS support\?\n1\. No\n2\. Preferred\n3\. Required\n\[2\]> 3\n/,
  );
  assert.match(output, /There is currently 1 entry configured\.\n/);
  assert.deepEqual(await configured(), { domains: { 'partner.example': { tls: 'required' } } });
});

test('edit proposes what is there; limits have bounds; list, default, setup and delete', async () => {
  await told('edit', 'partner.example', 'y', '0', '2', 'y', '10', 'y', '61', '5', '500', 'y', '', '');
  assert.deepEqual(await configured(), {
    domains: {
      'partner.example': {
        tls: 'required',
        maxConnections: 2,
        maxMessagesPerConnection: 10,
        recipientLimit: { recipients: 500, minutes: 5 },
      },
    },
  });
  const again = await told('edit', '1', '', '', '', '', '', '', '', 'n', 'list', 'default', '30', '40', 'n', '1', '');
  assert.match(again, /partner\.example\?\n\[Y\]> \nEnter the max concurrency limit\.\n\[2\]> \n/);
  assert.match(
    again,
    /Enter the number of minutes .*\n\[5\]> \nEnter the max number of recipients per 5 minutes\.\n\[500\]> \n/,
  );
  assert.match(
    again,
    /Domain +Recipient Limit +Concurrency +Messages +TLS\n=+ +=+ .*\npartner\.example +500 in 5 min +2 +10 +Default\n\(Default\) +None +20 +50 +Preferred\n/,
  );
  assert.match(again, /Default: TLS Off, concurrency 30, messages 40, recipients None\n/);
  const set = await told('setup', 'y', 'concurrency', '100', 'delete', '1', 'y', '');
  assert.match(set, /Do you want to send an alert when a required TLS connection fails\?\n\[N\]> y\n/);
  assert.deepEqual(await configured(), {
    domains: {},
    default: { tls: 'off', maxConnections: 30, maxMessagesPerConnection: 40 },
    sendTlsRequiredAlert: true,
  });
  await clear();
});

test('scripts: entries, default and setup by the keys of the schema', async () => {
  const run = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout } = await piped(at('destconfig', ...words));
    assert.equal(code, 0, stdout);
    return stdout;
  };
  await run('new', 'a.example', '--tls', 'required', '--max-connections', '3');
  await run('new', '.b.example', '--recipient-limit', '{"recipients": 9}');
  await run('edit', 'a.example', '--tls', '');
  await run('default', '--tls', 'off');
  await run('setup', '--send-tls-required-alert', 'true');
  assert.deepEqual(await configured(), {
    domains: { 'a.example': { maxConnections: 3 }, '.b.example': { recipientLimit: { recipients: 9 } } },
    default: { tls: 'off' },
    sendTlsRequiredAlert: true,
  });
  assert.match(
    await run('list'),
    /^a\.example TLS Default, concurrency 3, .*\n\.b\.example .*recipients 9 in 60 min\n$/,
  );
  const verified = await piped(at('destconfig', 'edit', 'a.example', '--tls', 'requiredVerify'));
  assert.equal(verified.code, 1);
  assert.match(verified.stdout, /tls: "requiredVerify" is not allowed; allowed: off, preferred, required\n/);
  await clear();
});

test('a file of AsyncOS is taken over as far as it goes; what it asks beyond is told, and TLS never weakened', async () => {
  const file = join(temporaryFolder(), 'destinations.ini');
  const ini = [
    '# from an appliance',
    '[DEFAULT]',
    'ip_sort_pref = PREFER_V6',
    'max_host_concurrency = 500',
    'max_messages_per_connection = 50',
    'recipient_minutes = 60',
    'recipient_limit = 0',
    'limit_type = 0',
    'limit_apply = 0',
    'bounce_validation = 0',
    'table_tls = on',
    'send_tls_req_alert = 1',
    '',
    '[partner.example]',
    'table_tls = require',
    'bounce_profile = slow',
    '[.limited.example]',
    'recipient_minutes = 10',
    'recipient_limit = 300',
  ];
  writeFileSync(file, `${ini.join('\n')}\n`);
  const output = await told('import', file, '');
  assert.match(output, /Not taken over, there is no such setting here: partner\.example: bounce_profile = slow\n/);
  const taken = {
    default: { maxConnections: 500, maxMessagesPerConnection: 50, tls: 'preferred', recipientLimit: 'none' },
    domains: {
      'partner.example': { tls: 'required' },
      '.limited.example': { recipientLimit: { minutes: 10, recipients: 300 } },
    },
    sendTlsRequiredAlert: true,
  };
  assert.deepEqual(await configured(), taken);
  const copy = join(temporaryFolder(), 'exported.ini');
  assert.equal((await piped(at('destconfig', 'export', copy))).stdout, `Written to ${copy}.\n`);
  assert.match(readFileSync(copy, 'utf8'), /\[partner\.example\]\ntable_tls = require\n/);
  await clear();
  assert.equal((await piped(at('destconfig', 'import', copy, '--json'))).code, 0);
  assert.deepEqual(await configured(), taken);
  const refused: Readonly<Record<string, RegExp>> = {
    '[a.example]\ntable_tls = require_verify\n': /line 2: table_tls: require_verify is not there yet/,
    'table_tls = on\n': /line 1: \[DOMAIN\] or KEY = VALUE/,
    '[a.example]\n[A.EXAMPLE]\n': /line 2: A\.EXAMPLE is there already/,
    '[*]\n': /line 1: a key is example\.com/,
    '[a.example]\nmax_host_concurrency = 9999\n': /line 1: maxConnections: must be at most 1000/,
    '[a.example]\nmax_host_concurrency = many\n': /line 2: max_host_concurrency: a whole number is needed/,
    '': /there is no entry/,
  };
  for (const [text, why] of Object.entries(refused)) {
    writeFileSync(file, text);
    const { code, stdout } = await piped(at('destconfig', 'import', file));
    assert.equal(code, 1, text);
    assert.match(stdout, why);
  }
  await clear();
});

test('where a file is the truth nothing is changed, and looking at it goes on', async () => {
  const site = await Site.open();
  const { gateway } = await site.startOne({ policy: {} });
  const { code, stdout } = await piped(['destconfig', 'new', 'a.example', '--tls', 'off', '--data', gateway.data]);
  assert.equal(code, 1);
  assert.match(stdout, /that file is the only truth/);
  assert.equal((await piped(['destconfig', 'list', '--data', gateway.data])).code, 0);
});
