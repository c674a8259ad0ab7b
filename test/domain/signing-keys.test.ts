import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type SigningKey,
  publishedKeys,
  statesOf,
  withNewKey,
  withoutKey,
} from '../../src/domain/signing-keys.ts';

const now = 1_800_000_000;
const hour = 3_600;

describe('the life of a signing key', () => {
  it('[PL-03] it is published, signs, retires and goes', () => {
    const old: SigningKey = { kid: 'old', alg: 'ES256' };
    const keys = withNewKey(
      [old],
      { kid: 'new', alg: 'ES256' },
      {
        ...{ nowSeconds: now, signsFrom: now + hour, keptForSeconds: 10 * hour },
      },
    );
    const states = (seconds: number): Record<string, unknown> =>
      Object.fromEntries<unknown>(
        statesOf(keys, seconds).map((state, at) => [keys[at]?.kid ?? '', state]),
      );
    expect(states(now)).toEqual({ new: 'published', old: 'signing' });
    expect(states(now + hour - 1)).toEqual({ new: 'published', old: 'signing' });
    expect(states(now + hour)).toEqual({ new: 'signing', old: 'retiring' });
    expect(states(now + 11 * hour - 1)).toEqual({ new: 'signing', old: 'retiring' });
    expect(states(now + 11 * hour)).toEqual({ new: 'signing', old: 'retired' });
  });

  it('keys without dates are as they were: of each algorithm the first signs, all are published', () => {
    const keys = [
      { kid: 'a', alg: 'ES256' },
      { kid: 'b', alg: 'RS256' },
      { kid: 'c', alg: 'ES256' },
    ];
    expect(statesOf(keys, now)).toEqual(['signing', 'signing', 'retiring']);
    expect(publishedKeys(keys, now).map(({ kid }) => kid)).toEqual(['a', 'b', 'c']);
  });

  it('what has an end without a successor signs until then, and nobody after it', () => {
    const keys = [{ kid: 'a', alg: 'ES256', retires_at: now + 1 }];
    expect(statesOf(keys, now)).toEqual(['signing']);
    expect(statesOf(keys, now + 1)).toEqual(['retired']);
  });

  it('one that does not sign yet signs where there is no other', () => {
    const keys = [{ kid: 'a', alg: 'ES256', signs_from: now + 1 }];
    expect(statesOf(keys, now)).toEqual(['signing']);
  });

  it('a second rotation within the hour leaves one key to sign at each moment', () => {
    const first = withNewKey(
      [{ kid: 'a', alg: 'ES256' }] as SigningKey[],
      { kid: 'b', alg: 'ES256' },
      {
        ...{ nowSeconds: now, signsFrom: now + hour, keptForSeconds: hour },
      },
    );
    const keys = withNewKey(
      first,
      { kid: 'c', alg: 'ES256' },
      {
        ...{ nowSeconds: now + 60, signsFrom: now + 60 + hour, keptForSeconds: hour },
      },
    );
    const signerAt = (seconds: number) =>
      keys.filter((_, at) => statesOf(keys, seconds)[at] === 'signing').map(({ kid }) => kid);
    expect(signerAt(now)).toEqual(['a']);
    expect(signerAt(now + hour)).toEqual(['b']);
    expect(signerAt(now + hour + 60)).toEqual(['c']);
  });

  it('[PL-03] whichever key is taken out, one goes on to sign without an end', () => {
    const rotated = (keys: SigningKey[], kid: string, nowSeconds: number): SigningKey[] => {
      const dates = { nowSeconds, signsFrom: nowSeconds + hour, keptForSeconds: hour };
      return withNewKey(keys, { kid, alg: 'ES256' }, dates);
    };
    const other: SigningKey = { kid: 'other', alg: 'RS256', retires_at: now + 9 * hour };
    const once = rotated([{ kid: 'a', alg: 'ES256' }, other], 'b', now);
    const twice = rotated(once, 'c', now + 60);
    const left = (keys: SigningKey[], ...gone: string[]) =>
      gone.reduce((all, kid) => withoutKey(all, kid, now + 90), keys);
    expect(left(once, 'b')).toEqual([{ kid: 'a', alg: 'ES256' }, other]);
    expect(left(twice, 'c', 'b')).toEqual([{ kid: 'a', alg: 'ES256' }, other]);
    expect(left(twice, 'b', 'c')).toEqual([{ kid: 'a', alg: 'ES256' }, other]);
    // The one before it follows, and has nobody behind it any more.
    expect(left(twice, 'c').map(({ kid, retires_at: end }) => [kid, end])).toEqual([
      ['b', undefined],
      ['a', now + 2 * hour],
      ['other', now + 9 * hour],
    ]);
    expect(left(twice, 'b')).toEqual(twice.filter(({ kid }) => kid !== 'b'));
    // An end that somebody gave to the last one is not because of another.
    const ending = twice.map((key) => (key.kid === 'c' ? { ...key, retires_at: now * 2 } : key));
    expect(left(ending, 'b')).toEqual(ending.filter(({ kid }) => kid !== 'b'));
    // One that signed before takes nothing along.
    const later = now + 2 * hour - 1;
    expect(withoutKey(once, 'a', later)).toEqual(once.filter(({ kid }) => kid !== 'a'));
  });

  it('[PL-03] whatever the dates, at most one key of an algorithm signs, and it is published first', () => {
    const time = fc.option(fc.integer({ min: now - 100, max: now + 100 }), { nil: undefined });
    const key = fc
      .record({ alg: fc.constantFrom('ES256', 'RS256'), signs: time, retires: time })
      .map(({ alg, signs, retires }) => ({
        alg,
        ...(signs === undefined ? {} : { signs_from: signs }),
        ...(retires === undefined ? {} : { retires_at: retires }),
      }));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 6 }), (keys) => {
        const states = statesOf(keys, now);
        for (const alg of ['ES256', 'RS256']) {
          const own = keys.filter((one) => one.alg === alg);
          const alive = own.filter(({ retires_at: end = Infinity }) => end > now);
          const signing = own.filter((one) => states[keys.indexOf(one)] === 'signing');
          expect(signing).toHaveLength(alive.length > 0 ? 1 : 0);
          const [first] = publishedKeys(keys, now).filter((one) => one.alg === alg);
          expect(first).toBe(signing[0]);
        }
      }),
    );
  });
});
