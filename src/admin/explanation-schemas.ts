/**
 * Shapes of explanations: the stages of a directory query, the checks of a certificate. They are those of the parts that
 * decide (`ldap/query.ts`, `tls/path-explanation.ts`, `tls/revocation-explanation.ts`), as JSON. Pure.
 */
import { z } from 'zod';
import { timeMs } from './schemas.ts';

const MAX_MESSAGE_CHARS = 14 * 1024 * 1024;

export const whichAsked = z
  .union([z.enum(['running', 'candidate']), z.int().min(1)], 'running, candidate or the number of a revision')
  .default('running')
  .meta({ description: '`running`, `candidate` (one’s own), or the number of a revision.' });

export const whichAskedText = z
  .string()
  .regex(/^(running|candidate|[1-9]\d{0,8})$/, 'running, candidate or the number of a revision')
  .default('running')
  .meta({ description: '`running`, `candidate` (one’s own), or the number of a revision.' });

export const name = z.string().min(1).max(200);

/** PEM, the client's own certificate first. */
export const pemText = z
  .string()
  .max(200_000)
  .meta({ description: 'PEM: the client’s certificate, then what it sends along.' });

const answerOf = <Value extends z.ZodType>(value: Value) =>
  z.discriminatedUnion('answer', [
    z.strictObject({ answer: z.literal('yes'), value }),
    z.strictObject({ answer: z.literal('no'), why: z.string() }),
    z.strictObject({ answer: z.literal('unknown'), why: z.string() }),
  ]);

const entries = z.strictObject({
  entries: z.array(z.strictObject({ dn: z.string(), attributes: z.array(z.never()).readonly() })),
  more: z.boolean(),
});

const what = { what: z.enum(['query', 'allowance']), rule: z.string().optional() };

/** What was asked of the directory and what it answered; entries by name only. */
const ldapStage = z
  .discriminatedUnion('stage', [
    z.strictObject({ stage: z.literal('not-asked'), ...what, why: z.string() }),
    z.strictObject({ stage: z.literal('filter'), ...what, baseDn: z.string(), filter: z.string() }),
    z.strictObject({ stage: z.literal('entries'), ...what, answer: answerOf(entries) }),
    z.strictObject({
      stage: z.literal('compared'),
      dn: z.string(),
      holds: z.boolean(),
      rule: z.string().optional(),
    }),
    z.strictObject({ stage: z.literal('user-id'), attribute: z.string(), values: z.array(z.string()) }),
    z.strictObject({
      stage: z.literal('password'),
      method: z.enum(['bind', 'passwordAttribute']),
      dn: z.string(),
      answer: answerOf(z.literal(true)),
    }),
  ])
  .meta({ id: 'LdapStage', description: 'What was asked of the directory, and what it answered.' });

const certificateNames = z.strictObject({ subject: z.string(), issuer: z.string(), serial: z.string() });

const check = z
  .strictObject({
    check: z.string(),
    outcome: z.enum(['passed', 'failed', 'not-checked']),
    says: z.string(),
    rule: z.string(),
  })
  .meta({ id: 'CertificateCheck' });

const list = z
  .strictObject({
    source: z.string(),
    issuer: z.string(),
    number: z.string().optional(),
    base: z.string().optional().meta({ description: 'Of a delta: the complete list that it starts from.' }),
    thisUpdateMs: z.int(),
    nextUpdateMs: z.int().optional(),
    entries: z.int(),
    verdict: z.enum(['good', 'revoked', 'expired', 'not-used']),
    says: z.string(),
  })
  .meta({ id: 'ConsultedList' });

const answer = z
  .strictObject({
    status: z.enum(['good', 'revoked', 'unknown', 'none']),
    responder: z.string().optional(),
    signer: z.string().optional(),
    producedAtMs: z.int().optional(),
    thisUpdateMs: z.int().optional(),
    nextUpdateMs: z.int().optional(),
    nonce: z.enum(['matched', 'absent', 'notSent']).optional(),
    verdict: z.enum(['good', 'lists', 'revoked', 'refused', 'unchecked']),
    says: z.string(),
  })
  .meta({ id: 'ConsultedResponder' });

const revocation = z
  .strictObject({
    lists: z.array(list),
    answer: answer.optional(),
    verdict: z.enum(['good', 'revoked', 'refused', 'unchecked', 'not-checked']),
    says: z.string(),
    rule: z.string().optional(),
  })
  .meta({ id: 'RevocationChecked' });

