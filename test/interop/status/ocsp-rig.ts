/**
 * A gateway whose profile asks an OCSP responder: cards that name the responder, a revocation list of the root alone
 * (so that only an answer can stand in for the issuing authority's), and sessions. Effects: processes and files.
 */
import { join } from 'node:path';
import { atEnd } from '../../support/at-end.ts';
import { CLIENT_EXTENSIONS, type Credentials } from '../../support/certificate-authority.ts';
import { CrlServer } from '../../support/crl-server.ts';
import { freePorts } from '../../support/free-port.ts';
import { Gateway, type GatewayOptions } from '../../support/gateway.ts';
import { OcspResponder } from '../../support/ocsp-responder.ts';
import { type OneListener, Site, withListener } from '../../support/site.ts';
import { SmtpSession } from '../../support/smtp-session.ts';

type Section = Record<string, unknown>;
const PEOPLE = { alice: ['ADAMS.ALICE.A.1000000001', '1001'], bob: ['BROWN.BOB.B.1000000002', '1002'], carol: ['CLARK.CAROL.C.1000000003', '1003'], frank: ['FOSTER.FRANK.F.1000000006', '1006'] } as const; // biome-ignore format: a table
export type CardHolder = keyof typeof PEOPLE;

const LISTENER: OneListener = {
  policy: { tls: 'required', verifyClientCertificate: true, smtpAuth: 'required' },
};

export class OcspRig {
  readonly site: Site;
  readonly responder: OcspResponder;
  readonly crls: CrlServer;
  readonly #cards = new Map<string, Credentials>();

  private constructor(site: Site, responder: OcspResponder, crls: CrlServer) {
    this.site = site;
    this.responder = responder;
    this.crls = crls;
  }

  static async open(): Promise<OcspRig> {
    const site = await Site.open();
    const responder = await OcspResponder.start({
      authority: site.pki.issuing.own,
      folder: join(site.folder, 'ocsp'),
      index: { '1001': 'good', '1003': 'good', '1006': 'revoked' },
    });
    const crls = await CrlServer.start({ kind: 'list', body: site.pki.root.crl() });
    atEnd(() => crls.stop());
    return new OcspRig(site, responder, crls);
  }

  /** A card that names the responder, or what `access` says instead. */
  card(person: CardHolder, access = `OCSP;URI:${this.responder.url}`): Credentials {
    const key = `${person} ${access}`;
    const [commonName, serial] = PEOPLE[person];
    const card =
      this.#cards.get(key) ??
      this.site.pki.issue({
        subject: `/O=Example/CN=${commonName}`,
        serial,
        extensions: [...CLIENT_EXTENSIONS, ...(access === '' ? [] : [`authorityInfoAccess=${access}`])],
      });
    this.#cards.set(key, card);
    return card;
  }

  /** A certificate of the issuing authority that may answer for it. */
  delegate(...more: readonly string[]): Credentials {
    return this.site.pki.issue({
      subject: '/O=Example/CN=OCSP Responder',
      serial: '2001',
      extensions: ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=OCSPSigning', ...more],
    });
  }

  /** A card of nobody's: what is refused before the directory is asked needs no owner. */
  stranger(serial: string): Credentials {
    const extensions = [...CLIENT_EXTENSIONS, `authorityInfoAccess=OCSP;URI:${this.responder.url}`];
    return this.site.pki.issue({ subject: `/O=Example/CN=STRANGER ${serial}`, serial, extensions });
  }

  /** `ocsp`: beside mode and allowHosts. */
  async start(ocsp: Section, change?: (config: Section) => Section): Promise<OcspGateway> {
    const [running] = await this.startWith([ocsp], change);
    return running as OcspGateway;
  }

  /** One gateway with a listener and a profile for each of these. Stopping one stops all. */
  async startWith(choices: readonly Section[], change = (config: Section): Section => config): Promise<OcspGateway[]> {
    const ports = await freePorts(choices.length);
    const base = this.site.base();
    const profiles = base['smtpAuthProfiles'] as Record<string, Section>;
    const usual = { mode: 'require', allowHosts: [this.responder.host], whenNoResponder: 'crl', timeout: '60s' };
    const named = choices.map((ocsp, i) => [`cac${i}`, { ...profiles['cac'], ocsp: { ...usual, ...ocsp } }] as const);
    const crl = {
      checkInbound: true,
      sources: { root: { type: 'pem', primaryUrl: this.crls.url(), schedule: 'manual' } },
    };
    let config = change({ ...base, crl, smtpAuthProfiles: Object.fromEntries(named) });
    for (const [i, port] of ports.entries())
      config = withListener(config, `listener${i}`, { ...LISTENER, profile: `cac${i}`, port });
    const options = { config, folder: this.site.copy() };
    const gateway = await Gateway.start(options);
    return ports.map((port) => new OcspGateway(gateway, port, options));
  }
}

export class OcspGateway {
  readonly gateway: Gateway;
  readonly port: number;

  readonly #options: GatewayOptions;

  constructor(gateway: Gateway, port: number, options: GatewayOptions) {
    this.gateway = gateway;
    this.port = port;
    this.#options = options;
  }

  /** The same gateway on the same data folder, after it has ended. */
  async again(): Promise<OcspGateway> {
    return new OcspGateway(await Gateway.start(this.#options), this.port, this.#options);
  }

  async session(card: Credentials): Promise<SmtpSession> {
    const session = await SmtpSession.open({ port: this.port });
    await session.startTls(card);
    return session;
  }

  /** The reply that decides: the one to EHLO where it refuses, else the one to MAIL FROM. */
  async enter(card: Credentials): Promise<string> {
    const session = await this.session(card);
    const ehlo = await session.command('EHLO client.example.test');
    const reply = ehlo.code === 250 ? await session.command('MAIL FROM:<alice@example.test>') : ehlo;
    await session.quit();
    return reply.text;
  }

  /** The rule of the first refusal, once it is in the log. */
  async refusalRule(): Promise<string> {
    await this.gateway.event(({ event }) => event === 'refused');
    return this.gateway.refusals()[0]?.rule ?? '';
  }

  stop(): Promise<number | null> {
    return this.gateway.stop();
  }
}
