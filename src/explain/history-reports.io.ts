/**
 * What the client history and rule hits say, on the admin thread: rules with their hits, exemptions, who is only
 * monitored. Effects: the history file.
 */
import type { Explanations } from '../admin/explanations.ts';
import type { Answer, Which } from '../config/configuration-store.ts';
import type { Revision } from '../config/schema.ts';
import type { QuestionParts } from './explanations.io.ts';
import type { KeptHits } from '../log/client-history.ts';
import { ClientHistory } from '../log/client-history.io.ts';
import { exemptionReport, isUnused, monitoredReport, ruleUsage } from './rule-reports.ts';

type Parts = Pick<QuestionParts, 'revisionOf' | 'dataDir' | 'clock'>;

export function historyQuestions(parts: Parts): Pick<Explanations, 'rules' | 'exemptions' | 'monitored'> {
  const { clock } = parts;
  return {
    rules: (which, { unusedDays }) =>
      onConfig(which, parts, ({ config }) => {
        const nowMs = clock.now();
        return readHistory(parts, { hits: [], sinceMs: nowMs }, (history) => {
          const rules = ruleUsage(config, history.hits);
          const shown = unusedDays === undefined ? rules : rules.filter((rule) => isUnused(rule, unusedDays, nowMs));
          return { nowMs, countedFromMs: history.sinceMs, rules: shown };
        });
      }),
    exemptions: (which, { soonDays }) =>
      onConfig(which, parts, ({ config }) => {
        const nowMs = clock.now();
        const report = (hits: readonly KeptHits[]) => exemptionReport(config.exemptions, { hits, nowMs, soonDays });
        return readHistory(parts, NOTHING_YET, ({ hits }) => ({ nowMs, exemptions: report(hits) }));
      }),
    monitored: async () => ({
      ok: true,
      value: readHistory(parts, NOTHING_YET, ({ hits }) => ({ monitored: monitoredReport(hits) })),
    }),
  };
}

type Kept = { readonly hits: readonly KeptHits[]; readonly sinceMs: number };
const NOTHING_YET: Kept = { hits: [], sinceMs: 0 };

function readHistory<T>({ dataDir }: Parts, empty: Kept, report: (kept: Kept) => T): T {
  const history = ClientHistory.read(dataDir);
  if (history === undefined) return report(empty);
  try {
    return report({ hits: history.hits(), sinceMs: history.sinceMs() });
  } finally {
    history.close();
  }
}

async function onConfig<T>(
  which: Which,
  parts: Parts,
  report: (revision: Revision) => T,
): Promise<Answer<{ readonly value: T }>> {
  const asked = await parts.revisionOf(which);
  return asked.ok ? { ok: true, value: report(asked.revision) } : asked;
}
