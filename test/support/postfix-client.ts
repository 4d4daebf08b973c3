/**
 * Postfix as a mail client: an instance of its own (configuration, queue, ports in a temporary folder) that takes mail
 * by SMTP and relays everything to the gateway, with a client certificate. Needs root, as Postfix does.
 * Effects: starts and ends Postfix, writes files.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './gateway.ts';

const SERVICES = `cleanup unix n - n - 0 cleanup
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
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export type PostfixClientOptions = {
  readonly relayPort: number;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
};

export type PostfixClient = { readonly port: number; log(): string };

export async function startPostfixClient(options: PostfixClientOptions): Promise<PostfixClient> {
  const folder = temporaryFolder();
  // Postfix's own user must be able to walk through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  for (const name of ['conf', 'queue', 'data']) mkdirSync(join(folder, name));
  chownSync(join(folder, 'data'), Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' })), -1);
  writeFileSync(join(folder, 'conf', 'main.cf'), mainCf(folder, options));
  writeFileSync(join(folder, 'conf', 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  const postfix = (command: string): void => {
    execFileSync('postfix', ['-c', join(folder, 'conf'), command], { stdio: 'ignore' });
  };
  postfix('start');
  atEnd(() => postfix('stop'));
  return { port, log: () => readFileSync(join(folder, 'mail.log'), 'utf8') };
}

const mainCf = (
  folder: string,
  { relayPort, caFile, certFile, keyFile }: PostfixClientOptions,
): string => `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
myhostname = client.example.test
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${relayPort}
smtp_tls_security_level = encrypt
smtp_tls_CAfile = ${caFile}
smtp_tls_cert_file = ${certFile}
smtp_tls_key_file = ${keyFile}
smtp_tls_loglevel = 1
`;
