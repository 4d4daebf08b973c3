/**
 * The control thread's desk: OCSP answers and missing issuers, asked for once and shared by all receive threads.
 * Effects: network, time, log through its parts.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AnswerOf, AskDesk, DeskAnswer, DeskQuestion } from './desk.ts';
import { serveDesk } from './desk-link.io.ts';
import { IssuerDesk } from './issuer-desk.io.ts';
import { OcspDesk, type OcspDeskOptions } from './ocsp-desk.io.ts';

export class CertificateDesk implements AskDesk {
  readonly #ocsp: OcspDesk;
  readonly #issuers: IssuerDesk;

  constructor(options: OcspDeskOptions) {
    this.#ocsp = new OcspDesk(options);
    this.#issuers = new IssuerDesk(options);
  }

  /** A thread's end of a new wire. */
  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    serveDesk(port1, { answer: (question) => this.#answer(question) });
    return port2;
  }

  /** For those who ask on this thread. The desk's own time limits hold. */
  async ask<Q extends DeskQuestion>(question: Q): Promise<AnswerOf<Q> | undefined> {
    return (await this.#answer(question)) as AnswerOf<Q>;
  }

  stop(): void {
    this.#ocsp.stop();
    this.#issuers.stop();
  }

  async #answer(question: DeskQuestion): Promise<DeskAnswer> {
    return question.kind === 'ocsp'
      ? { kind: 'ocsp', standing: await this.#ocsp.ask(question) }
      : { kind: 'issuers', ...(await this.#issuers.ask(question)) };
  }
}