const chain = z
  .strictObject({
    valid: z.boolean(),
    failure: z.strictObject({ reason: z.string(), rule: z.string() }).optional(),
    certificates: z.array(
      z.strictObject({
        place: z.enum(['client', 'authority', 'anchor']),
        subject: z.string(),
        issuer: z.string(),
        serial: z.string(),
        checks: z.array(check),
      }),
    ),
    policies: check,
    revocation: z.array(revocation),
  })
  .meta({ id: 'CertificateChain' });

const facts = z.strictObject({
  listener: z.string(),
  remoteAddress: z.string(),
  hostname: z.string().optional(),
  tls: z.boolean(),
  certificate: z.string().optional().meta({ description: 'SHA-256 of the client’s certificate.' }),
  owner: z
    .discriminatedUnion('answer', [
      z.strictObject({ answer: z.literal('yes'), value: z.strictObject({ user: z.string(), by: z.string() }) }),
      z.strictObject({ answer: z.enum(['no', 'unknown']), why: z.string() }),
    ])
    .optional(),
  login: z
    .discriminatedUnion('kind', [
      z.strictObject({ user: z.string(), kind: z.literal('accepted'), allowed: z.boolean() }),
      z.strictObject({ user: z.string(), kind: z.enum(['wrong', 'unavailable']), why: z.string() }),
    ])
    .optional(),
  sender: z.string(),
  recipients: z.array(z.string()),
});

const outcome = z.enum(['accepted', 'refused', 'deferred']);
const sessionStage = z.enum(['connection', 'tls', 'certificate', 'auth', 'mail', 'rcpt', 'data']);

const reply = z.strictObject({ code: z.int(), status: z.string().optional(), lines: z.array(z.string()) });

const judged = z.strictObject({
  outcome,
  because: z
    .strictObject({ stage: sessionStage, rule: z.string(), says: z.string(), reply: reply.optional() })
    .optional()
    .meta({ description: 'The stage that decided, where the mail is not accepted.' }),
});

export const dryRun = z
  .strictObject({
    days: z.int(),
    clients: z.int(),
    notLookedAt: z.int().meta({ description: 'So many more were seen, longer ago.' }),
    summary: z
      .array(z.strictObject({ outcome: outcome.optional(), count: z.int(), says: z.string() }))
      .meta({ description: 'A sentence for each verdict that somebody would get.' }),
    changed: z
      .array(
        z.strictObject({
          client: z.strictObject({ key: z.string(), facts, sessions: z.int(), lastMs: timeMs }),
          before: judged,
          after: judged,
        }),
      )
      .meta({ description: 'The 1,000 that were seen last.' }),
  })
  .meta({ id: 'DryRun' });

const traceStage = z
  .strictObject({
    stage: sessionStage,
    outcome: z.enum(['passed', 'refused', 'deferred']),
    rule: z.string(),
    says: z.string(),
    reply: reply.optional(),
  })
  .meta({ id: 'TraceStage' });

export const traceReport = z
  .strictObject({
    revision: z.int(),
    hostname: z.string().optional().meta({ description: 'The client’s verified name, as given or as DNS says.' }),
    noHostname: z.string().optional().meta({ description: 'Why DNS gave none, where it was asked.' }),
    stages: z.array(traceStage),
    decisive: traceStage.optional().meta({
      description:
        'Where the mail is not accepted: the first stage that refused it. Where that was for want of an identity, the one that did not give it.',
    }),
    match: z.strictObject({ senderGroup: z.string(), policy: z.string(), match: z.string(), rule: z.string() }),
    outcome,
    user: z.string().optional(),
    ldap: z.array(ldapStage),
    routes: z.array(z.strictObject({ recipient: z.string(), rule: z.string(), to: z.string() })),
  })
  .meta({ id: 'Trace' });

const address = z.string().max(1000);

export const traceQuestion = z
  .strictObject({
    which: whichAsked,
    listener: name.optional().meta({ description: 'May be left out where there is only one.' }),
    fromIp: z.string().max(100),
    hostname: z
      .string()
      .max(300)
      .optional()
      .meta({ description: 'Taken as confirmed; left out it is looked up where a session would look it up.' }),
    tls: z.boolean().optional(),
    certificate: pemText.optional(),
    user: z.string().min(1).max(1000).optional(),
    password: z
      .string()
      .max(4096)
      .optional()
      .meta({ description: 'Without it that of the user is taken as right. For operators.' }),
    sender: address.meta({ description: 'Empty: the null sender.' }),
    recipients: z.array(address).min(1).max(100),
    message: z.base64().max(MAX_MESSAGE_CHARS).optional().meta({ description: 'The message, base64 of its octets.' }),
  })
  .refine(({ user, password }) => password === undefined || user !== undefined, 'a password needs a user');

const login = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('accepted'), allowed: z.boolean() }),
  z.strictObject({ kind: z.enum(['wrong', 'unavailable']), why: z.string() }),
]);

