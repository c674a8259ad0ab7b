/**
 * The single slot of an enrolment: one capture at a time.
 *
 * Didit's create call answers with the unfinished session of the same `vendor_data`, and overwrites its callback
 * and metadata. Two captures under way for one enrolment could therefore end each other's, or share one approval.
 * Whoever holds the slot may call; everybody else is told to wait.
 */
import type { Store, Version } from './store.ts';

export type Slots = ReturnType<typeof createSlots>;

export interface SlotHolder {
  interactionUid: string;
  attemptId: string;
}

/** `receipt` gives the slot back. Without one: this very attempt has it already, or somebody else does. */
export type SlotTaken =
  { receipt: Version } | { receipt?: never; heldBy: 'this_attempt' | 'another' };

const free = '';

export function createSlots(store: Store) {
  const keyOf = (enrolmentId: string): string => `slot:${enrolmentId}`;

  /** Takes the slot, also from an earlier attempt of the same interaction: that one is over. */
  async function take(
    enrolmentId: string,
    holder: SlotHolder,
    ttlSeconds: number,
  ): Promise<SlotTaken> {
    const key = keyOf(enrolmentId);
    const value = `${holder.interactionUid} ${holder.attemptId}`;
    const receipt = await store.put(key, value, { ttlSeconds, ifAbsent: true });
    if (receipt) return { receipt };
    const held = await store.get(key);
    if (held?.value === value) return { heldBy: 'this_attempt' };
    const mayTake =
      !held || held.value === free || held.value.startsWith(`${holder.interactionUid} `);
    if (!mayTake) return { heldBy: 'another' };
    const condition = held ? { ifVersion: held.version } : { ifAbsent: true };
    const taken = await store.put(key, value, { ttlSeconds, ...condition });
    return taken ? { receipt: taken } : { heldBy: 'another' };
  }

  /** Gives the slot back, unless somebody else has it by now. */
  async function release(enrolmentId: string, receipt: Version): Promise<void> {
    await store.put(keyOf(enrolmentId), free, { ttlSeconds: 1, ifVersion: receipt });
  }

  return { take, release };
}
