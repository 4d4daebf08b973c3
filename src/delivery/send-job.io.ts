/**
 * One job as one transaction: reads the message from the queue's spool, sends it, and says for each recipient what came
 * of it. Effects: the spool, the session handed in.
 */
import type { Body } from '../core/ports.ts';
import { openBody } from './body-source.io.ts';
import type { Ended } from './conclusion.ts';
import type { Job } from './destination.ts';
import { decideOutcome, type Happening } from './outcome.ts';
import type { SmtpSession } from './smtp-client.io.ts';

export type SpoolReader = { readonly readBody: () => Promise<Body>; readonly spoolDir: string };

/** An outcome for each recipient, in the order of the job. A message that cannot be read is one, not a rejection. */
export async function sendJob({ rows }: Job, session: SmtpSession, spool: SpoolReader): Promise<Ended[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const happenings = await spool.readBody().then(
    (body) => {
      const source = openBody(body, spool.spoolDir);
      const recipients = rows.map(({ recipient }) => recipient);
      return session.send({ ...first, recipients, bytes: source.bytes }, source);
    },
    (error: unknown): Happening[] =>
      rows.map(() => ({
        kind: 'failure',
        stage: 'mail',
        failure: 'local',
        why: `the message cannot be read: ${String(error)}`,
      })),
  );
  return rows.flatMap((row, index) => {
    const happening = happenings[index];
    return happening === undefined ? [] : [{ row, outcome: decideOutcome(happening) }];
  });
}
