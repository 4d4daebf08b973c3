/**
 * What the quickstart writes: the six people of the contract's directory, their LDIF, the commented configuration and
 * the lines to paste. Pure: text in, text out.
 */
export type Person = {
  readonly user: string;
  readonly name: string;
  readonly surname: string;
  readonly card?: { readonly commonName: string; readonly serialHex: string; readonly revoked?: boolean };
  /** `cacexempt` / `cacemergency` as the AsyncOS guides name them. */
  readonly exempt?: true;
  readonly emergencyUntil?: string;
  readonly story: string;
};

const PEOPLE: readonly Person[] = [
  {
    user: 'alice',
    name: 'Alice Adams',
    surname: 'Adams',
    card: { commonName: 'ADAMS.ALICE.A.1000000001', serialHex: '1001' },
    story: 'card issued, must use it',
  },
  { user: 'bob', name: 'Bob Brown', surname: 'Brown', story: 'no card issued, may use a password' },
  {
    user: 'carol',
    name: 'Carol Clark',
    surname: 'Clark',
    card: { commonName: 'CLARK.CAROL.C.1000000003', serialHex: '1003' },
    exempt: true,
    story: 'card issued, but exempt',
  },
  {
    user: 'dave',
    name: 'Dave Davis',
    surname: 'Davis',
    card: { commonName: 'DAVIS.DAVE.D.1000000004', serialHex: '1004' },
    emergencyUntil: '20991231235959Z',
    story: 'card lost, emergency permission that is still running',
  },
  {
    user: 'erin',
    name: 'Erin Evans',
    surname: 'Evans',
    card: { commonName: 'EVANS.ERIN.E.1000000005', serialHex: '1005' },
    emergencyUntil: '20200101000000Z',
    story: 'emergency permission that has run out',
  },
  {
    user: 'frank',
    name: 'Frank Foster',
    surname: 'Foster',
    card: { commonName: 'FOSTER.FRANK.F.1000000006', serialHex: '1006', revoked: true },
    story: 'has a card, and the card is revoked',
  },
];

/** bob holds a certificate too, so that an administrator can see one that no directory entry owns. */
const CARDLESS_CERTIFICATE = { commonName: 'BROWN.BOB.B.1000000002', serialHex: '1002', revoked: false };

export const CARDS = PEOPLE.map(({ user, card = CARDLESS_CERTIFICATE }) => ({
  user,
  email: `${user}@example.test`,
  commonName: card.commonName,
  serialHex: card.serialHex,
  revoked: card.revoked ?? false,
}));

export function directoryLdif(): string {
  const people = PEOPLE.map((person) =>
    [
      `# ${person.user}: ${person.story}`,
      `dn: uid=${person.user},ou=people,dc=example,dc=test`,
      'objectClass: inetOrgPerson',
      'objectClass: cacUser',
      `uid: ${person.user}`,
      `cn: ${person.name}`,
      `sn: ${person.surname}`,
      `mail: ${person.user}@example.test`,
      `userPassword: ${person.user}-secret`,
      ...(person.card ? [`caccn: ${person.card.commonName}`, `cacserial: ${person.card.serialHex}`] : []),
      ...(person.exempt ? ['cacexempt: TRUE'] : []),
      ...(person.emergencyUntil ? [`cacemergency: ${person.emergencyUntil}`] : []),
      '',
    ].join('\n'),
  );
  return `${DIRECTORY_TOP}\n${people.join('\n')}`;
}

const DIRECTORY_TOP = `# The quickstart's directory. Change it and send SIGHUP.
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people
`;

export type Ports = {
  readonly submission: number;
  readonly submissions: number;
  readonly nextHop: number;
  readonly metrics: number;
};

