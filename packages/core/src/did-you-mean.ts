import { distance } from 'fastest-levenshtein';

/**
 * The candidates a person most likely meant, best first; empty when nothing is near.
 * Near: at most two letters or a third of them differ (case ignored), or one is the beginning of the other.
 */
export function nearNames(found: string, candidates: Iterable<string>, limit = 3): string[] {
  const lower = found.toLowerCase();
  const scored: { name: string; score: number }[] = [];
  for (const name of candidates) {
    const other = name.toLowerCase();
    if (other === lower) scored.push({ name, score: 0 });
    else if (Math.min(lower.length, other.length) >= 3 && (other.startsWith(lower) || lower.startsWith(other)))
      scored.push({ name, score: 1 });
    else {
      const score = distance(lower, other);
      const longest = Math.max(lower.length, other.length);
      if (score <= Math.max(longest > 3 ? 2 : 1, Math.floor(longest / 3))) scored.push({ name, score });
    }
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return scored.slice(0, limit).map((entry) => entry.name);
}

/** The one candidate nearest to what was found, or undefined when none is near. */
export function didYouMean(found: string, candidates: Iterable<string>): string | undefined {
  return nearNames(found, candidates, 1)[0];
}
