/** What is known of an address, besides the block that it lies in. `undefined` is "cannot be told", never "nowhere". */
export interface Whereabouts {
  /** As src/web/place.ts groups addresses. */
  network: string | undefined;
  /** Two capital letters, ISO 3166-1. */
  country: string | undefined;
  autonomousSystem: number | undefined;
  location: Coordinates | undefined;
  /** By the operator's lists. */
  tor: boolean;
  vpn: boolean;
  hosting: boolean;
}

/** In degrees, north and east above zero. */
export interface Coordinates {
  latitude: number;
  longitude: number;
}

/** Of an address that says nothing: it is no address, or one of a private network. */
export const nowhere: Whereabouts = Object.freeze({
  ...{ network: undefined, country: undefined, autonomousSystem: undefined, location: undefined },
  ...{ tor: false, vpn: false, hosting: false },
});
