/**
 * What handlers of the API are given: the parts of the gateway that they may ask, and who is calling. Pure: types only.
 */
import type { AdminConfig, Config } from '../config/schema.ts';
import type { Mid } from '../core/ids.ts';
import type { Clock } from '../core/ports.ts';
import type { MailLog } from '../log/mail-event.ts';
import type { QueueClient } from '../queue/queue-client.io.ts';
import type { Accounts } from './accounts.io.ts';
import type { AuditRecord, How } from './audit.io.ts';
import type { ControlCalls } from './control-calls.ts';
import type { Explanations } from './explanations.ts';
import type { HostCensus } from './host-census.io.ts';
import type { LoginRecordLimit } from './login-record-limit.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { PasskeyChallenges } from './passkey-challenges.ts';
import type { PasskeyVerification } from './passkey-verification.io.ts';
import type { PasswordHashes } from './password-hash.io.ts';
import type { Problem } from './problem.ts';
import type { Role } from './roles.ts';
import type { Route, RouteInput, RouteOutput } from './route.ts';
import type { CertificateChain, Sessions } from './sessions.io.ts';

/** Somebody who has proved who they are. */
export type Caller = {
  /** An account's name; `cli:` and the local account over the control socket. */
  readonly name: string;
  readonly role: Role;
  readonly how: How;
  /** Owns the candidate configuration: a session, a token, or the local account. */
  readonly session: string;
  readonly sinceMs?: number;
};

export type Call = {
  readonly caller: Caller | undefined;
  readonly channel: 'tls' | 'local';
  /** Where the call came from; `local` for the control socket. */
  readonly address: string;
  /** The client certificate of the connection, not judged yet. */
  readonly chain: CertificateChain | undefined;
  /** The cookie's secret. */
  readonly cookie: string | undefined;
};

/** A client certificate as an account knows it. `identity`: issuer and subject as names are compared. */
export type CertificateIdentity = { readonly identity: string; readonly subject: string; readonly issuer: string };

export type CertificateJudgement =
  | ({ readonly ok: true } & CertificateIdentity)
  | { readonly ok: false; readonly why: string };

/** The gateway's own path validation and revocation lists, for administrators. */
export type CertificateDoor = {
  /** Is this chain good now, for a login? */
  judge(chain: CertificateChain): CertificateJudgement;
  /** The names in a PEM or DER file, for binding it to an account. */
  read(file: Uint8Array): CertificateJudgement;
};

export type AdminSettings = Pick<
  AdminConfig,
  'sessionIdle' | 'sessionLifetime' | 'maxFailedLogins' | 'lockTime' | 'clientCertificate'
>;

/** `subject`: unfolded, not decoded. */
export type MessageHeader = { readonly text: string; readonly subject?: string };

export type ApiContext = {
  readonly version: string;
  readonly clock: Clock;
  readonly log: MailLog;
  readonly control: ControlCalls;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly audit: AuditRecord;
  readonly hashes: PasswordHashes;
  readonly throttle: LoginThrottle;
  readonly challenges: PasskeyChallenges;
  readonly passkeys: PasskeyVerification;
  readonly recordLimit: LoginRecordLimit;
  readonly certificates: CertificateDoor;
  readonly queue: QueueClient;
  readonly census: HostCensus;
  /** The header of a message in the queue, in part where it is long; undefined where its body is missing. */
  readonly messageHeader: (mid: Mid) => Promise<MessageHeader | undefined>;
  /** Those who explain decisions; loaded when somebody asks. */
  readonly explanations: () => Promise<Explanations>;
  /** Of the revision in force. */
  readonly config: () => Config;
  readonly settings: () => AdminSettings;
  /** Origins from which browsers may use cookies. */
  readonly origins: () => readonly string[];
  readonly openApi: () => string;
};

export type Reply<Body> = {
  readonly body: Body;
  /** Entity tag, without quotes. */
  readonly etag?: string | number;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the audit record: what came of it, in a few words. */
  readonly note?: string;
};

export type Handler<R> = (
  input: RouteInput<R>,
  call: Call,
  context: ApiContext,
) => Promise<Reply<RouteOutput<R>> | Problem>;

/** A handler for every route of a table. */
export type HandlersOf<Table> = { readonly [Key in keyof Table]: Handler<Table[Key]> };

export type AnyHandler = Handler<Route>;

/** The caller of a route that somebody must have signed in for. */
export function callerOf({ caller }: Call): Caller {
  if (caller === undefined) throw new Error('a route without a role asked who is calling');
  return caller;
}
