/**
 * The ways in that are no selfie: passkeys, an app that shows codes, recovery codes. One record an account, changed
 * only by compare-and-set, so that a code counts once and the last way in cannot be taken away twice at once.
 */
import { type LegName, suffices } from '../domain/assurance.ts';
import { type Store, update } from './store.ts';

export interface Passkey {
  /** The credential id, base64url. */
  id: string;
  /** COSE, base64url. */
  publicKey: string;
  /** Of signatures, as the authenticator counts them; many stay at 0. */
  counter: number;
  transports: readonly string[];
  /** May it live on several devices (BE in its flags)? */
  isSynced: boolean;
  name: string;
  createdAtMs: number;
  usedAtMs?: number;
}

/** RFC 6238. */
export interface Totp {
  /** Base32. */
  secret: string;
  /** The step whose code was taken last: neither it nor an older one is taken again. */
  lastStep: number;
  createdAtMs: number;
}

export interface RecoveryCodes {
  /** Keyed hashes of those that were not used yet. */
  hashes: readonly string[];
  createdAtMs: number;
}

export interface Factors {
  schema: 1;
  passkeys: readonly Passkey[];
  totp?: Totp;
  /** One that counts once its first code was typed; until then the one before it, if any, does. */
  totpToConfirm?: Omit<Totp, 'lastStep'>;
  recoveryCodes?: RecoveryCodes;
}

export const noFactors: Factors = { schema: 1, passkeys: [] };

/** What `change` decides: the new record, or the same one to leave it; and what to answer. */
export interface FactorChange<T> {
  factors: Factors;
  result: T;
}

export type FactorRecords = ReturnType<typeof createFactorRecords>;

export function createFactorRecords(store: Store) {
  const keyOf = (accountId: string): string => `factors:${accountId}`;

  return {
    async load(accountId: string): Promise<Factors> {
      const stored = await store.get(keyOf(accountId));
      return stored ? (JSON.parse(stored.value) as Factors) : noFactors;
    },

    /** `decide` is pure and may be called again, when somebody else wrote meanwhile. */
    change: <T>(accountId: string, decide: (factors: Factors) => FactorChange<T>): Promise<T> =>
      update<T>(store, keyOf(accountId), (current) => {
        const before = current === undefined ? noFactors : (JSON.parse(current) as Factors);
        const { factors, result } = decide(before);
        return factors === before ? { result } : { value: JSON.stringify(factors), result };
      }),

    erase: (accountId: string): Promise<boolean> => store.delete(keyOf(accountId)),
  };
}

/**
 * Can this person sign in without a selfie? By a passkey, or by two of the typed ways; a mail is one of them where
 * the person can be written to.
 */
export function hasOtherWay(
  { passkeys, totp, recoveryCodes }: Factors,
  { byMail = true } = {},
): boolean {
  const legs: LegName[] = [
    ...(byMail ? (['mail'] as const) : []),
    ...(totp ? (['totp'] as const) : []),
    ...((recoveryCodes?.hashes.length ?? 0) > 0 ? (['recovery'] as const) : []),
  ];
  return passkeys.length > 0 || suffices(legs);
}
