/**
 * `tlsverify`: connects to a mail host as delivery does, goes over to TLS, and tells each step: connection, greeting, EHLO,
 * STARTTLS, protocol and cipher, the certificates, and whether they are good for the domain or its mail host. No mail is
 * sent. AsyncOS: tlsverify. RFC 3207, RFC 6125 §6. Effects: a connection.
 */
import type { X509Certificate } from 'node:crypto';
import type { SecureContext, TLSSocket } from 'node:tls';
import { counted } from '../core/counted.ts';
import { isIp } from '../core/network.ts';
import { printable } from '../core/reply.ts';
import { parseExtensions } from './extensions.ts';
import type { HopAddress } from './mx.ts';
import { type ChannelFailure, type ChannelReply, OpenChannels, PeerChannel } from './peer-channel.io.ts';
import { textOfReply } from './reply-reader.ts';

export type VerificationStep = {
  readonly step: 'connect' | 'greeting' | 'ehlo' | 'starttls' | 'tls' | 'chain' | 'name';
  readonly ok: boolean;
  readonly says: string;
};

export type PeerCertificate = {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Of the host's own certificate: the names it is for. */
  readonly names: readonly string[];
};

export type HostVerification = HopAddress & {
  readonly steps: readonly VerificationStep[];
  readonly tls?: { readonly protocol: string; readonly cipher: string };
  /** The host's own first; bounded. */
  readonly certificates: readonly PeerCertificate[];
  /** `verified`: TLS, a chain that is trusted, and a name that fits. `clear`: the host does not offer TLS. */
  readonly outcome: 'verified' | 'unverified' | 'clear' | 'failed';
};

export type TlsVerification = {
  /** Mail for it would go there; its name counts in the certificate as the host's does. */
  readonly domain: string;
  readonly helo: string;
  readonly context: SecureContext;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
};

/** Everything with one host together. */
const LIMIT_MS = 60_000;
const MAX_CERTIFICATES = 10;
const MAX_NAMES = 50;
const MAX_TEXT = 300;

const shown = (text: string): string => printable(text.replace(/\r?\n/g, ' / ')).slice(0, MAX_TEXT);

/** Never rejects for what a host does. */
export async function verifyHost(address: HopAddress, options: TlsVerification): Promise<HostVerification> {
  const steps: VerificationStep[] = [];
  const note = (step: VerificationStep['step'], ok: boolean, says: string): boolean => {
    steps.push({ step, ok, says: shown(says) });
    return ok;
  };
  const channels = new OpenChannels();
  const channel = await PeerChannel.connect(address, options.connectTimeoutMs, channels);
  const at = `${address.address} port ${address.port}`;
  if (!(channel instanceof PeerChannel)) {
    note('connect', false, `${at}: ${channel.why}`);
    return { ...address, steps, certificates: [], outcome: 'failed' };
  }
  note('connect', true, `${at}, from ${channel.localAddress}`);
  channel.limit(LIMIT_MS);
  try {
    const begun = await begin(channel, address, { ...options, note });
    if (typeof begun === 'string') return { ...address, steps, certificates: [], outcome: begun };
    return { ...address, steps, ...judge(begun, address, { ...options, note }) };
  } finally {
    await say(channel, 'QUIT', 5000);
    channel.close();
  }
}

type Verifying = TlsVerification & {
  readonly note: (step: VerificationStep['step'], ok: boolean, says: string) => boolean;
};

