/**
 * The entry whose name is nearest to what somebody typed, or undefined when none is near. Case,
 * underscores and dashes do not count: `API_KEY` is `apiKey`.
 */
export function closest(typed: string, names: ReadonlyMap<string, string>): string | undefined {
  const wanted = folded(typed);
  let best: string | undefined;
  let bestDistance = 1 + Math.floor(wanted.length / 4);
  for (const [name, entry] of names) {
    const distance = editDistance(wanted, folded(name));
    if (distance < bestDistance) {
      best = entry;
      bestDistance = distance;
    }
  }
  return best;
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, character] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const substituted = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
