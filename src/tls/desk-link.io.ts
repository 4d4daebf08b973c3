/**
 * The wire between a receive thread and the control thread's desk: questions with answers over a MessagePort. A desk
 * that does not answer in time counts as one that knows nothing. Effects: the port, timers.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AnswerOf, AskDesk, DeskAnswer, DeskQuestion } from './desk.ts';

type Asked = { readonly id: number; readonly question: DeskQuestion };
type Answered = { readonly id: number; readonly answer: DeskAnswer | undefined };

export type Desk = { readonly answer: (question: DeskQuestion) => Promise<DeskAnswer> };

/** The control thread's end. */
export function serveDesk(port: MessagePort, desk: Desk): void {
  const reply = (message: Answered): void => port.postMessage(message);
  port.on('message', ({ id, question }: Asked) => {
    desk.answer(question).then(
      (answer) => reply({ id, answer }),
      () => reply({ id, answer: undefined }),
    );
  });
  port.unref();
}

/** The receive thread's end. */
export class DeskLink implements AskDesk {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (answer: DeskAnswer | undefined) => void>();
  #lastId = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', ({ id, answer }: Answered) => this.#settle(id, answer));
    port.unref();
  }

  ask<Q extends DeskQuestion>(question: Q, limitMs: number): Promise<AnswerOf<Q> | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, undefined), limitMs);
      this.#pending.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer?.kind === question.kind ? (answer as AnswerOf<Q>) : undefined);
      });
      this.#port.postMessage({ id, question } satisfies Asked);
    });
  }

  #settle(id: number, answer: DeskAnswer | undefined): void {
    this.#pending.get(id)?.(answer);
    this.#pending.delete(id);
  }
}
