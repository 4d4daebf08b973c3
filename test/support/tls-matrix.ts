/**
 * The four ways into a TLS session that advisory tests try each case in: TLS 1.2 and 1.3, by STARTTLS and on implicit
 * TLS. Effects: sockets on loopback.
 */
import { SmtpSession, type TlsClient } from './smtp-session.ts';

export const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
export const MODES = ['starttls', 'implicit'] as const;

export type Way = { readonly version: (typeof VERSIONS)[number]; readonly mode: (typeof MODES)[number] };

export const WAYS: readonly Way[] = VERSIONS.flatMap((version) => MODES.map((mode) => ({ version, mode })));

export const wayName = ({ version, mode }: Way): string => `${version}, ${mode}`;

/** A session inside TLS, with what was said before it read; the client says EHLO next. */
export async function enterTls(port: number, { version, mode }: Way, client: TlsClient = {}): Promise<SmtpSession> {
  if (mode === 'implicit') {
    const smtp = await SmtpSession.dialTls({ port }, { ...client, version });
    await smtp.reply();
    return smtp;
  }
  const smtp = await SmtpSession.open({ port });
  await smtp.startTls({ ...client, version });
  return smtp;
}
