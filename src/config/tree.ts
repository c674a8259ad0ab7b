/** Values by their paths, and the tree that they make. */

export function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/**
 * Groups on the way to an absent value are made too: what is missing is then the value, not its
 * group.
 */
export function treeOf(
  paths: Iterable<readonly string[]>,
  values: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const path of paths) {
    const key = path.join('.');
    let group = root;
    for (const name of path.slice(0, -1)) {
      group = (group[name] ??= {}) as Record<string, unknown>;
    }
    if (values.has(key)) group[path.at(-1) ?? key] = values.get(key);
  }
  return root;
}
