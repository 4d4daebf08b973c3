/** A row about Sallyport alone: one sentence of the issue, measured. Types and small helpers. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Site } from '../peers/peer.ts';

export type Finding = {
  readonly what: string;
  readonly value: string;
  /** The wish, in words, and whether it is met; absent where there is none. */
  readonly target?: string;
  readonly met?: boolean;
};

export type RowContext = {
  readonly site: Site;
  readonly rounds: number;
  readonly seconds: number;
  /** Smaller tables and queues, so that the whole bench takes three minutes; the findings say the numbers. */
  readonly quick: boolean;
  readonly tell: (text: string) => void;
};

export type Row = {
  readonly name: string;
  readonly title: string;
  run(context: RowContext): Promise<readonly Finding[]>;
};

/** A data folder with so many messages in its queue. */
export function filledQueue(
  site: Site,
  name: string,
  wish: { readonly messages: number; readonly octets: number; readonly dueInSeconds: number },
): string {
  const data = join(site.folder, name);
  execFileSync(site.node, [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '..', 'fill-queue.ts'),
    ...[data, String(wish.messages), String(wish.octets), String(wish.dueInSeconds)],
  ]);
  return data;
}
