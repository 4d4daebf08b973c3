/**
 * A socket to a directory host, ready for LDAP: plain, TLS from the start (ldaps), or TLS by StartTLS (RFC 4511 §4.14).
 * The certificate is always verified against the configured authorities and the host name (RFC 4513 §3.1.3).
 * StartTLS is spoken here and not by the LDAP library, so that nothing that was received before TLS survives it.
 * Effects: sockets.
 */
import net from 'node:net';
import tls from 'node:tls';
import { BerReader } from 'ldapts';
import { connectFailure, DirectoryFailure } from './directory-failure.ts';
import { ldapError, SUCCESS } from './result-codes.ts';

export type HostTarget = {
  /** As configured: `ldap://ldap.example.com:389`. */
  readonly url: string;
  readonly hostname: string;
  readonly port: number;
  readonly security:
    | { readonly kind: 'none' }
    | { readonly kind: 'ldaps' | 'startTls'; readonly context: tls.SecureContext };
};

const HOST = /^(ldaps?):\/\/(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?\/?$/;
const KEEP_ALIVE_MS = 30_000;
const MAX_START_TLS_ANSWER = 4096;
const START_TLS_ID = 1;
const START_TLS_OID = '1.3.6.1.4.1.1466.20037';
const EXTENDED_RESPONSE = 0x78;

/** LDAPMessage { 1, ExtendedRequest { [0] StartTLS } }. */
const START_TLS = Buffer.concat([
  Buffer.from([0x30, 0x1d, 0x02, 0x01, START_TLS_ID, 0x77, 0x18, 0x80, 0x16]),
  Buffer.from(START_TLS_OID),
]);

/** `caPem`: the anchors and intermediates; nothing else is trusted. */
export function hostTarget(url: string, startTls: boolean, caPem: string | undefined): HostTarget {
  const [, scheme = 'ldap', v6, name = '', port] = HOST.exec(url) ?? [];
  const kind = scheme === 'ldaps' ? 'ldaps' : startTls ? 'startTls' : 'none';
  return {
    url,
    hostname: v6 ?? name,
    port: port === undefined ? (kind === 'ldaps' ? 636 : 389) : Number(port),
    // An empty list, not none: without one the platform would trust the public CAs.
    security:
      kind === 'none'
        ? { kind }
        : { kind, context: tls.createSecureContext({ ca: caPem === undefined ? [] : [caPem], minVersion: 'TLSv1.2' }) },
  };
}

/** Rejects with DirectoryFailure. The limit covers name look-up, TCP, StartTLS and the TLS handshake. */
export async function openLdapSocket(target: HostTarget, timeoutMs: number): Promise<net.Socket> {
  const raw = net.connect({
    host: target.hostname,
    port: target.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  let socket: net.Socket = raw;
  raw.on('error', () => undefined);
  const late = new DirectoryFailure('timeout', 'Server unreachable: no connection within the time limit');
  const timer = setTimeout(() => {
    socket.destroy(late);
    raw.destroy(late);
  }, timeoutMs);
  try {
    await until(raw, 'connect');
    if (target.security.kind === 'none') return raw;
    if (target.security.kind === 'startTls') await requestStartTls(raw);
    const secured = tls.connect({
      socket: raw,
      host: target.hostname,
      ...(net.isIP(target.hostname) === 0 ? { servername: target.hostname } : {}),
      secureContext: target.security.context,
      rejectUnauthorized: true,
    });
    socket = secured;
    secured.on('error', () => undefined);
    await until(secured, 'secureConnect');
    return secured;
  } catch (error) {
    socket.destroy();
    raw.destroy();
    throw connectFailure(error);
  } finally {
    clearTimeout(timer);
  }
}

function until(socket: net.Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new DirectoryFailure('unreachable', 'Server unreachable: connection closed')));
  });
}

function requestStartTls(socket: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (failure?: DirectoryFailure): void => {
      socket.off('data', onData);
      if (failure === undefined) resolve();
      else reject(failure);
    };
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const answer = readStartTlsAnswer(received);
      if (answer !== 'incomplete') finish(answer === 'go-ahead' ? undefined : answer);
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => finish(new DirectoryFailure('unreachable', 'Server unreachable: StartTLS: closed')));
    socket.write(START_TLS);
  });
}

function readStartTlsAnswer(received: Buffer): 'incomplete' | 'go-ahead' | DirectoryFailure {
  const refuse = (why: string): DirectoryFailure =>
    new DirectoryFailure('unreachable', `Server unreachable: StartTLS failed: ${why}`);
  if (received.length > MAX_START_TLS_ANSWER) return refuse('the answer is too long');
  try {
    const reader = new BerReader(received);
    const whole = reader.readSequence();
    if (whole === null || reader.remain < reader.length) return 'incomplete';
    // Octets that follow in the clear are not the server's: somebody wants them to be read as if they came through TLS.
    if (reader.remain > reader.length) return refuse('octets follow the answer in the clear');
    const id = reader.readInt();
    const operation = reader.readSequence();
    const code = reader.readEnumeration();
    if (id !== START_TLS_ID || operation !== EXTENDED_RESPONSE || code === null) return refuse('not the answer to it');
    return code === SUCCESS ? 'go-ahead' : refuse(ldapError(code));
  } catch {
    return refuse('the answer is malformed');
  }
}
