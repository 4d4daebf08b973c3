/*
 * Latencies in bounded memory: microseconds in buckets that are at most 1/32 wide, so that a percentile is at most 3 %
 * too high. No allocation, no sorting.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_OCTAVES = 32 };

typedef struct {
  uint64_t count;
  uint64_t max_us;
  uint64_t bucket[HISTOGRAM_OCTAVES * HISTOGRAM_STEPS];
} histogram;

void histogram_add(histogram *h, double seconds);
/* The value below which the given share of all values lies, in milliseconds. */
double histogram_ms(const histogram *h, double share);
/* {"count":…,"p50":…,"p90":…,"p99":…,"p999":…,"max":…} in milliseconds. */
void histogram_json(const histogram *h, FILE *out);

#endif
