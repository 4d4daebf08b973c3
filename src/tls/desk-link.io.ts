/**
 * The line between a thread and the control thread's desk. A desk that does not answer in time, or not at all, counts as
 * one that knows nothing. Effects: the port, timers.
 */
import type { MessagePort } from 'node:worker_threads';
import { callsOver, serveCalls } from '../core/calls.io.ts';
import { within } from '../core/time-limit.io.ts';
import type { AnswerOf, AskDesk, DeskAnswer, DeskQuestion } from './desk.ts';

type DeskCalls = { readonly desk: { answer(question: DeskQuestion): Promise<DeskAnswer> } };

/** The control thread's end. */
export const serveDesk = (port: MessagePort, desk: DeskCalls['desk']): void => serveCalls(port, { desk });

/** The other thread's end. */
export class DeskLink implements AskDesk {
  readonly #calls: DeskCalls;

  constructor(port: MessagePort) {
    this.#calls = callsOver<DeskCalls>(port);
  }

  async ask<Q extends DeskQuestion>(question: Q, limitMs: number): Promise<AnswerOf<Q> | undefined> {
    const answer = await within(limitMs, this.#calls.desk.answer(question)).catch(() => undefined);
    return answer?.kind === question.kind ? (answer as AnswerOf<Q>) : undefined;
  }
}
