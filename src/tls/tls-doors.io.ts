/**
 * The TLS side of a listener: one unlistened `tls.Server` per listener and per answer to "ask for a client certificate?",
 * built once per configuration revision. A plain socket is injected after the 220 of STARTTLS (or at once on an
 * implicit-TLS address); the handshake completes whatever the client's certificate is, because the decision is ours
 * and its reason belongs in an SMTP reply. `socket.authorized` is never read.
 *
 * Where a certificate is asked for there is no resumption at all: a resumed session would carry an old verdict, and a
 * ticket of a lax listener would open a strict one (CVE-2025-23419).
 * Effects: TLS handshakes on sockets handed in.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import tls, { type TLSSocket, type TlsOptions } from 'node:tls';

/** OpenSSL cannot send more than 64 KiB of CA names (RFC 8446 §4.2.4): then none are sent, and every card is offered. */
const MAX_CA_NAME_BYTES = 60_000;
const HANDSHAKE_TIMEOUT_MS = 30_000;
const MAX_PRESENTED_CERTIFICATES = 16;

export type TlsDoorOptions = {
  readonly certPem: string;
  readonly keyPem: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  /** Binds session tickets to listener and policy. */
  readonly sessionContext: string;
  /** The OCSP answer about the certificate, in DER, where there is one that is good now. */
  readonly staple?: () => Uint8Array | undefined;
  /** Ask for a client certificate and name these authorities (PEM). */
  readonly ask?: { readonly authoritiesPem: readonly string[]; readonly nameBytes: number };
};

export type Handshake =
  | { readonly ok: true; readonly socket: TLSSocket; readonly facts: TlsFacts }
  | { readonly ok: false; readonly why: string };

export type TlsFacts = {
  readonly protocol: string;
  readonly cipher: string;
  readonly resumed: boolean;
  /** DER of the certificate the client gave; undefined = none given, whatever Node says otherwise. */
  readonly leaf: Uint8Array | undefined;
  /** The other certificates the client sent, asked for only when the path needs them. */
  readonly presented: () => Uint8Array[];
};

export class TlsDoor {
  readonly #server: tls.Server;
  /** By address, because a TLS socket does not say which plain one it took over. */
  readonly #pending = new Map<string, { readonly plain: Socket; readonly resolve: (handshake: Handshake) => void }>();
  readonly asks: boolean;

  constructor(options: TlsDoorOptions) {
    this.asks = options.ask !== undefined;
    this.#server = tls.createServer(serverOptions(options));
    const { staple } = options;
    // RFC 6066 §8: asked for by clients; without an answer the handshake goes on without.
    if (staple !== undefined) {
      this.#server.on('OCSPRequest', (_certificate, _issuer, reply) => {
        const response = staple();
        reply(null, response === undefined ? (null as unknown as Buffer) : Buffer.from(response));
      });
    }
    this.#server.on('secureConnection', (socket) => {
      this.#settle(addressKey(socket), { ok: true, socket, facts: factsOf(socket) });
    });
    this.#server.on('tlsClientError', (error, socket) => {
      // A handshake time-out does not close anything by itself.
      socket.destroy();
      this.#settle(addressKey(socket), { ok: false, why: handshakeError(error) });
    });
  }

  /** Runs the handshake on `plain`. Resolves once; on failure the socket is destroyed. */
  handshake(plain: Socket): Promise<Handshake> {
    // Of a socket that is closed already nothing more is heard, and the session would wait for ever.
    if (plain.destroyed) return Promise.resolve({ ok: false, why: 'connection closed before the handshake' });
    const key = addressKey(plain);
    const closed: Handshake = { ok: false, why: 'connection closed during the handshake' };
    // Who comes from an address again has given up what he began from there, whether that is known here yet or not.
    this.#settle(key, closed);
    return new Promise((resolve) => {
      this.#pending.set(key, { plain, resolve });
      // After a reset the TLS socket has lost its address: the plain socket's close always fires.
      plain.once('close', () => {
        if (this.#pending.get(key)?.plain === plain) this.#settle(key, closed);
      });
      this.#server.emit('connection', plain);
    });
  }

  #settle(key: string, handshake: Handshake): void {
    const pending = this.#pending.get(key);
    this.#pending.delete(key);
    pending?.resolve(handshake);
  }
}

function serverOptions(options: TlsDoorOptions): TlsOptions {
  const { ask } = options;
  const sendNames = ask !== undefined && ask.nameBytes <= MAX_CA_NAME_BYTES;
  return {
    cert: options.certPem,
    key: options.keyPem,
    minVersion: options.minVersion,
    maxVersion: options.maxVersion,
    ...(options.ciphers === undefined ? {} : { ciphers: options.ciphers }),
    // An empty list trusts nothing; `undefined` would trust the public CAs.
    ca: sendNames ? [...ask.authoritiesPem] : [],
    requestCert: ask !== undefined,
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    sessionIdContext: options.sessionContext.slice(0, 32),
    secureOptions: ask === undefined ? 0 : constants.SSL_OP_NO_TICKET,
    honorCipherOrder: true,
  };
}

function factsOf(socket: TLSSocket): TlsFacts {
  const leaf = socket.getPeerX509Certificate();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    resumed: socket.isSessionReused(),
    leaf: leaf?.raw,
    presented: () => {
      const chain: Uint8Array[] = [];
      let next = leaf?.issuerCertificate;
      while (next !== undefined && chain.length < MAX_PRESENTED_CERTIFICATES) {
        chain.push(next.raw);
        next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
      }
      return chain;
    },
  };
}

const addressKey = (socket: Socket): string =>
  `${socket.remoteAddress}|${socket.remotePort}|${socket.localAddress}|${socket.localPort}`;

/** OpenSSL's own words without its file names and addresses. */
function handshakeError(error: Error & { code?: string; reason?: string }): string {
  if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'handshake timed out';
  if (error.code === 'ECONNRESET') return 'connection closed during the handshake';
  return error.reason ?? error.code ?? 'handshake failed';
}
