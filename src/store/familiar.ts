/** What is familiar of an account (domain/familiar.ts): one record, changed only by compare-and-set. */
import { type Familiar, nothingFamiliar } from '../domain/familiar.ts';
import { type Store, update } from './store.ts';

export type FamiliarRecords = ReturnType<typeof createFamiliarRecords>;

export function createFamiliarRecords(store: Store) {
  const keyOf = (accountId: string): string => `familiar:${accountId}`;

  return {
    async load(accountId: string): Promise<Familiar> {
      const stored = await store.get(keyOf(accountId));
      return stored ? (JSON.parse(stored.value) as Familiar) : nothingFamiliar;
    },

    /**
     * @param next is pure and may be called again, when somebody else wrote meanwhile; the same record leaves it as it is.
     * @returns the record as it is then.
     */
    change: (accountId: string, next: (familiar: Familiar) => Familiar): Promise<Familiar> =>
      update<Familiar>(store, keyOf(accountId), (current) => {
        const before = current === undefined ? nothingFamiliar : (JSON.parse(current) as Familiar);
        const after = next(before);
        return after === before
          ? { result: after }
          : { value: JSON.stringify(after), result: after };
      }),

    erase: (accountId: string): Promise<boolean> => store.delete(keyOf(accountId)),
  };
}
