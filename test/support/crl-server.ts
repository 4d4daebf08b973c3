/**
 * An HTTP server for revocation lists that can be told to misbehave: another list, an error, an HTML page, half a list,
 * silence, or nothing listening at all. Effects: listens on loopback.
 */
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from './at-end.ts';
import { freePort } from './free-port.ts';

export type CrlAnswer =
  | { readonly kind: 'list'; readonly body: string | Buffer }
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'truncated'; readonly body: string | Buffer }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'hanging' };

export class CrlServer {
  answer: CrlAnswer;
  /** Requests so far. */
  requests = 0;
  readonly port: number;
  #server: http.Server;
  #onRequest: (() => void) | undefined;

  private constructor(server: http.Server, answer: CrlAnswer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.answer = answer;
    this.#serve(server);
  }

  /** Ends with the test file, however that ends. */
  static async start(answer: CrlAnswer): Promise<CrlServer> {
    const server = new CrlServer(await listen(await freePort()), answer);
    atEnd(() => server.stop());
    return server;
  }

  url(name = 'cac.crl'): string {
    return `http://127.0.0.1:${this.port}/${name}`;
  }

  /** Nobody listens any more: connections are refused. */
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

  /** Ends the answers that are still on their way. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Resolves with the next request. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRequest = resolve;
    });
  }

  #serve(server: http.Server): void {
    server.on('request', (_request, response) => {
      this.requests += 1;
      respond(response, this.answer);
      this.#onRequest?.();
    });
  }
}

function listen(port: number): Promise<http.Server> {
  const server = http.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function respond(response: ServerResponse, answer: CrlAnswer): void {
  switch (answer.kind) {
    case 'list':
      response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(answer.body);
      return;
    case 'status':
      response.writeHead(answer.code).end('no');
      return;
    case 'redirect':
      response.writeHead(302, { location: answer.to }).end();
      return;
    case 'html':
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>Please log in to the network</body></html>');
      return;
    case 'truncated': {
      const body = Buffer.from(answer.body);
      response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(body.subarray(0, body.length >> 1));
      return;
    }
    case 'hanging':
      response
        .writeHead(200, { 'content-type': 'application/pkix-crl', 'content-length': '100000' })
        .write('-----BEGIN X509 CRL-----\n');
  }
}
