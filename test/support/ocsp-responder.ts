/**
 * An OCSP responder on loopback. What it says is said by `openssl ocsp`, one run for each question, from the index that
 * the test keeps; around that it can misbehave in every way a web server can. Answers that openssl would not make are
 * written octet by octet. Effects: listens on loopback, runs openssl, writes files.
 */
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCertificate } from '../../src/tls/certificate.ts';
import type { Issuer } from '../pkits/certificate-writer.ts';
import { atEnd } from './at-end.ts';
import type { Credentials } from './certificate-authority.ts';
import { freePort } from './free-port.ts';
import { ocspResponse, type SingleWish } from './ocsp-writer.ts';

const run = promisify(execFile);

export type OcspBehaviour =
  /** By openssl. `minutes`: until nextUpdate, absent = no nextUpdate; `signer`: not the authority itself. */
  | {
      readonly kind: 'openssl';
      readonly minutes?: number;
      readonly signer?: Credentials;
      readonly noNonce?: boolean;
      readonly args?: readonly string[];
    }
  /** Octet by octet, signed by the authority. */
  | { readonly kind: 'written'; readonly single: (nowMs: number) => WrittenSingle; readonly serial: string }
  | { readonly kind: 'bytes'; readonly body: Uint8Array }
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'html' | 'hanging' | 'huge' };

type WrittenSingle = Omit<SingleWish, 'issuer' | 'serial'>;

export const HOUR: OcspBehaviour = { kind: 'openssl', minutes: 60 };

/** What `openssl ca` and `openssl ocsp` call the index: certificates by serial number; others are unknown. */
export type OcspIndex = Readonly<Record<string, 'good' | 'revoked'>>;

export class OcspResponder {
  behaviour: OcspBehaviour = HOUR;
  index: OcspIndex;
  /** Questions so far. */
  questions = 0;
  readonly methods: string[] = [];
  readonly port: number;
  readonly #authority: Credentials;
  readonly #folder: string;
  #server: http.Server;
  #files = 0;

  private constructor(server: http.Server, { authority, folder, index }: ResponderOptions) {
    this.#server = server;
    this.#authority = authority;
    this.#folder = folder;
    this.index = index;
    this.port = (server.address() as AddressInfo).port;
    this.#serve(server);
    atEnd(() => this.stop());
  }

  static async start(options: ResponderOptions): Promise<OcspResponder> {
    mkdirSync(options.folder, { recursive: true });
    return new OcspResponder(await listen(await freePort()), options);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }
  /** As `allowHosts` wants it. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async down(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async up(): Promise<void> {
    this.#server = await listen(this.port);
    this.#serve(this.#server);
  }

  stop(): Promise<void> {
    return this.#server.listening ? this.down() : Promise.resolve();
  }

  #serve(server: http.Server): void {
    server.on('request', (request, response) => {
      this.questions += 1;
      this.methods.push(request.method ?? '');
      this.#respond(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { behaviour } = this;
    const question = await questionOf(request);
    const send = (body: Uint8Array): void =>
      void response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(body);
    switch (behaviour.kind) {
      case 'openssl':
        return send(await this.#ask(question, behaviour));
      case 'written':
        return send(this.#write(behaviour));
      case 'bytes':
        return send(behaviour.body);
      case 'status':
        return void response.writeHead(behaviour.code).end('no');
      case 'redirect':
        return void response.writeHead(307, { location: behaviour.location }).end();
      case 'html':
        return void response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<html><body>Please log in</body></html>');
      case 'huge':
        return void response.writeHead(200).end(Buffer.alloc(10 * 1024 * 1024, 0x30));
      case 'hanging':
        response.writeHead(200, { 'content-length': '1000' }).write('x');
    }
  }

  async #ask(question: Buffer, behaviour: OcspBehaviour & { kind: 'openssl' }): Promise<Buffer> {
    const base = join(this.#folder, `${++this.#files}`);
    const { minutes, signer = this.#authority, noNonce = false, args = [] } = behaviour;
    writeFileSync(`${base}.req`, noNonce ? withoutNonce(question) : question);
    writeFileSync(`${base}.index`, Object.entries(this.index).map(indexLine).join(''));
    writeFileSync(`${base}.index.attr`, 'unique_subject = no\n');
    await run('openssl', [
      ...['ocsp', '-index', `${base}.index`, '-CA', this.#authority.certFile, '-rmd', 'sha256'],
      ...['-rsigner', signer.certFile, '-rkey', signer.keyFile, '-reqin', `${base}.req`, '-respout', `${base}.resp`],
      ...(minutes === undefined ? [] : ['-nmin', String(minutes)]),
      ...args,
    ]);
    return readFileSync(`${base}.resp`);
  }

  #write({ single: make, serial }: OcspBehaviour & { kind: 'written' }): Buffer {
    const single = make(Date.now());
    const issuer = issuerOf(this.#authority);
    const octets = [...Buffer.from(serial, 'hex')];
    return ocspResponse({
      singles: [{ ...single, issuer, serial: octets }],
      signer: issuer,
      producedAtMs: single.thisUpdateMs,
    });
  }
}

export type ResponderOptions = {
  readonly authority: Credentials;
  readonly folder: string;
  readonly index: OcspIndex;
};

/** An authority made with openssl in the terms of certificate-writer.ts. */
function issuerOf({ cert, key }: Credentials): Issuer {
  const der = new X509Certificate(cert).raw;
  const privateKey = createPrivateKey(key);
  return {
    subject: parseCertificate(der).subject.der,
    keys: { privateKey, publicKey: createPublicKey(privateKey) },
    der,
  };
}

function indexLine([serial, status]: [string, 'good' | 'revoked']): string {
  return status === 'good'
    ? `V\t350101000000Z\t\t${serial}\tunknown\t/CN=${serial}\n`
    : `R\t350101000000Z\t260101000000Z,keyCompromise\t${serial}\tunknown\t/CN=${serial}\n`;
}

async function questionOf(request: IncomingMessage): Promise<Buffer> {
  if (request.method === 'GET') return Buffer.from(decodeURIComponent((request.url ?? '/').slice(1)), 'base64');
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

/** The request list is the first element; the extensions [2] behind it are left out. */
function withoutNonce(question: Buffer): Buffer {
  const outer = question[1] === 0x81 ? 3 : 2;
  const inner = question[outer + 1] === 0x81 ? outer + 3 : outer + 2;
  const list = question.subarray(inner, inner + 2 + (question[inner + 1] ?? 0));
  return Buffer.concat([Buffer.of(0x30, list.length + 2, 0x30, list.length), list]);
}

function listen(port: number): Promise<http.Server> {
  const server = http.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
