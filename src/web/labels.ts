/** Labels of metrics: found without making anything new, and never more of them than there is room for. */

/** What `make` made for this label, made once. */
export function perLabel<Child>(make: (label: string) => Child): (label: string) => Child {
  const children = new Map<string, Child>();
  return (label) => {
    const known = children.get(label);
    if (known !== undefined) return known;
    const child = make(label);
    children.set(label, child);
    return child;
  };
}

export function perLabels<Child>(
  make: (first: string, second: string) => Child,
): (first: string, second: string) => Child {
  const children = new Map<string, Child>();
  return (first, second) => {
    const key = `${first} ${second}`;
    const known = children.get(key);
    if (known !== undefined) return known;
    const child = make(first, second);
    children.set(key, child);
    return child;
  };
}

/** Whatever comes after so many different ones is `other`. */
export function bounded(atMost: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= atMost) return 'other';
    seen.add(value);
    return value;
  };
}

/** What stands in the place of a client's id where it is none: for all together, and for whoever comes too late. */
const wordsOfOurs = new Set(['all', 'other']);

/** By a client's id. A client may be called like one of these words, and is not to be taken for it. */
export function clientLabels(): (id: string) => string {
  const label = bounded(200);
  return (id) => label(wordsOfOurs.has(id) ? `client ${id}` : id);
}
