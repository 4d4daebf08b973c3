/**
 * Every decision of one session, in the mail's order, without a session: what `trace` shows, what a dry run of a
 * candidate configuration answers and what a replay of recent clients compares. The decisions are the functions that a
 * live session asks; only the words between them are not said. The client is one that goes on whatever it hears:
 * STARTTLS, AUTH, MAIL, RCPT, DATA. AsyncOS: System Administration > Trace. Pure: look-ups are handed in.
 */
import { decideAdmission } from '../accept/connection.ts';
import type { EffectivePolicy } from '../config/effective-policy.ts';
import { R, type Reply, replyText } from '../core/reply.ts';
import { contentRefusal } from '../content/content-verdict.ts';
import { hopsOf } from '../content/hops.ts';
import { decideMailFrom } from '../envelope/mail-from.ts';
import { decideRcptTo } from '../envelope/rcpt-to.ts';
import {
  asksForCertificate,
  type CertificateStanding,
  decideIdentity,
  needsOwner,
} from '../identity/identity-verdict.ts';
import { type AuthAnswer, decideAuth, refuseAuth } from '../identity/smtp-auth-verdict.ts';
import type { Refusal } from '../log/mail-event.ts';
import { type HatMatch, matchHat } from '../policy/host-access-table.ts';
import { ChunkReader } from '../smtp/chunk-reader.ts';
import { parseCommand } from '../smtp/command.ts';
import type { MailParameters } from '../smtp/parameters.ts';
import type { Door } from './doors.io.ts';

/** What the client is and does. */
export type TracedClient = {
  /** Normalised (`normaliseIp`). */
  readonly remoteAddress: string;
  /** Only a name that the address confirms. */
  readonly hostname: string | undefined;
  /** It begins TLS where that is offered. */
  readonly tls: boolean;
  /** It authenticates with PLAIN as this login. */
  readonly login: string | undefined;
  /** As between < and >; '' is the null reverse-path. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** The message with CRLF line ends; undefined where none is sent. */
  readonly message: Buffer | undefined;
};

export type TracePorts = {
  /** Path, revocation and, where asked for, the owner of the client's certificate; `none` without one. */
  readonly standing: (askOwner: boolean) => Promise<CertificateStanding>;
  readonly login: (login: string) => Promise<AuthAnswer>;
};

export type TraceDoor = Pick<Door, 'name' | 'config' | 'hostname' | 'hat' | 'policy'> & {
  readonly profile:
    | {
        readonly name: string;
        readonly type: 'certificate' | 'ldap';
        readonly password:
          | Pick<NonNullable<NonNullable<Door['profile']>['password']>, 'name' | 'checkAllowed' | 'exemption'>
          | undefined;
      }
    | undefined;
};

export type TraceStage = {
  readonly stage: Refusal['stage'];
  /** `passed` goes on; `refused` and `deferred` say `reply`. */
  readonly outcome: 'passed' | 'refused' | 'deferred';
  readonly rule: string;
  /** In words. */
  readonly says: string;
  readonly reply?: Reply;
};

export type SessionTrace = {
  readonly stages: readonly TraceStage[];
  readonly match: HatMatch;
  /** The worst of the stages that decide about mail; a refused AUTH alone refuses nothing. */
  readonly outcome: 'accepted' | 'refused' | 'deferred';
  /**
   * Where the mail is not accepted: the first stage that refused it. Where that was for want of an identity, the one that
   * did not give it, such as a password that the allowance refuses.
   */
  readonly decisive?: TraceStage;
  readonly user: string | undefined;
};

type Tracing = {
  readonly door: TraceDoor;
  readonly client: TracedClient;
  readonly ports: TracePorts;
  readonly policy: EffectivePolicy;
  readonly stages: TraceStage[];
  tlsActive: boolean;
  identity: { kind: 'none' } | { kind: 'certificate' | 'password'; user: string };
  ownerUnknown: { readonly rule: string } | undefined;
  /** The last that could have given an identity and did not. */
  unidentified: TraceStage | undefined;
  /** STARTTLS was wanted and is not offered. */
  withoutTls: TraceStage | undefined;
  /** Refusals of mail that an identity would have prevented, with what did not give it. */
  readonly causes: Map<TraceStage, TraceStage>;
};