export function configuration(ports: Ports): string {
  return `# The quickstart's configuration: a certificate from those who have a card, a password from those whom the directory
# allows (recipe C of the README). Check it with: bin/sallyport check quickstart/sallyport.yaml
hostname: localhost

certificates:
  gateway: { certFile: pki/gateway.pem, keyFile: pki/gateway.key }
certificateAuthorities:
  cac: { file: pki/ca.pem }                 # root (the anchor) and issuing CA; public CAs are never added

ldap:
  servers:
    corp:
      ldif: directory.ldif                  # the embedded directory; a real one has hosts: ["ldaps://..."]
      baseDn: "dc=example,dc=test"
  queries:
    cac-certificate:                        # who owns a certificate
      server: corp
      type: certificate
      filter: "(&(caccn={cn})(cacserial={sn}))"
      userIdAttribute: uid
    smtp-auth:                              # who may use a password, and whether it is right
      server: corp
      type: smtpAuth
      filter: "(uid={u})"
      method: bind
      allowance: "(&(uid={u})(|(!(caccn=*))(cacexempt=*)(cacemergency>={t})))"

smtpAuthProfiles:
  cac-or-password:
    type: certificate
    query: cac-certificate
    trust: [cac]
    allowSmtpAuth: password                 # without a valid card: this profile
  password:
    type: ldap
    query: smtp-auth
    checkAllowed:
      action: reject                        # monitor lets them in and logs it
      response: { code: 525, text: "Dear user, please use your CAC to send email." }

mailFlowPolicies:
  RELAYED:
    behavior: relay
    tls: required                           # off | preferred | required
    smtpAuth: required                      # satisfied by the certificate
    requireTlsToOfferSmtpAuth: true

crl:
  checkInbound: true
  sources:
    cac:                                    # the lists of the issuing CA and of the root
      type: pem
      primaryUrl: "file://crl/cac.crl"
      schedule: { every: 1m }

listeners:
  submission:                               # STARTTLS
    type: private
    address: ["127.0.0.1:${ports.submission}"]
    certificate: gateway
    smtpAuthProfile: cac-or-password
    defaultDomain: example.test
    hat:
      - { senderGroup: RELAYLIST, senders: ["127.0.0.0/8"], policy: RELAYED }
      - { senderGroup: ALL, policy: BLOCKED }
  submissions:                              # TLS from the first byte
    type: private
    address: ["127.0.0.1:${ports.submissions}"]
    tlsMode: implicit
    certificate: gateway
    smtpAuthProfile: cac-or-password
    defaultDomain: example.test
    hat:
      - { senderGroup: RELAYLIST, senders: ["127.0.0.0/8"], policy: RELAYED }
      - { senderGroup: ALL, policy: BLOCKED }

smtpRoutes:
  ALL: ["[127.0.0.1]:${ports.nextHop}"]     # the quickstart's next hop, which keeps mail in a Maildir

system:
  metrics: "127.0.0.1:${ports.metrics}"     # Prometheus: http://127.0.0.1:${ports.metrics}/metrics
`;
}

/** What `npm start` prints once the gateway is ready. `dir` as the reader can type it. */
export function pasteLines(dir: string, ports: Ports): string {
  const base = `curl --url smtp://localhost:${ports.submission} --ssl-reqd --cacert ${dir}/pki/ca.pem`;
  const card = (user: string): string => `--cert ${dir}/pki/people/${user}.pem --key ${dir}/pki/people/${user}.key`;
  const mail = (user: string): string =>
    `--mail-from ${user}@example.test --mail-rcpt someone@example.org --upload-file ${dir}/message.eml`;
  return `
Send a mail. Paste any of these into another terminal:

  # alice has a card: her certificate is all she needs
  ${base} ${card('alice')} ${mail('alice')}

  # bob has no card, so the directory lets him use his password
  ${base} --user bob:bob-secret ${mail('bob')}

  # alice with a password is told to use her card: 525 Dear user, please use your CAC to send email.
  ${base} --user alice:alice-secret ${mail('alice')}

  # frank's card is revoked: no identity, so 530 5.7.0 authentication required
  ${base} ${card('frank')} ${mail('frank')}

Mail arrives in      ${dir}/mail/new
Certificates         ${dir}/pki/people (PEM, and PKCS#12 with the password "sallyport" for a mail client)
Configuration        ${dir}/sallyport.yaml (change it, then kill -HUP the gateway)
All four at once     npm run demo
Stop                 Ctrl-C

`;
}

export const MESSAGE = `From: <sender@example.test>
To: <someone@example.org>
Subject: through the sally port

This mail went through two doors: the certificate and the directory.
`.replaceAll('\n', '\r\n');
