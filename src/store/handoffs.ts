/** Which sign-in a phone was asked to help with: a code is all that it brings. */
import type { Hash } from '../domain/environment.ts';
import type { Store } from './store.ts';

export type Handoffs = ReturnType<typeof createHandoffs>;

/** Longer than a selfie that was handed off can take, late arrivals included. */
const keptSeconds = 1_800;

export function createHandoffs(store: Store, { hash }: { hash: Hash }) {
  const keyOf = (code: string): string => `handoff:${hash(code)}`;
  return {
    async add(code: string, interactionUid: string): Promise<void> {
      await store.put(keyOf(code), interactionUid, { ttlSeconds: keptSeconds });
    },
    async find(code: string): Promise<string | undefined> {
      return (await store.get(keyOf(code)))?.value;
    },
  };
}