export const directoryTest = z
  .strictObject({
    revision: z.int(),
    staticMap: z.strictObject({ profile: z.string(), answer: answerOf(z.looseObject({ by: z.string() })) }).optional(),
    query: z
      .strictObject({
        name: z.string(),
        type: z.enum(['certificate', 'smtpAuth']),
        server: z.string(),
        hosts: z.array(z.strictObject({ host: z.string(), ok: z.boolean(), why: z.string() })),
      })
      .optional(),
    stages: z.array(ldapStage),
    answer: z.discriminatedUnion('of', [
      z.strictObject({
        of: z.literal('certificate'),
        owner: answerOf(z.strictObject({ user: z.string(), by: z.string() })),
      }),
      z.strictObject({ of: z.literal('login'), login, allowanceAsked: z.boolean() }),
    ]),
  })
  .meta({ id: 'DirectoryTest' });

export const directoryQuestion = z
  .strictObject({
    which: whichAsked,
    query: name.optional(),
    profile: name.optional(),
    certificate: pemText.optional(),
    user: z.string().min(1).max(1000).optional(),
    password: z
      .string()
      .max(4096)
      .optional()
      .meta({ description: 'Without it that of the user is taken as right. For operators.' }),
  })
  .refine(({ user, certificate }) => (user === undefined) !== (certificate === undefined), 'a user or a certificate')
  .refine(({ user, password }) => password === undefined || user !== undefined, 'a password needs a user');

export const destinationQuestion = z.strictObject({
  which: whichAsked,
  domain: name.meta({ description: 'The domain that mail goes to, and that the certificate is verified against.' }),
  host: name.optional().meta({ description: 'Instead of the route or the MX records: name, address, name:port.' }),
  port: z.int().min(1).max(65_535).optional(),
  ca: name.optional().meta({ description: 'Trusted, of certificateAuthorities; without it the public authorities.' }),
});

export const destinationVerification = z
  .strictObject({
    revision: z.int(),
    domain: z.string(),
    route: z.strictObject({ rule: z.string(), says: z.string() }),
    trust: z.string(),
    hosts: z.array(
      z.strictObject({
        host: z.string(),
        address: z.string(),
        port: z.int(),
        steps: z.array(
          z.strictObject({
            step: z.enum(['connect', 'greeting', 'ehlo', 'starttls', 'tls', 'chain', 'name']),
            ok: z.boolean(),
            says: z.string(),
          }),
        ),
        tls: z.strictObject({ protocol: z.string(), cipher: z.string() }).optional(),
        certificates: z.array(
          z.strictObject({
            subject: z.string(),
            issuer: z.string(),
            serial: z.string(),
            notBeforeMs: z.int(),
            notAfterMs: z.int(),
            names: z.array(z.string()),
          }),
        ),
        outcome: z.enum(['verified', 'unverified', 'clear', 'failed']),
      }),
    ),
    moreHosts: z.int(),
    verified: z.boolean(),
    policy: z.strictObject({ rule: z.string(), tls: z.enum(['off', 'preferred', 'required']), says: z.string() }),
  })
  .meta({ id: 'DestinationVerification' });

export const ruleReport = z
  .strictObject({
    nowMs: timeMs,
    countedFromMs: timeMs,
    rules: z.array(z.strictObject({ rule: z.string(), hits: z.int(), lastMs: timeMs.optional() })),
  })
  .meta({ id: 'RuleReport' });

export const exemptionReport = z.strictObject({
  nowMs: timeMs,
  exemptions: z.array(
    z.strictObject({
      name: z.string(),
      user: z.string(),
      untilMs: timeMs,
      state: z.enum(['in force', 'ends soon', 'ended']),
      reason: z.string(),
      grantedBy: z.string(),
      uses: z.int(),
      lastUseMs: timeMs.optional(),
    }),
  ),
});

export const monitoredReport = z.strictObject({
  monitored: z.array(
    z.strictObject({ profile: z.string(), user: z.string(), times: z.int(), sinceMs: timeMs, lastMs: timeMs }),
  ),
});

export const verification = z
  .strictObject({
    profile: z.string(),
    revision: z.int(),
    atMs: timeMs,
    certificate: certificateNames.optional(),
    fetchedIssuers: z.int(),
    chains: z.array(chain),
    moreChains: z.int(),
    asked: z
      .enum(['session', 'information', 'nobody'])
      .meta({ description: '`information`: the directory was asked although a session would not.' }),
    ldap: z.array(ldapStage),
    verdict: z.strictObject({
      outcome,
      user: z.string().optional(),
      says: z.string(),
      rule: z.string(),
    }),
  })
  .meta({ id: 'Verification' });
