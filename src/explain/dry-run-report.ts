/**
 * What a dry run found: whose verdict would change, and a sentence for each verdict that somebody would get. Pure.
 */
import { counted, grouped, lastDays } from '../core/counted.ts';
import type { Reply } from '../core/reply.ts';
import type { SeenClient } from '../log/client-history.ts';
import type { SessionTrace, TraceStage } from '../pipeline/session-trace.ts';

export type Judged = Pick<SessionTrace, 'outcome'> & {
  /** The stage that decided; undefined where nothing spoke against the mail. */
  readonly because?: (Pick<TraceStage, 'stage' | 'rule' | 'says'> & { readonly reply?: Reply | undefined }) | undefined;
};

export type ChangedClient = { readonly client: SeenClient; readonly before: Judged; readonly after: Judged };

export type DryRun = {
  readonly days: number;
  readonly clients: number;
  readonly notLookedAt: number;
  /** A sentence for each verdict that somebody would get, or that nobody would get another. */
  readonly summary: readonly Headline[];
  readonly changed: readonly ChangedClient[];
};

/** `count` clients would get `outcome`; undefined: nobody's verdict changes. */
type Headline = {
  readonly outcome?: Judged['outcome'] | undefined;
  readonly count: number;
  readonly says: string;
};

export const VERDICT = { accepted: 'accepted', refused: 'refused', deferred: 'told to try again later' } as const;

/** `3 of 1,204 clients seen in the last 7 days would be refused`. */
export function headlines(
  { days, clients }: Pick<DryRun, 'days' | 'clients'>,
  changed: readonly ChangedClient[],
): Headline[] {
  const seen = `${counted(clients, 'client')} seen in ${lastDays(days)}`;
  if (changed.length === 0) return [{ count: 0, says: `None of ${seen} would get another verdict` }];
  return [...Map.groupBy(changed, ({ after }) => after.outcome)].map(([outcome, each]) => ({
    outcome,
    count: each.length,
    says: `${grouped(each.length)} of ${seen} would be ${VERDICT[outcome]}`,
  }));
}
