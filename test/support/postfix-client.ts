/**
 * Postfix as a mail client: an instance of its own (configuration, queue, ports in a temporary folder) that takes mail
 * by SMTP and relays everything to the gateway, with a client certificate. Needs root, as Postfix does.
 * Effects: starts and ends Postfix, writes files.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './gateway.ts';
import { Program } from './program.ts';

const SERVICES = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export type PostfixClientOptions = {
  readonly relayPort: number;
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Further lines of main.cf. */
  readonly settings?: readonly string[];
};

export type PostfixClient = { readonly port: number; readonly program: Program; stop(): Promise<void> };

export async function startPostfixClient({
  relayPort,
  caFile,
  certFile,
  keyFile,
  settings = [],
}: PostfixClientOptions): Promise<PostfixClient> {
  const folder = temporaryFolder();
  // Postfix's own user must be able to walk through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  for (const name of ['conf', 'queue', 'data']) mkdirSync(join(folder, name));
  const [uid, gid] = ['-u', '-g'].map((option) =>
    Number(execFileSync('id', [option, 'postfix'], { encoding: 'utf8' })),
  ) as [number, number];
  chownSync(join(folder, 'data'), uid, gid);
  const certificate =
    certFile === undefined ? [] : [`smtp_tls_cert_file = ${certFile}`, `smtp_tls_key_file = ${keyFile}`];
  writeFileSync(
    join(folder, 'conf', 'main.cf'),
    `${[
      'compatibility_level = 3.6',
      `queue_directory = ${folder}/queue`,
      `data_directory = ${folder}/data`,
      'maillog_file = /dev/stdout',
      'myhostname = client.example.test',
      'mydestination =',
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      'mynetworks = 127.0.0.0/8',
      'default_transport = smtp',
      `relayhost = [127.0.0.1]:${relayPort}`,
      'smtp_host_lookup = native',
      'smtp_tls_security_level = encrypt',
      `smtp_tls_CAfile = ${caFile}`,
      'smtp_tls_loglevel = 1',
      'minimal_backoff_time = 2s',
      'maximal_backoff_time = 2s',
      'queue_run_delay = 2s',
      ...certificate,
      ...settings,
    ].join('\n')}\n`,
  );
  writeFileSync(join(folder, 'conf', 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  const program = Program.start('postfix', ['-c', join(folder, 'conf'), 'start-fg']);
  await program.shows(/daemon started/);
  const stop = async (): Promise<void> => {
    process.kill(program.pid, 'SIGTERM');
    await program.finished();
  };
  atEnd(() => program.kill());
  return { port, program, stop };
}