/** Stages up to the one that ends the session. */
export async function traceSession(door: TraceDoor, client: TracedClient, ports: TracePorts): Promise<SessionTrace> {
  const match = matchHat(door.hat, { ip: client.remoteAddress, hostname: client.hostname });
  const policy = door.policy(match.policy);
  const tracing: Tracing = {
    door,
    client,
    ports,
    policy,
    stages: [],
    tlsActive: false,
    identity: { kind: 'none' },
    ownerUnknown: undefined,
    unidentified: undefined,
    withoutTls: undefined,
    causes: new Map(),
  };
  const goesOn = traceConnection(tracing, match) && traceTls(tracing) && (await traceCertificate(tracing));
  if (goesOn) {
    await traceAuth(tracing);
    traceTransaction(tracing);
  }
  const { stages, identity } = tracing;
  const user = identity.kind === 'none' ? undefined : identity.user;
  const outcome = outcomeOf(stages);
  const decisive = outcome === 'accepted' ? undefined : decisiveOf(tracing, outcome);
  return { stages, match, outcome, ...(decisive === undefined ? {} : { decisive }), user };
}

/** AUTH and a STARTTLS that is not offered are the client's to get over: what counts is what becomes of its mail. */
const decidesOnMail = ({ stage, reply }: TraceStage): boolean => stage !== 'auth' && reply !== R.tlsNotOffered;

function decisiveOf({ stages, causes }: Tracing, outcome: SessionTrace['outcome']): TraceStage | undefined {
  const first = stages.find((stage) => decidesOnMail(stage) && stage.outcome === outcome);
  return first && (causes.get(first) ?? first);
}

function outcomeOf(stages: readonly TraceStage[]): SessionTrace['outcome'] {
  const deciding = stages.filter(decidesOnMail);
  if (deciding.some(({ outcome }) => outcome === 'refused')) return 'refused';
  return deciding.some(({ outcome }) => outcome === 'deferred') ? 'deferred' : 'accepted';
}

/** The refusal that was just noted would not be there with an identity. */
function blameIdentity({ stages, causes, unidentified }: Tracing): void {
  const refusal = stages.at(-1);
  if (refusal !== undefined && unidentified !== undefined) causes.set(refusal, unidentified);
}

/** Notes what a stage came to. `passed` is true and `refused` false: whether the session goes on. */
const at = ({ stages }: Tracing, stage: TraceStage['stage']) => ({
  passed(rule: string, says: string): true {
    stages.push({ stage, outcome: 'passed', rule, says });
    return true;
  },
  refused(rule: string, reply: Reply, says = replyText(reply)): false {
    stages.push({ stage, outcome: reply.code < 500 ? 'deferred' : 'refused', rule, says, reply });
    return false;
  },
  /** The connection ends without a word to the client. */
  closed(rule: string, says: string): false {
    stages.push({ stage, outcome: 'refused', rule, says });
    return false;
  },
});

function traceConnection(tracing: Tracing, match: HatMatch): boolean {
  const { policy, door } = tracing;
  const admission = decideAdmission(policy);
  const says = `sender group ${match.senderGroup} (match ${match.match}), policy ${match.policy}, ${admission.behavior}`;
  const connection = at(tracing, 'connection');
  if (admission.kind === 'greet') return connection.passed(match.rule, says);
  return admission.kind === 'reject' && door.config.tlsMode === 'starttls'
    ? connection.refused(match.rule, admission.reply, says)
    : connection.closed(match.rule, says);
}

