/**
 * The certificates of the tests: the card authority (root and issuing), the cards of the six people of the contract's
 * directory, every kind of certificate that is not good, and the gateway's own certificate with its authority.
 * Cards are made when first asked for. Effects: runs openssl, writes files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AUTHORITY_EXTENSIONS,
  CertificateAuthority,
  CLIENT_EXTENSIONS,
  type Credentials,
  type CrlIssue,
  type Issue,
  selfSigned,
} from './certificate-authority.ts';

const DAY_MS = 86_400_000;
const ISSUING_SUBJECT = '/O=Example/CN=Test Card Issuing CA';

/** Common name and serial number as directory.ldif has them; bob has a card that the directory does not know. */
const CARDS = {
  alice: ['ADAMS.ALICE.A.1000000001', '1001'],
  bob: ['BROWN.BOB.B.1000000002', '1002'],
  carol: ['CLARK.CAROL.C.1000000003', '1003'],
  dave: ['DAVIS.DAVE.D.1000000004', '1004'],
  erin: ['EVANS.ERIN.E.1000000005', '1005'],
  frank: ['FOSTER.FRANK.F.1000000006', '1006'],
  /** People of test/support/extra.ldif. */
  twins: ['TWIN.TWO.T.1000000010', '1010'],
  nameless: ['NAMELESS.NO.N.1000000011', '1011'],
  manyNames: ['MANY.NAMES.M.1000000012', '1012'],
} as const satisfies Record<string, readonly [string, string]>;

export type Person = keyof typeof CARDS;

const BAD_KINDS = [
  'expired',
  'notYetValid',
  'wrongPurpose',
  'selfSigned',
  'untrusted',
  'forgedIssuer',
  'brokenChain',
  'weakKey',
  'revoked',
  'signedByLeaf',
] as const;
export type BadKind = (typeof BAD_KINDS)[number];
export const badKinds: readonly BadKind[] = BAD_KINDS;

export class Pki {
  readonly folder: string;
  readonly root: CertificateAuthority;
  readonly issuing: CertificateAuthority;
  readonly gateway: Credentials;
  /** PEM of the authority that signed the gateway's certificate. */
  readonly serverCa: string;
  readonly #made = new Map<string, Credentials>();
  #authorities = 0;
  #forged: CertificateAuthority | undefined;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.root = CertificateAuthority.root(join(folder, 'root'), '/O=Example/CN=Test Card Root CA');
    this.issuing = this.root.intermediate(join(folder, 'issuing'), { subject: ISSUING_SUBJECT, serial: '0A' });
    const server = CertificateAuthority.root(join(folder, 'server'), '/O=Example/CN=Test Server CA');
    this.serverCa = server.own.cert;
    this.gateway = server.issue({
      subject: '/CN=gw.example.test',
      serial: '01',
      extensions: [
        'basicConstraints=critical,CA:FALSE',
        'extendedKeyUsage=serverAuth',
        'subjectAltName=DNS:gw.example.test,DNS:localhost,IP:127.0.0.1,IP:::1',
      ],
    });
    writeFileSync(join(folder, 'cac-ca.pem'), this.root.own.cert + this.issuing.own.cert);
    writeFileSync(join(folder, 'server-ca.pem'), this.serverCa);
    writeFileSync(join(folder, 'gateway.pem'), this.gateway.cert);
    writeFileSync(join(folder, 'gateway.key'), this.gateway.key);
  }

  card(person: Person): Credentials {
    const [commonName, serial] = CARDS[person];
    return this.#make(person, () => this.issuing.issue({ subject: `/O=Example/CN=${commonName}`, serial }));
  }

  /** A certificate of the issuing authority with a subject of the test's own. */
  issue(issue: Issue): Credentials {
    return this.issuing.issue(issue);
  }

  /** A certificate that says it is alice's card, and is not good. */
  bad(kind: BadKind): Credentials {
    return this.#make(kind, () => this.#makeBad(kind));
  }

  /** The lists of both authorities in one PEM file, as `cac.crl` of the recipes; frank's card is revoked. */
  crl(issue: CrlIssue = {}): string {
    return this.issuing.crl({ revoked: ['1006'], ...issue }) + this.root.crl({ ...issue, revoked: [] });
  }

  /** An authority whose time is over. */
  get expiredAuthority(): Credentials {
    const now = Date.now();
    return this.#make('expired authority', () =>
      this.root.issue({
        subject: '/O=Example/CN=Former Issuing CA',
        serial: '0C',
        notBeforeMs: now - 10 * DAY_MS,
        notAfterMs: now - DAY_MS,
        extensions: AUTHORITY_EXTENSIONS,
      }),
    );
  }

  /** A CA that calls itself like the issuing authority and has another key. */
  get forgedIssuing(): CertificateAuthority {
    this.#forged ??= this.#authority(ISSUING_SUBJECT);
    return this.#forged;
  }

  #make(name: string, make: () => Credentials): Credentials {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made;
  }

  #makeBad(kind: BadKind): Credentials {
    const alice: Issue = { subject: `/O=Example/CN=${CARDS.alice[0]}`, serial: CARDS.alice[1] };
    const now = Date.now();
    switch (kind) {
      case 'expired':
        return this.issuing.issue({ ...alice, notBeforeMs: now - 10 * DAY_MS, notAfterMs: now - DAY_MS });
      case 'notYetValid':
        return this.issuing.issue({ ...alice, notBeforeMs: now + DAY_MS });
      case 'wrongPurpose':
        return this.issuing.issue({
          ...alice,
          extensions: [...CLIENT_EXTENSIONS.slice(0, 2), 'extendedKeyUsage=serverAuth'],
        });
      case 'selfSigned':
        return selfSigned(join(this.folder, 'self-signed'), 'self-signed', alice);
      case 'untrusted':
        return this.#authority('/O=Elsewhere/CN=Another CA').issue(alice);
      case 'forgedIssuer':
        return this.forgedIssuing.issue(alice);
      case 'brokenChain':
        return this.#unknownIntermediate().issue(alice);
      case 'weakKey':
        return this.issuing.issue({ ...alice, keyType: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] });
      case 'revoked':
        return this.card('frank');
      case 'signedByLeaf':
        return new CertificateAuthority(join(this.folder, 'leaf-as-ca'), this.card('dave')).issue(alice);
    }
  }

  #authority(subject: string): CertificateAuthority {
    return CertificateAuthority.root(join(this.folder, `authority-${++this.#authorities}`), subject);
  }

  /** An authority below a root that nobody trusts; neither is sent nor configured. */
  #unknownIntermediate(): CertificateAuthority {
    return this.#authority('/O=Example/CN=Lost Root CA').intermediate(join(this.folder, 'lost'), {
      subject: '/O=Example/CN=Lost CA',
      serial: '0B',
    });
  }
}
