/**
 * Postfix as the next hop: an instance of its own (configuration, queue, mail boxes in a temporary folder) on a free
 * port of loopback that delivers to Maildirs. Needs root, as Postfix does. Ended by its own `postfix stop`.
 * Effects: starts and ends Postfix, writes files.
 */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from './certificate-authority.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { postfix, postfixFolder, postfixLog, smtpd, writePostfix } from './postfix-instance.ts';

const NOBODY = 65_534;

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
  waitFor(address: string, count: number): Promise<string[]>;
  log(): string;
  stop(): Promise<void>;
};

export async function startPostfix(options: PostfixOptions): Promise<PostfixNextHop> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-postfix-'));
  const at = (name: string): string => join(folder, name);
  const port = await freePort();
  mkdirSync(at('mail'));
  chownSync(at('mail'), NOBODY, NOBODY);
  writePostfix(folder, {
    services: [smtpd(port), 'smtp unix - - n - - discard', 'virtual unix - n n - - virtual'],
    parameters: parametersOf(options, folder),
  });
  writeFileSync(mailboxesFile(folder), options.mailboxes.map((box) => `${box} ${box}/\n`).join(''));
  postfix(folder, 'start');
  await eventually(async () => assert.ok(await answers(port), 'Postfix does not answer'));

  const mailbox = (address: string): string[] => {
    const inbox = at(`mail/${address}/new`);
    try {
      return readdirSync(inbox).map((name) => readFileSync(join(inbox, name), 'utf8'));
    } catch {
      return []; // Postfix makes the folders with the first message
    }
  };
  const log = (): string => postfixLog(folder);
  return {
    port,
    mailbox,
    waitFor: (address, count) =>
      eventually(() => {
        const mails = mailbox(address);
        assert.ok(mails.length >= count, `${mails.length} of ${count} mails for ${address}:\n${log()}`);
        return mails;
      }),
    log,
    async stop() {
      postfix(folder, 'stop');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const mailboxesFile = (folder: string): string => join(postfixFolder(folder), 'mailboxes');

function parametersOf({ mailboxes, tls, parameters = {} }: PostfixOptions, folder: string): Record<string, string> {
  const domains = new Set(mailboxes.map((address) => address.slice(address.lastIndexOf('@') + 1)));
  return {
    myhostname: 'next.example.test',
    virtual_mailbox_limit: '0',
    virtual_mailbox_domains: [...domains].join(' '),
    virtual_mailbox_base: `${folder}/mail`,
    virtual_mailbox_maps: `texthash:${mailboxesFile(folder)}`,
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
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.end('QUIT\r\n');
      resolve(true);
    });
    socket.once('error', () => resolve(false)).once('close', () => resolve(false));
  });
