/**
 * Postfix as the next hop: an instance of its own (configuration, queue, mail boxes in a temporary folder) on a free
 * port of loopback that delivers to Maildirs. Needs root, as Postfix does. Ended by its own `postfix stop`.
 * Effects: starts and ends Postfix, writes files.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from './certificate-authority.ts';
import { freePort } from './free-port.ts';

const NOBODY = 65_534;
const POLL_MS = 25;

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
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
smtp unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

export type PostfixOptions = {
  /** Addresses with a mail box; every other recipient gets 550. */
  readonly mailboxes: readonly string[];
  /** Offers STARTTLS. */
  readonly tls?: Pick<Credentials, 'certFile' | 'keyFile'>;
  /** Further lines of main.cf. */
  readonly parameters?: Readonly<Record<string, string>>;
};

export type PostfixNextHop = {
  readonly port: number;
  /** What arrived in a mail box, as Postfix wrote it: line ends are LF. */
  mailbox(address: string): string[];
  waitFor(address: string, count: number, timeoutMs?: number): Promise<string[]>;
  log(): string;
  stop(): Promise<void>;
};

export async function startPostfix(options: PostfixOptions): Promise<PostfixNextHop> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postfix-'));
  const at = (name: string): string => join(folder, name);
  const port = await freePort();
  chmodSync(folder, 0o755);
  for (const name of ['etc', 'spool', 'data', 'mail']) mkdirSync(at(name));
  const postfixId = Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' }));
  chownSync(at('data'), postfixId, -1);
  chownSync(at('mail'), NOBODY, NOBODY);
  writeFileSync(at('etc/mailboxes'), options.mailboxes.map((box) => `${box} ${box}/\n`).join(''));
  writeFileSync(at('etc/main.cf'), mainCf(options, folder));
  writeFileSync(at('etc/master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  const postfix = (command: string): void => {
    execFileSync('postfix', ['-c', at('etc'), command], { stdio: 'ignore' });
  };
  postfix('start');
  await until(
    () => answers(port),
    10_000,
    () => 'Postfix does not answer',
  );

  const mailbox = (address: string): string[] => {
    const inbox = at(`mail/${address}/new`);
    try {
      return readdirSync(inbox).map((name) => readFileSync(join(inbox, name), 'utf8'));
    } catch {
      return []; // Postfix makes the folders with the first message
    }
  };
  const log = (): string => readFileSync(at('mail.log'), 'utf8');
  return {
    port,
    mailbox,
    async waitFor(address, count, timeoutMs = 15_000) {
      await until(
        async () => mailbox(address).length >= count,
        timeoutMs,
        () => `mail box ${address}: ${log()}`,
      );
      return mailbox(address);
    },
    log,
    async stop() {
      postfix('stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function mainCf({ mailboxes, tls, parameters = {} }: PostfixOptions, folder: string): string {
  const domains = new Set(mailboxes.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  const settings = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/spool`,
    data_directory: `${folder}/data`,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    myhostname: 'next.example.test',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    mynetworks: '127.0.0.0/8',
    maillog_file: `${folder}/mail.log`,
    maillog_file_prefixes: folder,
    message_size_limit: '104857600',
    virtual_mailbox_limit: '0',
    virtual_mailbox_domains: [...domains].join(' '),
    virtual_mailbox_base: `${folder}/mail`,
    virtual_mailbox_maps: `texthash:${folder}/etc/mailboxes`,
    virtual_uid_maps: `static:${NOBODY}`,
    virtual_gid_maps: `static:${NOBODY}`,
    ...(tls === undefined
      ? { smtpd_tls_security_level: 'none' }
      : {
          smtpd_tls_security_level: 'may',
          smtpd_tls_chain_files: `${tls.keyFile}, ${tls.certFile}`,
          smtpd_tls_received_header: 'yes',
        }),
    ...parameters,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.end('QUIT\r\n');
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

async function until(check: () => Promise<boolean>, timeoutMs: number, why: () => string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(why());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
