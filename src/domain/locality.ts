/**
 * Was the selfie taken in the browser that asked for it?
 *
 * Didit reports the address and the browser in which its page was open; we know the address and the browser
 * that stand before our door. A link that somebody forwarded shows here as another place. Addresses are
 * compared by network, since a phone changes its host part and a provider hides many people behind one.
 */
export interface Place {
  /** The address's network as the caller groups them, for instance an IPv4 /24 or an IPv6 /64; undefined when unknown. */
  network: string | undefined;
  browser: string | undefined;
  system: string | undefined;
}

/**
 * `agrees`: same system, browser and network. `differs`: another system or browser. `cannot_tell`: system and
 * browser agree but the networks cannot be compared or are not the same (a phone between Wi-Fi and mobile, two
 * address families). `unknown`: Didit said nothing that could be compared.
 */
export type Locality = 'agrees' | 'differs' | 'cannot_tell' | 'unknown';

/** Every place that Didit saw must be this browser's: one stranger among them is enough to differ. */
export function compareLocality(here: Place, seen: readonly Place[]): Locality {
  if (seen.length === 0) return 'unknown';
  const results = seen.map((place) => compareOne(here, place));
  for (const worst of ['differs', 'unknown', 'cannot_tell'] as const) {
    if (results.includes(worst)) return worst;
  }
  return 'agrees';
}

function compareOne(here: Place, seen: Place): Locality {
  const pairs = [
    [here.browser, seen.browser],
    [here.system, seen.system],
  ] as const;
  if (pairs.some(([a, b]) => a !== undefined && b !== undefined && a !== b)) return 'differs';
  if (pairs.some(([a, b]) => a === undefined || b === undefined)) return 'unknown';
  const isSameNetwork = here.network !== undefined && here.network === seen.network;
  return isSameNetwork ? 'agrees' : 'cannot_tell';
}
