/** Puts the API together: database, accounts, sessions, audit record, handlers. Effects: opens the accounts' database. */
import path from 'node:path';
import { Accounts } from './accounts.io.ts';
import { AccountsDatabase } from './accounts-database.io.ts';
import type { ApiContext, CertificateDoor } from './api-context.ts';
import { Api } from './api.io.ts';
import type { Answer } from './api-response.ts';
import { AuditRecord } from './audit.io.ts';
import { HANDLERS } from './handlers.io.ts';
import { HostCensus } from './host-census.io.ts';
import { LoginRecordLimit } from './login-record-limit.ts';
import { LoginThrottle } from './login-throttle.ts';
import { openApiDocument } from './openapi.ts';
import { PasskeyChallenges } from './passkey-challenges.ts';
import { PasskeyVerification } from './passkey-verification.io.ts';
import { PasswordHashes } from './password-hash.io.ts';
import { Sessions } from './sessions.io.ts';

export type ApiParts = Pick<
  ApiContext,
  | 'version'
  | 'clock'
  | 'log'
  | 'control'
  | 'queue'
  | 'config'
  | 'settings'
  | 'origins'
  | 'explanations'
  | 'messageHeader'
> & {
  /** The gateway's own folder for administration. */
  readonly folder: string;
  readonly certificates: () => CertificateDoor;
};

const SWEEP_MS = 600_000;

export function openApi({ folder, certificates, ...parts }: ApiParts): {
  readonly answer: Answer;
  readonly close: () => void;
} {
  const database = AccountsDatabase.open(path.join(folder, 'accounts.db'));
  const { clock, log, version, settings } = parts;
  const sessions = new Sessions(database, clock);
  let document: string | undefined;
  const context: ApiContext = {
    ...parts,
    accounts: new Accounts(database, clock),
    sessions,
    census: new HostCensus(parts.queue, clock),
    audit: new AuditRecord(database, clock, log),
    hashes: new PasswordHashes(),
    throttle: new LoginThrottle(),
    challenges: new PasskeyChallenges(),
    passkeys: new PasskeyVerification(),
    recordLimit: new LoginRecordLimit(),
    certificates: { judge: (chain) => certificates().judge(chain), read: (file) => certificates().read(file) },
    openApi: () => {
      document ??= `${JSON.stringify(openApiDocument(version), null, 1)}\n`;
      return document;
    },
  };
  const sweeper = setInterval(() => sessions.sweep(settings()), SWEEP_MS);
  sweeper.unref();
  const api = new Api(context, HANDLERS);
  return {
    answer: (request) => api.answer(request),
    close: () => {
      clearInterval(sweeper);
      database.close();
    },
  };
}
