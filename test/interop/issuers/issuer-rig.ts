/**
 * A site whose cards name where their issuer's certificate is (authority information access): a root that is the only
 * certificate the gateway has, an issuing authority below it, and a web server that has the rest. Effects: processes, files.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLIENT_EXTENSIONS, type Credentials, derOf } from '../../support/certificate-authority.ts';
import { freePort } from '../../support/free-port.ts';
import { Gateway, type LogEvent } from '../../support/gateway.ts';
import { Nginx, type NginxOptions } from '../../support/nginx.ts';
import { Site, withListener } from '../../support/site.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

export type Section = Record<string, unknown>;
const POLICY = { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' };
/** Sessions wait this long on a busy machine, too. */
const PATIENT = { timeout: '60s' };
export const ALICE = { subject: '/O=Example/CN=ADAMS.ALICE.A.1000000001', serial: '1001' };

export class IssuerRig {
  readonly site: Site;
  readonly web: Nginx;

  private constructor(site: Site, web: Nginx) {
    this.site = site;
    this.web = web;
  }

  static async open(options?: NginxOptions): Promise<IssuerRig> {
    const site = await Site.open();
    writeFileSync(join(site.folder, 'pki', 'root.pem'), site.pki.root.own.cert);
    return new IssuerRig(site, await Nginx.start(options));
  }

  /** DER of the authority that issues the cards. */
  get issuing(): Buffer {
    return derOf(this.site.pki.issuing.own.cert);
  }

  /** Alice's card of the issuing authority, naming these addresses of it. */
  card(...urls: readonly string[]): Credentials {
    return this.site.pki.issue({ ...ALICE, extensions: cardNaming(...urls) });
  }

  /** A gateway that has the root alone; `aia` undefined: as it is by default. */
  async start(aia: Section | undefined, change = (config: Section): Section => config): Promise<IssuerGateway> {
    const port = await freePort();
    const base = this.site.base();
    const profiles = base['smtpAuthProfiles'] as Record<string, Section>;
    const config = change({
      ...base,
      certificateAuthorities: { cac: { file: 'pki/root.pem' } },
      smtpAuthProfiles: { cac: { ...profiles['cac'], ...(aia === undefined ? {} : { aia: { ...PATIENT, ...aia } }) } },
      crl: { checkInbound: false },
    });
    const listening = withListener(config, 'submission', { policy: POLICY, profile: 'cac', port });
    return new IssuerGateway(await Gateway.start({ config: listening, folder: this.site.copy() }), port);
  }
}

export const cardNaming = (...urls: readonly string[]): string[] => [
  ...CLIENT_EXTENSIONS,
  `authorityInfoAccess=${urls.map((url) => `caIssuers;URI:${url}`).join(',')}`,
];

export class IssuerGateway {
  readonly gateway: Gateway;
  readonly port: number;

  constructor(gateway: Gateway, port: number) {
    this.gateway = gateway;
    this.port = port;
  }

  async session({ cert, key }: Credentials, chain = ''): Promise<SmtpSession> {
    const session = await SmtpSession.open({ port: this.port });
    await session.startTls({ cert: cert + chain, key });
    return session;
  }

  /** The reply that decides: the one to EHLO where it refuses, else the one to MAIL FROM. */
  async enter(card: Credentials, chain = ''): Promise<string> {
    const session = await this.session(card, chain);
    const ehlo = await session.command('EHLO client.example.test');
    const reply = ehlo.code === 250 ? await session.command('MAIL FROM:<alice@example.test>') : ehlo;
    await session.quit();
    return reply.text;
  }

  /** Why the file of this address was of no use, once the log says so. */
  async failure(url: string): Promise<string> {
    const event = await this.gateway.event((each: LogEvent) => each.event === 'issuer-failed' && each['url'] === url);
    return String(event['why']);
  }

  stop(): Promise<number | null> {
    return this.gateway.stop();
  }
}