/** False only where nothing can be said without TLS: on an implicit-TLS address. */
function traceTls(tracing: Tracing): boolean {
  const { door, client, policy } = tracing;
  const rule = `mailFlowPolicies.${policy.name}.tls`;
  if (door.config.tlsMode === 'implicit') {
    tracing.tlsActive = client.tls;
    return client.tls
      ? at(tracing, 'tls').passed(`listeners.${door.name}.tlsMode`, 'TLS from the first byte')
      : at(tracing, 'tls').closed(`listeners.${door.name}.tlsMode`, 'this listener speaks TLS only');
  }
  if (!client.tls) {
    at(tracing, 'tls').passed(rule, `tls ${policy.tls}, the client does not begin TLS`);
  } else if (policy.tls === 'off') {
    at(tracing, 'tls').refused(rule, R.tlsNotOffered, 'tls off: STARTTLS is not offered');
    tracing.withoutTls = tracing.stages.at(-1);
  } else {
    tracing.tlsActive = true;
    at(tracing, 'tls').passed(rule, `tls ${policy.tls}, STARTTLS`);
  }
  return true;
}

async function traceCertificate(tracing: Tracing): Promise<boolean> {
  const { door, policy, ports, tlsActive } = tracing;
  if (!tlsActive || !asksForCertificate(policy.verifyClientCertificate, door.profile?.type)) return true;
  const facts = { tls: policy.tls, verify: policy.verifyClientCertificate, smtpAuth: policy.smtpAuth };
  const standing: CertificateStanding =
    door.profile?.type === 'certificate' ? await ports.standing(needsOwner(facts)) : { kind: 'none' };
  const verdict = decideIdentity(facts, standing);
  switch (verdict.kind) {
    case 'identity':
      tracing.identity = { kind: 'certificate', user: verdict.user };
      return at(tracing, 'certificate').passed(verdict.rule, `the certificate belongs to ${verdict.user}`);
    case 'anonymous':
      at(tracing, 'certificate').passed(verdict.rule, `no identity: ${verdict.reason}`);
      if (standing.kind !== 'none') tracing.unidentified = tracing.stages.at(-1);
      return true;
    case 'deferred':
      tracing.ownerUnknown = { rule: verdict.rule };
      at(tracing, 'certificate').passed(verdict.rule, `the owner is not known yet: ${verdict.reason}`);
      tracing.unidentified = tracing.stages.at(-1);
      return true;
    case 'refused':
      return at(tracing, 'certificate').refused(verdict.rule, verdict.reply);
  }
}

async function traceAuth(tracing: Tracing): Promise<void> {
  const { login } = tracing.client;
  if (login === undefined || (await authenticates(tracing, login))) return;
  const refusal = tracing.stages.at(-1);
  const lacksTls = refusal?.reply === R.authNeedsTls || refusal?.reply === R.mustStartTls;
  tracing.unidentified = (lacksTls ? tracing.withoutTls : undefined) ?? refusal;
}

async function authenticates(tracing: Tracing, login: string): Promise<boolean> {
  const { door, policy, ports, tlsActive, identity } = tracing;
  const rule = `mailFlowPolicies.${policy.name}.smtpAuth`;
  if (policy.tls === 'required' && !tlsActive) {
    return at(tracing, 'auth').refused(`mailFlowPolicies.${policy.name}.tls`, R.mustStartTls);
  }
  const refusal = refuseAuth({
    smtpAuth: policy.smtpAuth,
    requireTls: policy.requireTlsToOfferSmtpAuth,
    tlsActive,
    passwordProfile: door.profile?.password !== undefined,
    identity: identity.kind,
    authenticated: false,
    inTransaction: false,
    mechanism: 'PLAIN',
  });
  if (refusal !== undefined || door.profile?.password === undefined) {
    return at(tracing, 'auth').refused(rule, refusal ?? R.authOff);
  }
  const { name, checkAllowed, exemption } = door.profile.password;
  const verdict = decideAuth(await ports.login(login), name, checkAllowed, exemption(login));
  if (verdict.kind === 'success' || verdict.kind === 'monitored') {
    tracing.identity = { kind: 'password', user: login };
    const how = verdict.kind === 'monitored' ? ', although the allowance does not match (monitored)' : '';
    return at(tracing, 'auth').passed(verdict.rule, `${login} is authenticated by profile ${name}${how}`);
  }
  return at(tracing, 'auth').refused(verdict.rule, verdict.reply, verdict.reason);
}

