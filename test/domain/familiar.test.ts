/** What is familiar of an account: keys while they count, and places while they are remembered. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type DeviceKey,
  type Familiar,
  isRested,
  nothingFamiliar,
  signalsOf,
  usableKey,
  withKey,
  withProof,
  withoutKeys,
} from '../../src/domain/familiar.ts';
import { startMs } from './samples.ts';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const key: DeviceKey = {
  ...{ id: 'key-1', x: 'x', y: 'y', name: 'Chrome, Linux' },
  ...{ addedAtMs: startMs, usedAtMs: startMs, actedAtMs: startMs },
};
const having = (...keys: DeviceKey[]): Familiar => ({ ...nothingFamiliar, keys });

describe('[FB-03] a key', () => {
  it('is idle after its time, and found by its own id alone', () => {
    const familiar = having({ ...key, id: 'other' }, key);
    const idleMs = 90 * dayMs;
    expect(usableKey(familiar, 'key-1', idleMs, startMs + idleMs - 1)).toEqual(key);
    expect(usableKey(familiar, 'key-1', idleMs, startMs + idleMs)).toBeUndefined();
    for (const id of ['', 'key-2', 'KEY-1', 'key-1 ']) {
      expect(usableKey(familiar, id, idleMs, startMs)).toBeUndefined();
    }
  });

  it('rests from when it was made, however often it is used meanwhile', () => {
    const used = { ...key, usedAtMs: startMs + hourMs, actedAtMs: startMs + hourMs };
    expect(isRested(having(used), used, dayMs, startMs + dayMs - 1)).toBe(false);
    expect(isRested(having(used), used, dayMs, startMs + dayMs)).toBe(true);
  });

  it('stands for nothing after a logout, until its person has acted in its browser again', () => {
    const nowMs = startMs + 3 * dayMs;
    const rested = (signedOutAtMs: number, actedAtMs: number) =>
      isRested({ ...having(key), signedOutAtMs }, { ...key, actedAtMs }, dayMs, nowMs);
    expect(rested(startMs - 1, startMs)).toBe(true);
    expect(rested(startMs, startMs)).toBe(false);
    expect(rested(startMs + dayMs, startMs)).toBe(false);
    expect(rested(startMs + dayMs, startMs + dayMs + 1)).toBe(true);
  });

  it('takes the place of one with the same id, and of the one that was not used for longest', () => {
    let familiar = having();
    for (let at = 0; at < 25; at += 1) {
      familiar = withKey(familiar, { ...key, id: `key-${at}`, usedAtMs: startMs + (at % 24) });
    }
    expect(familiar.keys).toHaveLength(20);
    expect(familiar.keys.map(({ id }) => id)).not.toContain('key-0');
    expect(familiar.keys.map(({ id }) => id)).toContain('key-23');
    const renamed = withKey(familiar, { ...key, id: 'key-23', name: 'at work' });
    expect(renamed.keys).toHaveLength(20);
    expect(renamed.keys.filter(({ id }) => id === 'key-23')).toHaveLength(1);
  });

  it('that goes takes no other along, and a record without it stays the same object', () => {
    const familiar = having(key, { ...key, id: 'key-2' });
    expect(withoutKeys(familiar, ({ id }) => id === 'key-1').keys.map(({ id }) => id)).toEqual([
      'key-2',
    ]);
    expect(withoutKeys(familiar, ({ id }) => id === 'none')).toBe(familiar);
  });
});

const home = { network: 'home', country: 'here', autonomous_system: 'one' };
const berlin = { latitude: 52.5, longitude: 13.4 };
const tokyo = { latitude: 35.7, longitude: 139.7 };

describe('a place', () => {
  test('is new where nothing was proven, also when nothing can be told of it', () => {
    const nowhere = { network: undefined, country: undefined, autonomous_system: undefined };
    const seen = withProof(nothingFamiliar, nowhere, undefined, startMs);
    for (const [familiar, here] of [
      [nothingFamiliar, home],
      [seen, nowhere],
      [seen, home],
      [seen, {}],
    ] as const) {
      expect(signalsOf(familiar, here, undefined, startMs)).toMatchObject({
        ...{ network: 'new', country: 'new', autonomous_system: 'new', travel: 'possible' },
      });
    }
    expect(signalsOf(nothingFamiliar, home, berlin, startMs).hours_since_proof).toBe(Infinity);
  });

  test('is known in each respect for itself', () => {
    const seen = withProof(nothingFamiliar, home, undefined, startMs);
    const here = { ...home, network: 'other', autonomous_system: undefined };
    expect(signalsOf(seen, home, undefined, startMs + hourMs)).toEqual({
      ...{ network: 'known', country: 'known', autonomous_system: 'known' },
      ...{ travel: 'possible', hours_since_proof: 1 },
    });
    expect(signalsOf(seen, here, undefined, startMs)).toMatchObject({
      ...{ network: 'new', country: 'known', autonomous_system: 'new' },
    });
  });

  test('is new again after half a year, whether anybody tidied up or not', () => {
    const seen = withProof(nothingFamiliar, home, undefined, startMs);
    const at = (nowMs: number) => signalsOf(seen, home, undefined, nowMs).network;
    expect([at(startMs + 180 * dayMs - 1), at(startMs + 180 * dayMs)]).toEqual(['known', 'new']);
    const other = { ...home, network: 'other' };
    expect(withProof(seen, other, undefined, startMs + 180 * dayMs).places).toEqual([
      { ...other, atMs: startMs + 180 * dayMs },
    ]);
  });

  test('too far for the time that passed is impossible to have come from', () => {
    const seen = withProof(nothingFamiliar, home, berlin, startMs);
    const at = (nowMs: number, location?: typeof berlin) =>
      signalsOf(seen, home, location, nowMs).travel;
    expect(at(startMs + hourMs, tokyo)).toBe('impossible');
    expect([at(startMs + 2 * dayMs, tokyo), at(startMs + hourMs), at(startMs, berlin)]).toEqual([
      'possible',
      'possible',
      'possible',
    ]);
    // A later proof from nobody knows where is no reason to remember the earlier one's.
    const later = withProof(seen, home, undefined, startMs + hourMs);
    expect(signalsOf(later, home, tokyo, startMs + hourMs).travel).toBe('possible');
  });

  test('is remembered once, and of many the latest', () => {
    const places = fc.array(fc.nat(40), { maxLength: 60 });
    fc.assert(
      fc.property(places, (seen) => {
        let familiar = nothingFamiliar;
        seen.forEach((network, at) => {
          const here = { ...home, network: String(network) };
          familiar = withProof(familiar, here, undefined, startMs + at);
        });
        const expected = [...new Set(seen.toReversed().map(String))].slice(0, 20);
        expect(familiar.places.map(({ network }) => network)).toEqual(expected);
        expect(familiar.keys).toEqual([]);
      }),
    );
  });
});
