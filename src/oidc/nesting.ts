/**
 * How deep JSON that others wrote may be nested. No claim and no key needs half of it; what goes on much longer ends
 * not in an answer but in the engine's stack.
 */
const depthMax = 32;

export function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth >= depthMax || Object.values(value).some((inner) => isTooDeep(inner, depth + 1));
}
