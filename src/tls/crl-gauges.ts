/**
 * The revocation lists as gauges: per source, issuer and kind the entries, the age and the seconds to nextUpdate
 * (negative once it has passed). Counted when somebody asks, so that a list that is gone is gone here too. Pure.
 */
import { createMetrics, type MetricsSnapshot } from '../log/metrics.ts';
import type { CrlListing, ListedCrl } from './crl-listing.ts';

/** Partitions of one issuer are told together: entries add up, the oldest list and the nearest end count. */
export function crlGauges({ nowMs, sources }: CrlListing): MetricsSnapshot {
  const metrics = createMetrics();
  for (const { name: source, lists } of sources) {
    for (const same of Map.groupBy(lists, (list) => `${kindOf(list)} ${list.issuer}`).values()) {
      const [{ issuer }] = same as [ListedCrl];
      const labels = { source, issuer, kind: kindOf(same[0] as ListedCrl) };
      const seconds = (ms: number): number => Math.floor(ms / 1000);
      const ends = same.flatMap(({ nextUpdateMs }) => nextUpdateMs ?? []);
      metrics.set(
        'sallyport_crl_entries',
        same.reduce((sum, { entries }) => sum + entries, 0),
        labels,
      );
      metrics.set(
        'sallyport_crl_age_seconds',
        seconds(nowMs - Math.min(...same.map((each) => each.thisUpdateMs))),
        labels,
      );
      metrics.set('sallyport_crl_expiring', same.some(({ age }) => age === 'expiring') ? 1 : 0, labels);
      metrics.set('sallyport_crl_expired', same.some(({ age }) => age === 'expired') ? 1 : 0, labels);
      if (ends.length === 0) continue;
      const end = Math.min(...ends);
      metrics.set('sallyport_crl_next_update_seconds', seconds(end - nowMs), labels);
      metrics.set('sallyport_crl_next_update_timestamp_seconds', seconds(end), labels);
    }
  }
  // Only the gauges: the counters of a new registry would be counted twice.
  return { series: new Map([...metrics.snapshot().series].filter(([key]) => key.startsWith('sallyport_crl_'))) };
}

const kindOf = ({ delta, partial }: ListedCrl): string => (delta ? 'delta' : partial ? 'partial' : 'complete');
