/** What the adapter's files share: reading a record, and remembering for one request what was read. */
import { type AdapterPayload, Provider } from 'oidc-provider';
import type { Store, Stored } from '../store/store.ts';

/** Stands where a record was destroyed on purpose and must not come back. */
export const tombstone = 'null';
/** Longer than any request that could still write a destroyed record back. */
export const tombstoneSeconds = 60;

const seenInRequest = new WeakMap<object, Map<string, Stored>>();

/** What this request has read; a fresh, forgotten map outside of a request. */
export function seen(): Map<string, Stored> {
  const context = Provider.ctx as object | undefined;
  if (!context) return new Map();
  let map = seenInRequest.get(context);
  if (!map) {
    map = new Map<string, Stored>();
    seenInRequest.set(context, map);
  }
  return map;
}

export async function read(store: Store, key: string): Promise<AdapterPayload | undefined> {
  const stored = await store.get(key);
  if (!stored || stored.value === tombstone) return undefined;
  seen().set(key, stored);
  return JSON.parse(stored.value) as AdapterPayload;
}

/** The library allows clocks to differ by this much, so a record must outlive its token by it. */
const clockToleranceSeconds = 15;

/** `expiresIn` is undefined for records without an end, such as registered clients. */
export function lifetime(expiresIn: number | undefined): number | undefined {
  return expiresIn === undefined
    ? undefined
    : Math.max(1, Math.ceil(expiresIn)) + clockToleranceSeconds;
}
