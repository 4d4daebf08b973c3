/** "Did you mean": the allowed word that is nearest to the one that was written. Pure. */

/** Words longer than this are never suggested, which bounds the work. */
const MAX_WORD_CHARS = 100;

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The nearest of the allowed words, when it is near enough to be what was meant. Case counts little. */
export function nearest(written: string, allowed: readonly string[]): string | undefined {
  if (written.length > MAX_WORD_CHARS) return undefined;
  let best: { word: string; distance: number } | undefined;
  for (const word of allowed) {
    if (word.length > MAX_WORD_CHARS) continue;
    const distance = editDistance(written.toLowerCase(), word.toLowerCase());
    if (best === undefined || distance < best.distance) best = { word, distance };
  }
  const limit = Math.max(1, Math.floor(written.length / 3));
  return best !== undefined && best.distance <= limit ? best.word : undefined;
}

/** `; did you mean "x"?` or nothing. */
export function didYouMean(written: string, allowed: readonly string[]): string {
  const word = nearest(written, allowed);
  return word === undefined ? '' : `; did you mean "${word}"?`;
}

/** Names for a message, bounded. */
export function listed(words: readonly string[], none = 'none'): string {
  if (words.length === 0) return none;
  const more = words.length > 40 ? `, and ${words.length - 40} more` : '';
  return words.slice(0, 40).join(', ') + more;
}
