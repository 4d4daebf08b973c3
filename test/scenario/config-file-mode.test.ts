/** A gateway that runs on a file: the file is the only truth, and what changes it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { configCommand, Gateway, temporaryFolder } from '../support/gateway.ts';
import { Site, withListener } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
before(async () => {
  site = await Site.open();
});

async function onFile() {
  const port = await freePort();
  const folder = site.copy();
  const config = withListener(site.base(), 'submission', { policy: { tls: 'off' }, port });
  const gateway = await Gateway.start({ config, folder });
  const next = join(temporaryFolder(), 'next.yaml');
  /** The file as it is, with something else in it. */
  const write = (from: string, to: string): string => {
    const text = readFileSync(gateway.configFile, 'utf8');
    assert.ok(text.includes(from));
    writeFileSync(next, `# a remark\n${text.replace(from, to)}`);
    return next;
  };
  return { gateway, file: gateway.configFile, port, write };
}

async function greeting(port: number): Promise<string> {
  const session = await SmtpSession.dial({ port });
  const { text } = await session.reply();
  await session.quit();
  return text;
}

test('an edited file counts after SIGHUP, or config load, and not before', async () => {
  const { gateway, file, port, write } = await onFile();
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('gw.example.test', 'hup.example.test'));
  assert.match(await greeting(port), /gw\.example\.test/);
  assert.match((await configCommand('diff', '--data', gateway.data)).output, /^\* hostname: "gw.*" -> "hup/m);
  const from = gateway.events.length;
  gateway.signal('SIGHUP');
  await gateway.event((event) => event['text'] === 'configuration revision 2 in force', { from });
  assert.match(await greeting(port), /hup\.example\.test/);
  const loaded = await configCommand(
    'load',
    write('hup.example.test', 'load.example.test'),
    '--commit',
    '--data',
    gateway.data,
  );
  assert.equal(loaded.code, 0, loaded.output);
  assert.match(loaded.output, /the file was replaced/);
  assert.match(await greeting(port), /load\.example\.test/);
  assert.match(readFileSync(file, 'utf8'), /^# a remark\n/);
  assert.match(readFileSync(`${file}.previous`, 'utf8'), /hup\.example\.test/);
  assert.equal((await configCommand('show', 'hostname', '--data', gateway.data)).output, 'load.example.test\n');
  assert.match((await configCommand('save', '--data', gateway.data)).output, /^hostname: load\.example\.test$/m);
  assert.match((await configCommand('history', '--data', gateway.data)).output, /^3 .*\n2 .*\n1 /);
  await gateway.stop();
});

test('a file that is wrong is not taken over: the reason is told, the file and the gateway stay as they were', async () => {
  const { gateway, file, port, write } = await onFile();
  const [text, { mode }] = [readFileSync(file, 'utf8'), statSync(file)];
  const faulty = await configCommand(
    'load',
    write('gw.example.test', 'not a name'),
    '--commit',
    '--data',
    gateway.data,
  );
  assert.equal(faulty.code, 1);
  assert.match(faulty.output, /next\.yaml:\d+:\d+: hostname: a host name has labels of letters/);
  // Right by itself, but no thread can listen there.
  const taken = createServer().listen(await freePort(), '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const other = (taken.address() as { port: number }).port;
  const unbuilt = await configCommand(
    'load',
    write(`127.0.0.1:${port}`, `127.0.0.1:${other}`),
    '--commit',
    '--data',
    gateway.data,
  );
  taken.close();
  assert.equal(unbuilt.code, 1);
  assert.match(
    unbuilt.output,
    new RegExp(`the configuration in force goes on: .*127\\.0\\.0\\.1:${other}.*EADDRINUSE`),
  );
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.equal(statSync(file).mode, mode);
  assert.ok(!existsSync(`${file}.new`));
  assert.match(await greeting(port), /gw\.example\.test/);
  await gateway.stop();
});

test('every edit is refused with the name of the file and what to do instead', async () => {
  const { gateway, file } = await onFile();
  const edits = [
    ['set', 'hostname', 'x.example.test'],
    ['delete', 'hostname'],
    ['rename', 'certificates.gateway', 'other'],
    ['commit'],
    ['rollback', '1'],
    ['confirm'],
    ['clear'],
    ['rekey'],
  ];
  for (const args of edits) {
    const { code, output } = await configCommand(...args, '--data', gateway.data);
    assert.equal(code, 1, args.join(' '));
    const said = `sallyport: this gateway was started with --config ${file}: that file is the only truth. Change the file and send SIGHUP, or sallyport config load\n`;
    assert.equal(output, said, args.join(' '));
  }
  await gateway.stop();
});
