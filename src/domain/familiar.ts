/**
 * What is familiar of an account: the keys of its devices, and the places where its selfies were accepted. It spares
 * the person something, or counts as a second factor, so only what was proven there makes anything familiar.
 */
import type { Signals } from './signals.ts';
import { verdictFreshForMs } from './standing.ts';
import { isPossible } from './travel.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface DeviceKey {
  id: string;
  /** P-256, as a JSON Web Key has them (RFC 7518 section 6.2.1). */
  x: string;
  y: string;
  name: string;
  addedAtMs: number;
  usedAtMs: number;
  /** When a selfie was last accepted in the browser that holds it. */
  actedAtMs: number;
}

/** Hashed: it is only ever compared. */
type PlaceName = 'network' | 'country' | 'autonomous_system';
export type FamiliarPlace = Readonly<Partial<Record<PlaceName, string | undefined>>> & {
  atMs: number;
};

export interface Familiar {
  schema: 1;
  keys: readonly DeviceKey[];
  places: readonly FamiliarPlace[];
  /** The last accepted selfie or passkey, and where that was as far as it is known. */
  lastProof?: { atMs: number; location?: { latitude: number; longitude: number } };
  /** When the person last signed out: a key that has not seen a selfie since stands for none. */
  signedOutAtMs?: number;
}

export const nothingFamiliar: Familiar = { schema: 1, keys: [], places: [] };

const keysAtMost = 20;
const placesAtMost = 20;
const placesKeptMs = 180 * 86_400_000;
const hourMs = 3_600_000;

/** @param idleMs so long after its last use a key is none any more. */
export function usableKey(
  { keys }: Familiar,
  id: string,
  idleMs: number,
  nowMs: number,
): DeviceKey | undefined {
  const key = keys.find((one) => one.id === id);
  return key && nowMs < key.usedAtMs + idleMs ? key : undefined;
}

/** May it stand for a selfie? @param restMs how long it is only a second factor after it was made. */
export function isRested(
  { signedOutAtMs = 0 }: Familiar,
  { addedAtMs, actedAtMs }: DeviceKey,
  restMs: number,
  nowMs: number,
): boolean {
  return nowMs >= addedAtMs + restMs && actedAtMs > signedOutAtMs;
}

export function withKey(familiar: Familiar, key: DeviceKey): Familiar {
  const others = familiar.keys.filter(({ id }) => id !== key.id);
  const newestFirst = [key, ...others].sort((one, other) => other.usedAtMs - one.usedAtMs);
  return { ...familiar, keys: newestFirst.slice(0, keysAtMost) };
}

export function withoutKeys(familiar: Familiar, isGone: (key: DeviceKey) => boolean): Familiar {
  const keys = familiar.keys.filter((key) => !isGone(key));
  return keys.length === familiar.keys.length ? familiar : { ...familiar, keys };
}

/** Was it made by the sign-in of that second (`auth_time`), which has to end while its proof is fresh? */
export function isMadeBy({ addedAtMs }: DeviceKey, authTime: number): boolean {
  return addedAtMs >= authTime * 1000 && addedAtMs < (authTime + 1) * 1000 + verdictFreshForMs;
}

/** A selfie or a passkey was accepted here. */
export function withProof(
  familiar: Familiar,
  place: Omit<FamiliarPlace, 'atMs'>,
  location: Whereabouts['location'],
  nowMs: number,
): Familiar {
  const isOther = (one: FamiliarPlace): boolean =>
    one.network !== place.network ||
    one.country !== place.country ||
    one.autonomous_system !== place.autonomous_system;
  const recent = familiar.places.filter((one) => isOther(one) && nowMs < one.atMs + placesKeptMs);
  return {
    ...familiar,
    places: [{ ...place, atMs: nowMs }, ...recent].slice(0, placesAtMost),
    lastProof: { atMs: nowMs, ...(location ? { location } : {}) },
  };
}

/** What the account's past says of somebody who is here now. */
export function signalsOf(
  { places, lastProof }: Familiar,
  here: Omit<FamiliarPlace, 'atMs'>,
  location: Whereabouts['location'],
  nowMs: number,
): Pick<Signals, 'network' | 'country' | 'autonomous_system' | 'travel' | 'hours_since_proof'> {
  const isKnown = (name: PlaceName): 'known' | 'new' => {
    const wanted = here[name];
    const isThere = places.some(
      (one) => wanted !== undefined && one[name] === wanted && nowMs < one.atMs + placesKeptMs,
    );
    return isThere ? 'known' : 'new';
  };
  const from = lastProof?.location;
  const isReachable =
    !lastProof ||
    !from ||
    !location ||
    isPossible({ ...from, atMs: lastProof.atMs }, { ...location, atMs: nowMs });
  return {
    network: isKnown('network'),
    country: isKnown('country'),
    autonomous_system: isKnown('autonomous_system'),
    travel: isReachable ? 'possible' : 'impossible',
    hours_since_proof: lastProof ? (nowMs - lastProof.atMs) / hourMs : Infinity,
  };
}
