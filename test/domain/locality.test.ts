import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Locality, type Place, compareLocality } from '../../src/domain/locality.ts';

const here: Place = { network: '192.0.2/24', browser: 'Chrome', system: 'macOS' };
const nowhere: Place = {
  network: undefined,
  browser: undefined,
  system: undefined,
};

test.each<[Locality, string, Partial<Place>]>([
  ['agrees', 'the same place', {}],
  ['cannot_tell', 'another network', { network: '198.51.100/24' }],
  ['cannot_tell', 'the other address family', { network: '32.1.13.184.0.0.0.0/64' }],
  ['cannot_tell', 'no network', { network: undefined }],
  ['differs', 'another browser', { browser: 'Firefox' }],
  ['differs', 'another system', { system: 'Android' }],
  ['differs', 'another browser on a system unknown', { browser: 'Firefox', system: undefined }],
  ['differs', 'another system with a browser unknown', { browser: undefined, system: 'iOS' }],
  ['unknown', 'no browser', { browser: undefined }],
  ['unknown', 'no system', { system: undefined }],
  ['unknown', 'nothing at all', nowhere],
])('[XD-07] %s: %s', (expected, _, changes) => {
  expect(compareLocality(here, [{ ...here, ...changes }])).toBe(expected);
});

test('[XD-07] where Didit saw nobody, nothing is known', () => {
  expect(compareLocality(here, [])).toBe('unknown');
});

test('[XD-07] a browser that says nothing of itself agrees with nothing', () => {
  expect(compareLocality(nowhere, [nowhere])).toBe('unknown');
  expect(compareLocality({ ...here, browser: undefined }, [here])).toBe('unknown');
  const adrift = { ...here, network: undefined };
  expect(compareLocality(adrift, [here])).toBe('cannot_tell');
  expect(compareLocality(adrift, [adrift])).toBe('cannot_tell');
});

const place: fc.Arbitrary<Place> = fc.record({
  network: fc.constantFrom('192.0.2/24', '198.51.100/24', undefined),
  browser: fc.constantFrom('Chrome', 'Firefox', undefined),
  system: fc.constantFrom('macOS', 'Android', undefined),
});
const badness: readonly Locality[] = ['agrees', 'cannot_tell', 'unknown', 'differs'];

test('[XD-07] one more place seen, wherever in the list, can only make it worse', () => {
  fc.assert(
    fc.property(place, fc.array(place, { minLength: 1, maxLength: 4 }), place, (own, seen, one) => {
      const before = badness.indexOf(compareLocality(own, seen));
      const alone = badness.indexOf(compareLocality(own, [one]));
      for (const more of [
        [...seen, one],
        [one, ...seen],
      ]) {
        expect(badness.indexOf(compareLocality(own, more))).toBe(Math.max(before, alone));
      }
    }),
  );
});

test('agrees only with what is known and the same, whichever is compared to which', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      const isKnown = Object.values(a).every((part) => part !== undefined);
      const isSame = JSON.stringify(a) === JSON.stringify(b);
      expect(compareLocality(a, [b]) === 'agrees').toBe(isKnown && isSame);
      expect(compareLocality(a, [b])).toBe(compareLocality(b, [a]));
    }),
  );
});