function traceTransaction(tracing: Tracing): void {
  const { policy, tlsActive } = tracing;
  if (policy.tls === 'required' && !tlsActive) {
    at(tracing, 'mail').refused(`mailFlowPolicies.${policy.name}.tls`, R.mustStartTls);
    return;
  }
  const parameters = traceMail(tracing);
  if (parameters === undefined) return;
  const { client } = tracing;
  let accepted = 0;
  for (const recipient of client.recipients) if (traceRcpt(tracing, recipient, { accepted, parameters })) accepted += 1;
  if (accepted > 0 && client.message !== undefined) traceData(tracing, client.message);
}

/** The parameters of a MAIL that was accepted. */
function traceMail(tracing: Tracing): MailParameters | undefined {
  const { client, policy, door, identity, ownerUnknown } = tracing;
  const utf8 = isUtf8Needed([client.sender, ...client.recipients]) ? ' SMTPUTF8' : '';
  const size = client.message === undefined ? '' : ` SIZE=${client.message.length}`;
  const command = parseCommand(Buffer.from(`MAIL FROM:<${client.sender}>${size}${utf8}`));
  if (command.verb !== 'MAIL') {
    at(tracing, 'mail').refused('RFC 5321 §4.1.2', command.verb === 'invalid' ? command.reply : R.internal);
    return undefined;
  }
  if (ownerUnknown !== undefined && (policy.verifyClientCertificate || identity.kind === 'none')) {
    at(tracing, 'mail').refused(ownerUnknown.rule, R.authUnavailable);
    blameIdentity(tracing);
    return undefined;
  }
  const decide = (identified: boolean) => {
    const facts = { policy, messages: 0, identified, defaultDomain: door.config.defaultDomain };
    return decideMailFrom(command.path, command.parameters, facts);
  };
  const verdict = decide(identity.kind !== 'none');
  if (verdict.kind === 'accept') {
    at(tracing, 'mail').passed(verdict.rule, `sender <${verdict.value.sender}>`);
    return command.parameters;
  }
  at(tracing, 'mail').refused(verdict.rule, 'reply' in verdict ? verdict.reply : R.internal);
  if (decide(true).rule !== verdict.rule) blameIdentity(tracing);
  return undefined;
}

type Envelope = { readonly accepted: number; readonly parameters: MailParameters };

function traceRcpt(tracing: Tracing, recipient: string, { accepted, parameters }: Envelope): boolean {
  const { policy, door, identity } = tracing;
  const command = parseCommand(Buffer.from(`RCPT TO:<${recipient}>`));
  if (command.verb !== 'RCPT') {
    return at(tracing, 'rcpt').refused('RFC 5321 §4.1.2', command.verb === 'invalid' ? command.reply : R.internal);
  }
  const decide = (identified: boolean) =>
    decideRcptTo(command.path, {
      policy,
      listener: door.config,
      listenerName: door.name,
      identified,
      recipients: accepted,
      smtpUtf8: parameters.smtpUtf8,
      hostname: door.hostname,
    });
  const verdict = decide(identity.kind !== 'none');
  if (verdict.kind === 'accept') return at(tracing, 'rcpt').passed(verdict.rule, `recipient <${verdict.value}>`);
  at(tracing, 'rcpt').refused(verdict.rule, 'reply' in verdict ? verdict.reply : R.internal);
  if (decide(true).rule !== verdict.rule) blameIdentity(tracing);
  return false;
}

function traceData(tracing: Tracing, message: Buffer): void {
  const { policy, door } = tracing;
  const reader = new ChunkReader({ maxBytes: policy.maxMessageBytes, bareLineEnds: door.config.bareLineEnds });
  reader.push(message);
  reader.end();
  // Our own Received field stands above the message and counts as one.
  const own = door.config.receivedHeader ? 'Received: by us\r\n' : '';
  const hops = hopsOf(Buffer.concat([Buffer.from(own), ...reader.take()]));
  const refusal = contentRefusal(reader.fault, hops);
  if (refusal === undefined) at(tracing, 'data').passed('content', `${message.length} octets`);
  else at(tracing, 'data').refused(refusal.rule, refusal.reply);
}

const isUtf8Needed = (addresses: readonly string[]): boolean =>
  addresses.some((address) => /[^\u0000-\u007f]/.test(address));
