/**
 * The site around the gateway under test: card authority, directory, revocation list, next hop, and configurations
 * that use them. A test takes a site, adds listeners and policies, and starts the gateway.
 * Effects: files, loopback servers.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from './at-end.ts';
import { CrlServer } from './crl-server.ts';
import { freePort } from './free-port.ts';
import { type ConfigText, Gateway, temporaryFolder } from './gateway.ts';
import { NextHop } from './next-hop.ts';
import { Pki } from './pki.ts';

export const RECIPES = join(import.meta.dirname, '..', 'contract', 'recipes');
const DIRECTORY =
  readFileSync(join(RECIPES, 'directory.ldif'), 'utf8') + readFileSync(join(import.meta.dirname, 'extra.ldif'), 'utf8');
export const ALLOWANCE = '(&(uid={u})(|(!(caccn=*))(cacexempt=*)(cacemergency>={t})))';

type Section = Record<string, unknown>;

export class Site {
  readonly folder: string;
  readonly pki: Pki;
  readonly crls: CrlServer;
  readonly nextHop: NextHop;

  private constructor(folder: string, parts: { pki: Pki; crls: CrlServer; nextHop: NextHop }) {
    this.folder = folder;
    this.pki = parts.pki;
    this.crls = parts.crls;
    this.nextHop = parts.nextHop;
  }

  static async open(): Promise<Site> {
    const folder = temporaryFolder();
    const pki = new Pki(join(folder, 'pki'));
    const crls = await CrlServer.start({ kind: 'list', body: pki.crl() });
    const nextHop = await NextHop.start();
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets', 'ldap'), 'gateway-secret\n');
    writeFileSync(join(folder, 'directory.ldif'), DIRECTORY);
    atEnd(async () => {
      await crls.stop();
      await nextHop.stop();
    });
    return new Site(folder, { pki, crls, nextHop });
  }

  /** Everything that recipe C has, with the embedded directory and without listeners and policies of its own. */
  base(): Section {
    return {
      hostname: 'gw.example.test',
      certificates: { gateway: { certFile: 'pki/gateway.pem', keyFile: 'pki/gateway.key' } },
      certificateAuthorities: { cac: { file: 'pki/cac-ca.pem' } },
      ldap: {
        servers: { corp: { ldif: 'directory.ldif', baseDn: 'dc=example,dc=test', cache: { ttl: '0s' } } },
        queries: {
          'cac-certificate': {
            server: 'corp',
            type: 'certificate',
            filter: '(&(caccn={cn})(cacserial={sn}))',
            userIdAttribute: 'uid',
          },
          'smtp-auth': {
            server: 'corp',
            type: 'smtpAuth',
            filter: '(|(uid={u})(employeeType={u}))',
            method: 'bind',
            allowance: ALLOWANCE,
          },
        },
      },
      smtpAuthProfiles: {
        cac: { type: 'certificate', query: 'cac-certificate', trust: ['cac'] },
        'cac-or-password': { type: 'certificate', query: 'cac-certificate', trust: ['cac'], allowSmtpAuth: 'password' },
        password: {
          type: 'ldap',
          query: 'smtp-auth',
          checkAllowed: {
            action: 'reject',
            response: { code: 525, text: 'Dear user, please use your CAC to send email.' },
          },
        },
        monitored: { type: 'ldap', query: 'smtp-auth', checkAllowed: { action: 'monitor' } },
        'password-only': { type: 'ldap', query: 'smtp-auth' },
      },
      mailFlowPolicies: {},
      crl: {
        checkInbound: true,
        sources: { cac: { type: 'pem', primaryUrl: this.crls.url(), schedule: { every: '1h' } } },
      },
      listeners: {},
      smtpRoutes: { ALL: [`127.0.0.1:${this.nextHop.port}`] },
      bounceProfiles: { default: { initialWait: '1s', maxWait: '1s' } },
    };
  }

  start(
    config: ConfigText,
    options: {
      readonly folder?: string;
      readonly data?: string;
      readonly log?: 'json' | 'text';
      readonly store?: boolean;
      readonly first?: boolean;
    } = {},
  ): Promise<Gateway> {
    return Gateway.start({ config, folder: this.folder, ...options });
  }

  /** A gateway with one listener on a free port, in a folder of its own; `folder` serves to start it again. */
  async startOne(
    listener: OneListener,
    change: (config: Section) => Section = (config) => config,
    { store = false, first = false }: { readonly store?: boolean; readonly first?: boolean } = {},
  ): Promise<One> {
    const port = await freePort();
    const folder = this.copy();
    const config = change(withListener(this.base(), 'submission', { ...listener, port }));
    return { gateway: await this.start(config, { folder, store, first }), port, config, folder };
  }

  /** The recipe as it stands, with this site's ports in place of its own. */
  recipe(
    name: 'recipe-a-certificate' | 'recipe-b-smtp-auth' | 'recipe-c-either',
    ports: { smtp: number; ldap: number; secondaryCrl?: number },
  ): string {
    return readFileSync(join(RECIPES, `${name}.yaml`), 'utf8')
      .replace('127.0.0.1:5587', `127.0.0.1:${ports.smtp}`)
      .replace('127.0.0.1:3389', `127.0.0.1:${ports.ldap}`)
      .replace('127.0.0.1:8088', `127.0.0.1:${this.crls.port}`)
      .replace('127.0.0.1:8089', `127.0.0.1:${ports.secondaryCrl ?? this.crls.port}`)
      .replace('127.0.0.1:2526', `127.0.0.1:${this.nextHop.port}`);
  }

  /** A second configuration folder with the same PKI and secrets. */
  copy(): string {
    const folder = temporaryFolder();
    for (const name of ['pki', 'secrets', 'directory.ldif'])
      cpSync(join(this.folder, name), join(folder, name), { recursive: true });
    return folder;
  }
}

export type One = {
  readonly gateway: Gateway;
  readonly port: number;
  readonly config: Section;
  readonly folder: string;
};

export type OneListener = {
  readonly policy: Section;
  readonly profile?: string;
  readonly implicit?: boolean;
  readonly type?: 'private' | 'public';
  readonly more?: Section;
};

/** Adds a listener with a policy of the same name; everybody from loopback gets that policy. */
export function withListener(
  config: Section,
  name: string,
  listener: OneListener & { readonly port: number; readonly host?: string },
): Section {
  const { port, host = '127.0.0.1', policy, profile, implicit = false, type = 'private', more = {} } = listener;
  return {
    ...config,
    mailFlowPolicies: { ...(config['mailFlowPolicies'] as Section), [name]: { behavior: 'relay', ...policy } },
    listeners: {
      ...(config['listeners'] as Section),
      [name]: {
        type,
        address: [`${host.includes(':') ? `[${host}]` : host}:${port}`],
        certificate: 'gateway',
        ...(profile === undefined ? {} : { smtpAuthProfile: profile }),
        ...(implicit ? { tlsMode: 'implicit' } : {}),
        hat: [
          { senderGroup: 'RELAYLIST', senders: ['127.0.0.0/8', '::1'], policy: name },
          { senderGroup: 'ALL', policy: 'BLOCKED' },
        ],
        ...(type === 'public' ? { rat: [{ recipients: ['example.test'], action: 'accept' }] } : {}),
        ...more,
      },
    },
  };
}
