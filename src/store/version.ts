import { smallRandom } from './random.ts';
import type { Version } from './store.ts';

export const versionLength = 8;

/**
 * A random token instead of a number that counts up: a record that was deleted and written again
 * must not come back to a version that somebody still holds.
 */
export function newVersion(): Version {
  return smallRandom(6).toString('base64url');
}
