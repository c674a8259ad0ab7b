import { describe, expect, test } from 'vitest';
import { distanceKm, isPossible } from '../../src/domain/travel.ts';

const cities = {
  London: { latitude: 51.5074, longitude: -0.1278 },
  Paris: { latitude: 48.8566, longitude: 2.3522 },
  'New York': { latitude: 40.7128, longitude: -74.006 },
  Madrid: { latitude: 40.4168, longitude: -3.7038 },
  Tokyo: { latitude: 35.6762, longitude: 139.6503 },
  Sydney: { latitude: -33.8688, longitude: 151.2093 },
  Suva: { latitude: -18.1248, longitude: 178.4501 },
  Apia: { latitude: -13.8507, longitude: -171.7514 },
  Wellington: { latitude: -41.2866, longitude: 174.7756 },
} as const;
type City = keyof typeof cities;

const minuteMs = 60_000;

describe('the distance between', () => {
  test.each<[City, City, number]>([
    ['London', 'Paris', 344],
    ['London', 'New York', 5_570],
    ['Tokyo', 'Sydney', 7_820],
    ['Madrid', 'Tokyo', 10_770],
    // Across the line at which the day changes.
    ['Suva', 'Apia', 1_150],
    ['London', 'London', 0],
  ])('%s and %s is about %d km', (from, to, expected) => {
    for (const km of [distanceKm(cities[from], cities[to]), distanceKm(cities[to], cities[from])]) {
      expect(Math.abs(km - expected)).toBeLessThanOrEqual(expected * 0.01);
    }
  });

  test('two opposite ends of the globe is half its girth', () => {
    for (const latitude of [0, 12.3, 40.4168, 90]) {
      const here = { latitude, longitude: -3.7038 };
      const there = { latitude: -latitude, longitude: 176.2962 };
      expect(Math.round(distanceKm(here, there))).toBe(20_015);
    }
  });
});

describe('to be seen in', () => {
  const trip = (from: City, to: City, minutes: number): boolean => {
    const atMs = 1_790_000_000_000;
    return isPossible(
      { ...cities[from], atMs },
      { ...cities[to], atMs: atMs + minutes * minuteMs },
    );
  };

  test.each<[City, City, number, boolean]>([
    ['London', 'London', 0, true],
    ['London', 'Paris', 5, false],
    ['London', 'Paris', 9, true],
    ['London', 'New York', 60, false],
    ['London', 'New York', 320, false],
    // No airline is as quick, and databases are wrong by a town or two.
    ['London', 'New York', 325, true],
    ['Tokyo', 'Sydney', 9 * 60, true],
    ['Madrid', 'Wellington', 12 * 60, false],
    ['Madrid', 'Wellington', 24 * 60, true],
    ['Suva', 'Apia', 30, false],
    ['Suva', 'Apia', 60, true],
  ])('%s and then in %s within %d minutes: possible is %j', (from, to, minutes, expected) => {
    expect(trip(from, to, minutes)).toBe(expected);
    // Whose clock was behind does not matter.
    expect(trip(from, to, -minutes)).toBe(expected);
    expect(trip(to, from, minutes)).toBe(expected);
  });

  test('two places of one household at once, as databases have them, is possible', () => {
    const atMs = 0;
    const here = { ...cities.London, atMs };
    expect(isPossible(here, { ...here, latitude: 53.2 })).toBe(true);
    expect(isPossible(here, { ...here, latitude: 53.4 })).toBe(false);
  });

  test('a place that is no number is not possible', () => {
    const here = { ...cities.London, atMs: 0 };
    expect(isPossible(here, { ...here, latitude: NaN })).toBe(false);
    expect(isPossible(here, { ...here, atMs: NaN })).toBe(false);
  });
});
