/**
 * Postfix as a mail client: an instance of its own (configuration, queue, ports in a temporary folder) that takes mail
 * by SMTP and relays everything to the gateway, with a client certificate. Needs root, as Postfix does.
 * Effects: starts and ends Postfix, writes files.
 */
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './gateway.ts';
import { postfix, postfixLog, smtpd, writePostfix } from './postfix-instance.ts';

export type PostfixClientOptions = {
  readonly relayPort: number;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
};

export type PostfixClient = { readonly port: number; log(): string };

export async function startPostfixClient(options: PostfixClientOptions): Promise<PostfixClient> {
  const folder = temporaryFolder();
  const port = await freePort();
  writePostfix(folder, {
    services: [smtpd(port), 'smtp unix - - n - - smtp'],
    parameters: {
      myhostname: 'client.example.test',
      relayhost: `[127.0.0.1]:${options.relayPort}`,
      smtp_tls_security_level: 'encrypt',
      smtp_tls_CAfile: options.caFile,
      smtp_tls_cert_file: options.certFile,
      smtp_tls_key_file: options.keyFile,
      smtp_tls_loglevel: '1',
    },
  });
  postfix(folder, 'start');
  atEnd(() => postfix(folder, 'stop'));
  return { port, log: () => postfixLog(folder) };
}
