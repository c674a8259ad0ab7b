/** Can somebody have been in both of these places? */
import type { Coordinates } from './whereabouts.ts';

export interface Stay extends Coordinates {
  atMs: number;
}

/** A little above what airliners cruise at. */
const fastestKmPerHour = 1_000;
/**
 * Databases place an address where its provider or the nearest larger town is. So far apart may two addresses of one
 * household be said to lie.
 */
export const vaguenessKm = 200;

const earthRadiusKm = 6_371;
const msPerHour = 3_600_000;

/** Whichever of the two came first: clocks of several processes may differ. */
export function isPossible(from: Stay, to: Stay): boolean {
  const hours = Math.abs(to.atMs - from.atMs) / msPerHour;
  return distanceKm(from, to) <= vaguenessKm + hours * fastestKmPerHour;
}

/** Along the surface of a ball, which is wrong by half a percent at most. */
export function distanceKm(from: Coordinates, to: Coordinates): number {
  const north = radians(to.latitude - from.latitude);
  const east = radians(to.longitude - from.longitude);
  // The haversine keeps its precision for places that are close together.
  const squared =
    Math.sin(north / 2) ** 2 +
    Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * Math.sin(east / 2) ** 2;
  // Rounding can lift it above 1 for places on opposite sides of the globe.
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(squared)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