/** As far as TLS; otherwise what became of it. */
async function begin(
  channel: PeerChannel,
  { host }: HopAddress,
  { helo, context, connectTimeoutMs, commandTimeoutMs, note }: Verifying,
): Promise<TLSSocket | 'clear' | 'failed'> {
  const greeting = await channel.readReply(connectTimeoutMs);
  if (!note('greeting', isReply(greeting, 220), wordsOf(greeting))) return 'failed';
  const ehlo = await say(channel, `EHLO ${helo}`, commandTimeoutMs);
  if (ehlo.kind !== 'reply' || ehlo.reply.code !== 250) {
    note('ehlo', false, wordsOf(ehlo));
    // RFC 5321 §3.2: a host without EHLO is spoken to with HELO, and then has no STARTTLS.
    return ehlo.kind === 'reply' && ehlo.reply.code >= 500 ? 'clear' : 'failed';
  }
  const { startTls } = parseExtensions(ehlo.reply);
  note('ehlo', true, startTls ? 'STARTTLS is offered' : 'STARTTLS is not offered');
  if (!startTls) {
    note('starttls', false, `STARTTLS command not supported at ${host}`);
    return 'clear';
  }
  const answer = await say(channel, 'STARTTLS', commandTimeoutMs);
  if (!note('starttls', isReply(answer, 220), wordsOf(answer))) return answer.kind === 'reply' ? 'clear' : 'failed';
  if (channel.unread > 0) {
    // RFC 3207 §4.2: somebody in between put them there.
    note('starttls', false, 'octets after the 220 to STARTTLS, in the clear');
    return 'failed';
  }
  const secured = await channel.secure(context, host, connectTimeoutMs);
  if (!('kind' in secured)) return secured;
  note('tls', false, secured.why);
  return 'failed';
}

function judge(socket: TLSSocket, { host }: HopAddress, { domain, note }: Verifying) {
  const protocol = socket.getProtocol() ?? 'unknown';
  const cipher = socket.getCipher()?.name ?? 'unknown';
  note('tls', true, `protocol ${protocol}, cipher ${cipher}`);
  const chain = chainOf(socket);
  // The name is looked at below, for the domain and for the host.
  const error = socket.authorized ? undefined : String(socket.authorizationError);
  const distrusted = error === 'ERR_TLS_CERT_ALTNAME_INVALID' ? undefined : error;
  note(
    'chain',
    distrusted === undefined,
    distrusted ?? `${counted(chain.length, 'certificate')}, up to one that is trusted`,
  );
  const [own] = chain;
  const fitting = [...new Set([domain, host])].filter((name) => own !== undefined && isFor(own, name));
  const named = fitting.length > 0;
  note('name', named, named ? `good for ${fitting.join(' and ')}` : `for neither ${domain} nor ${host}`);
  const certificates = chain.map((each, i) => describe(each, i === 0));
  const verified = distrusted === undefined && named;
  return {
    tls: { protocol, cipher },
    certificates,
    outcome: verified ? ('verified' as const) : ('unverified' as const),
  };
}

const isFor = (certificate: X509Certificate, name: string): boolean =>
  (isIp(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (
    next !== undefined &&
    chain.length < MAX_CERTIFICATES &&
    !chain.some((each) => each.raw.equals(next?.raw ?? each.raw))
  ) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function describe(certificate: X509Certificate, isOwn: boolean): PeerCertificate {
  const { subject, issuer, serialNumber, validFrom, validTo, subjectAltName = '' } = certificate;
  return {
    subject: nameWords(subject),
    issuer: nameWords(issuer),
    serial: serialNumber,
    notBeforeMs: Date.parse(validFrom),
    notAfterMs: Date.parse(validTo),
    names: isOwn
      ? subjectAltName
          .split(', ')
          .filter((name) => name !== '')
          .slice(0, MAX_NAMES)
          .map(shown)
      : [],
  };
}

/** Node has a line for each attribute, most general first. */
const nameWords = (name: string | undefined): string => shown((name ?? '').split('\n').toReversed().join(','));

type Read = ChannelReply | ChannelFailure;

async function say(channel: PeerChannel, command: string, timeoutMs: number): Promise<Read> {
  return (await channel.write(`${command}\r\n`, timeoutMs)) ?? (await channel.readReply(timeoutMs));
}

const isReply = (read: Read, code: number): boolean => read.kind === 'reply' && read.reply.code === code;

const wordsOf = (read: Read): string => (read.kind === 'reply' ? textOfReply(read.reply) : read.why);
