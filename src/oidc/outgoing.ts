/** Requests that the library makes for us: key sets, sector identifiers, back-channel logout. */

type Fetch = typeof fetch;

/**
 * The library hands over a dispatcher that refuses private addresses. It stays, unless the operator has said that
 * relying parties live on a private network, which production refuses (config/safety.ts).
 */
export function createOutgoingFetch(allowPrivateNetworks: boolean): Fetch {
  if (!allowPrivateNetworks) return (input, init) => fetch(input, init);
  return (input, init) => {
    const { dispatcher, ...rest } = (init ?? {}) as RequestInit & { dispatcher?: unknown };
    return fetch(input, rest);
  };
}
