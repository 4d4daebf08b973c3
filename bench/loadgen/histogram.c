#include "histogram.h"

/* Values below 32 us have a bucket each; above, each doubling has 32. */
static unsigned index_of(uint64_t us) {
  if (us < HISTOGRAM_STEPS) return (unsigned)us;
  unsigned octave = 63 - (unsigned)__builtin_clzll(us) - 5;
  unsigned index = (octave + 1) * HISTOGRAM_STEPS + (unsigned)((us >> octave) - HISTOGRAM_STEPS);
  unsigned last = HISTOGRAM_OCTAVES * HISTOGRAM_STEPS - 1;
  return index < last ? index : last;
}

/* The first value that belongs to the next bucket. */
static uint64_t upper_bound(unsigned index) {
  if (index < HISTOGRAM_STEPS) return index + 1;
  unsigned octave = index / HISTOGRAM_STEPS - 1;
  return (uint64_t)(HISTOGRAM_STEPS + index % HISTOGRAM_STEPS + 1) << octave;
}

void histogram_add(histogram *h, double seconds) {
  uint64_t us = seconds <= 0 ? 0 : (uint64_t)(seconds * 1e6);
  h->count++;
  if (us > h->max_us) h->max_us = us;
  h->bucket[index_of(us)]++;
}

double histogram_ms(const histogram *h, double share) {
  if (h->count == 0) return 0;
  uint64_t wanted = (uint64_t)(share * (double)h->count + 0.999999), seen = 0;
  if (wanted < 1) wanted = 1;
  for (unsigned i = 0; i < HISTOGRAM_OCTAVES * HISTOGRAM_STEPS; i++) {
    seen += h->bucket[i];
    if (seen >= wanted) {
      uint64_t us = upper_bound(i);
      return (double)(us < h->max_us ? us : h->max_us) / 1e3;
    }
  }
  return (double)h->max_us / 1e3;
}

void histogram_json(const histogram *h, FILE *out) {
  fprintf(out, "{\"count\":%llu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}",
          (unsigned long long)h->count, histogram_ms(h, 0.5), histogram_ms(h, 0.9), histogram_ms(h, 0.99),
          histogram_ms(h, 0.999), (double)h->max_us / 1e3);
}
