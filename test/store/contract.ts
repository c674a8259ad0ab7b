/**
 * What every store does, whichever it is. A test file calls this once for each that it can open.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { update, type Store } from '../../src/store/store.ts';
import { soon } from '../support/soon.ts';

export interface StoreUnderTest {
  store: Store;
  /**
   * A second opening of the same database, as another process has it; the same one where there is
   * none.
   */
  neighbour: Store;
  /** Lets time pass: by the clock that the store was given, or by waiting. */
  pass(seconds: number): Promise<void>;
  close(): Promise<void>;
}

const everything = { min: -Infinity, max: Infinity, limit: 1000 };
const many = 200;

export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: Store;
    let count = 0;
    /** Every test has keys of its own. */
    const fresh = (kind = 'thing'): string => `${kind}:${String((count += 1))}`;

    beforeAll(async () => {
      under = await open();
      store = under.store;
    });
    afterAll(() => under.close());

    describe('a record', () => {
      test('is read as it was written, and is absent before', async () => {
        const key = fresh();
        expect(await store.get(key)).toBeUndefined();
        const version = await store.put(key, 'a value');
        expect(await store.get(key)).toEqual({ value: 'a value', version });
        expect(await under.neighbour.get(key)).toEqual({ value: 'a value', version });
      });

      test.each([
        ['no text at all', ''],
        ['text of every script and a NUL', 'Zoë 李 😀 \u{10FFFF} \0 | : \r\n "'],
        ['a megabyte', 'é'.repeat(512 * 1024)],
      ])('may be %s', async (_, value) => {
        const key = fresh();
        await store.put(key, value);
        expect((await store.get(key))?.value === value).toBe(true);
        expect((await store.take(key)) === value).toBe(true);
      });

      test('may have any text for a key', async () => {
        for (const key of ['odd:ключ 🔑', 'odd:a:b|c*?[d]\\', 'odd:']) {
          await store.put(key, key);
          expect((await store.get(key))?.value).toBe(key);
        }
      });

      test('gets a new version with every write', async () => {
        const key = fresh();
        const versions = [await store.put(key, 'same'), await store.put(key, 'same')];
        await store.delete(key);
        versions.push(await store.put(key, 'same'));
        expect(new Set(versions).size).toBe(3);
      });

      test('is written by ifAbsent only when there is none', async () => {
        const key = fresh();
        expect(await store.put(key, 'first', { ifAbsent: true })).toBeDefined();
        expect(await store.put(key, 'second', { ifAbsent: true })).toBeUndefined();
        expect((await store.get(key))?.value).toBe('first');
      });

      test('is written by ifVersion only over that very version', async () => {
        const key = fresh();
        const first = await store.put(key, 'first');
        const second = await store.put(key, 'second', { ifVersion: first });
        expect(second).toBeDefined();
        expect(await store.put(key, 'third', { ifVersion: first })).toBeUndefined();
        expect(await store.get(key)).toEqual({ value: 'second', version: second });
        await store.delete(key);
        expect(await store.put(key, 'fourth', { ifVersion: second })).toBeUndefined();
        expect(await store.get(key)).toBeUndefined();
      });

      test('is taken once and deleted once', async () => {
        const key = fresh();
        await store.put(key, 'value');
        expect([await store.take(key), await store.take(key)]).toEqual(['value', undefined]);
        await store.put(key, 'value');
        expect([await store.delete(key), await store.delete(key)]).toEqual([true, false]);
      });

      test('comes with others in the order asked for', async () => {
        const [a, b, c] = [fresh(), fresh(), fresh()];
        await store.put(a, 'a');
        await store.put(c, 'c');
        const found = await store.getMany([c, b, a, c]);
        expect(found.map((stored) => stored?.value)).toEqual(['c', undefined, 'a', 'c']);
        expect(await store.getMany([])).toEqual([]);
      });
    });

    describe('time', () => {
      test('ends records, and what is over counts as absent for every verb', async () => {
        const keys = Array.from({ length: 6 }, () => fresh());
        const [got, taken, deleted, added, replaced, kept] = keys as [string, ...string[]];
        const versions = await Promise.all(
          keys.map((key) => store.put(key, 'old', { ttlSeconds: 1 })),
        );
        await store.put(kept!, 'prolonged', { ttlSeconds: 60, ifVersion: versions[5] });
        await under.pass(1.2);
        expect(await store.get(got)).toBeUndefined();
        expect(await store.take(taken!)).toBeUndefined();
        expect(await store.delete(deleted!)).toBe(false);
        expect(await store.put(replaced!, 'new', { ifVersion: versions[4] })).toBeUndefined();
        expect(await store.put(added!, 'new', { ifAbsent: true })).toBeDefined();
        expect((await store.get(kept!))?.value).toBe('prolonged');
      });

      test('is taken off a record that is written again without it', async () => {
        const [plain, compared] = [fresh(), fresh()];
        await store.put(plain, 'old', { ttlSeconds: 1 });
        await store.put(plain, 'new');
        await store.put(compared, 'new', {
          ifVersion: await store.put(compared, 'old', { ttlSeconds: 1 }),
        });
        await under.pass(1.2);
        const found = await store.getMany([plain, compared]);
        expect(found.map((stored) => stored?.value)).toEqual(['new', 'new']);
      });

      test('ends a counter after a fixed window that later increments do not prolong', async () => {
        const [short, long] = [fresh(), fresh()];
        await store.increment(short, { ttlSeconds: 1 });
        await store.increment(short, { ttlSeconds: 60 });
        await store.increment(long, { ttlSeconds: 60 });
        await store.increment(long, { ttlSeconds: 1 });
        await under.pass(1.2);
        expect(await store.increment(short, { ttlSeconds: 60 })).toBe(1);
        expect(await store.increment(long, { ttlSeconds: 60 })).toBe(3);
      });

      test('of an index is only lengthened', async () => {
        const [short, lengthened, kept, endless] = [fresh(), fresh(), fresh(), fresh()];
        await store.indexAdd(short, 'm', 1, 1);
        await store.indexAdd(lengthened, 'm', 1, 1);
        await store.indexAdd(lengthened, 'n', 2, 60);
        await store.indexAdd(kept, 'm', 1, 60);
        await store.indexAdd(kept, 'n', 2, 1);
        await store.indexAdd(endless, 'm', 1, 1);
        await store.indexAdd(endless, 'n', 2);
        await store.indexAdd(endless, 'o', 3, 1);
        await under.pass(1.2);
        const sizes = await Promise.all(
          [short, lengthened, kept, endless].map(
            async (index) => (await store.indexRange(index, everything)).length,
          ),
        );
        expect(sizes).toEqual([0, 2, 2, 3]);
        expect(await store.indexRemove(short, 'm')).toBe(false);
        await store.indexAdd(short, 'later', 1, 60);
        expect(await store.indexRange(short, everything)).toEqual([{ member: 'later', score: 1 }]);
      });
    });

    test.each([0, -1, 1.5, NaN, Infinity])('a TTL of %s is refused by every verb', async (ttl) => {
      const key = fresh();
      const ifVersion = await store.put(key, 'before');
      const uses = [
        () => store.put(key, 'after', { ttlSeconds: ttl }),
        () => store.put(key, 'after', { ttlSeconds: ttl, ifVersion }),
        () => store.increment(key, { ttlSeconds: ttl }),
        () => store.spend(key, [{ name: 'hour', bucket: 1, atMost: 5 }], ttl),
        () => store.indexAdd(key, 'member', 1, ttl),
      ];
      for (const use of uses) await expect(use()).rejects.toThrow('TTL');
      expect((await store.get(key))?.value).toBe('before');
    });

    describe('of many at once', () => {
      test('one takes', async () => {
        const key = fresh();
        await store.put(key, 'the only one');
        const taken = await Promise.all(repeat((at) => either(at).take(key)));
        expect(taken.filter((value) => value !== undefined)).toEqual(['the only one']);
      });

      test('one writes where there was nothing', async () => {
        const key = fresh();
        const versions = await Promise.all(
          repeat((at) => either(at).put(key, String(at), { ifAbsent: true })),
        );
        expect(versions.filter((version) => version !== undefined)).toHaveLength(1);
      });

      test('one replaces a version', async () => {
        const key = fresh();
        const ifVersion = await store.put(key, 'before');
        const versions = await Promise.all(
          repeat((at) => either(at).put(key, String(at), { ifVersion })),
        );
        expect(versions.filter((version) => version !== undefined)).toHaveLength(1);
      });

      test('one is told that it removed a member', async () => {
        const index = fresh();
        await store.indexAdd(index, 'member', 1);
        const removed = await Promise.all(repeat((at) => either(at).indexRemove(index, 'member')));
        expect(removed.filter(Boolean)).toHaveLength(1);
      });

      test('no increment is lost, and each sees a number of its own', async () => {
        const key = fresh();
        const values = await Promise.all(
          repeat((at) => either(at).increment(key, { ttlSeconds: 60 })),
        );
        expect(new Set(values).size).toBe(many);
        expect(await store.increment(key, { by: 5, ttlSeconds: 60 })).toBe(many + 5);
      });

      test('no update is lost', async () => {
        const key = fresh();
        const addOne = (at: number): Promise<number> =>
          update(either(at), key, (current) => {
            const next = Number(current ?? 0) + 1;
            return { value: String(next), ttlSeconds: 60, result: next };
          });
        // Twenty contenders finish well within the fifty rounds that an update tries.
        const results = await Promise.all(Array.from({ length: 20 }, (_, at) => addOne(at)));
        expect(new Set(results).size).toBe(20);
        expect((await store.get(key))?.value).toBe('20');
      });
    });

    describe('a counter with windows', () => {
      const hour = (bucket: number, atMost: number) => ({ name: 'hour', bucket, atMost });
      const day = (bucket: number, atMost: number) => ({ name: 'day', bucket, atMost });

      test('[AB-03] lets exactly as many in as its limit says, of any number at once', async () => {
        const key = fresh();
        const full = await Promise.all(
          repeat((at) => either(at).spend(key, [hour(1, 5), day(1, many)], 60)),
        );
        expect(full.filter((window) => window === undefined)).toHaveLength(5);
        expect(full.filter((window) => window?.name === 'hour')).toHaveLength(many - 5);
      });

      test('counts in all windows or in none', async () => {
        const key = fresh();
        for (let hours = 1; hours <= 3; hours += 1) {
          expect(await store.spend(key, [hour(hours, 1), day(1, 2)], 60)).toEqual(
            hours < 3 ? undefined : day(1, 2),
          );
        }
        expect(await store.spend(key, [hour(3, 1)], 60)).toBeUndefined();
        expect(await store.spend(key, [day(1, 3)], 60)).toBeUndefined();
        expect(await store.spend(key, [day(1, 3)], 60)).toEqual(day(1, 3));
      });

      test('begins anew with another bucket, and has a count of its own a key', async () => {
        const [one, other] = [fresh(), fresh()];
        expect(await store.spend(one, [hour(7, 1)], 60)).toBeUndefined();
        expect(await store.spend(one, [hour(7, 1)], 60)).toEqual(hour(7, 1));
        expect(await store.spend(one, [hour(8, 1)], 60)).toBeUndefined();
        expect(await store.spend(other, [hour(8, 1)], 60)).toBeUndefined();
      });

      test('is begun once: whoever comes late with an earlier bucket finds nothing new, and ends nothing', async () => {
        const key = fresh();
        const late = async () => [
          await store.spend(key, [hour(7, 1)], 60),
          await store.spend(key, [hour(8, 1)], 60),
        ];
        expect(await late()).toEqual([undefined, undefined]);
        for (let turns = 0; turns < 3; turns += 1) {
          expect(await late()).toEqual([hour(7, 1), hour(8, 1)]);
        }
        await store.refund(key, [hour(7, 1)]);
        expect(await store.spend(key, [hour(8, 1)], 60)).toEqual(hour(8, 1));
      });

      test('may have two ceilings, and may be looked at without counting', async () => {
        const key = fresh();
        await store.spend(key, [hour(1, 2)], 60);
        await store.spend(key, [hour(1, 2)], 60);
        expect(await store.spend(key, [hour(1, 2)], 60)).toEqual(hour(1, 2));
        const look = { ...hour(1, 3), by: 0 } as const;
        expect(await store.spend(key, [look, day(1, 1)], 60)).toBeUndefined();
        expect(await store.spend(key, [hour(1, 3)], 60)).toBeUndefined();
        expect(await store.spend(key, [look, day(2, 1)], 60)).toEqual(look);
      });

      test('takes back what was counted, once, and never below nothing', async () => {
        const key = fresh();
        await store.refund(key, [hour(1, 1)]);
        await store.spend(key, [hour(1, 1), day(1, 1)], 60);
        await store.refund(key, [hour(1, 1), day(2, 1)]);
        await store.refund(key, [hour(1, 1)]);
        expect(await store.spend(key, [hour(1, 1)], 60)).toBeUndefined();
        expect(await store.spend(key, [hour(1, 1)], 60)).toBeDefined();
        expect(await store.spend(key, [day(1, 1)], 60)).toBeDefined();
      });

      test('may count by more than one, never over the limit, and takes as much back', async () => {
        const key = fresh();
        const by = (step: number) => ({ ...hour(1, 100), by: step });
        expect(await store.spend(key, [by(60)], 60)).toBeUndefined();
        expect(await store.spend(key, [day(1, 9), by(41)], 60)).toEqual(by(41));
        expect(await store.spend(key, [by(40), day(1, 1)], 60)).toBeUndefined();
        await store.refund(key, [by(30)]);
        expect(await store.spend(key, [by(31)], 60)).toEqual(by(31));
        expect(await store.spend(key, [by(30)], 60)).toBeUndefined();
        await store.refund(key, [by(1_000)]);
        const huge = { ...hour(1, Number.MAX_SAFE_INTEGER), by: 2 ** 52 };
        expect(await store.spend(key, [huge], 60)).toBeUndefined();
        expect(await store.spend(key, [{ ...huge, atMost: 2 ** 52 + 1, by: 2 }], 60)).toBeDefined();
        expect(
          await store.spend(key, [{ ...huge, atMost: 2 ** 52 + 1, by: 1 }], 60),
        ).toBeUndefined();
      });

      test('[PL-06] is forgotten when its time is over', async () => {
        const key = fresh();
        await store.spend(key, [hour(1, 1)], 1);
        await under.pass(1.2);
        expect(await store.spend(key, [hour(1, 1)], 60)).toBeUndefined();
      });
    });

    describe('an index', () => {
      test('gives its members by score, between bounds and up to a limit', async () => {
        const index = fresh();
        for (const score of [30, -5, 20.5, 1_700_000_000_000, 10]) {
          await store.indexAdd(index, `m${String(score)}`, score);
        }
        const scores = async (range: object): Promise<number[]> => {
          const entries = await store.indexRange(index, { ...everything, ...range });
          expect(entries.every(({ member, score }) => member === `m${String(score)}`)).toBe(true);
          return entries.map(({ score }) => score);
        };
        expect(await scores({})).toEqual([-5, 10, 20.5, 30, 1_700_000_000_000]);
        expect(await scores({ min: 10, max: 30 })).toEqual([10, 20.5, 30]);
        expect(await scores({ min: 10, limit: 2 })).toEqual([10, 20.5]);
        expect(await scores({ max: -6 })).toEqual([]);
      });

      test('has a member once, at its last score', async () => {
        const index = fresh();
        await store.indexAdd(index, 'ключ 🔑', 1);
        await store.indexAdd(index, 'ключ 🔑', 2);
        expect(await store.indexRange(index, everything)).toEqual([
          { member: 'ключ 🔑', score: 2 },
        ]);
        expect(await store.indexRemove(index, 'ключ 🔑')).toBe(true);
        expect(await store.indexRange(index, everything)).toEqual([]);
      });

      test('and a counter and a record may have the same key', async () => {
        const key = fresh();
        await store.put(key, 'record');
        await store.increment(key, { ttlSeconds: 60 });
        await store.indexAdd(key, 'member', 1);
        expect((await store.get(key))?.value).toBe('record');
        expect(await store.increment(key, { ttlSeconds: 60 })).toBe(2);
        expect(await store.indexRange(key, everything)).toHaveLength(1);
      });
    });

    test('a scan gives every live record of its kind and no other', async () => {
      const expected = new Map<string, string>();
      const written: Promise<unknown>[] = [];
      for (let at = 0; at < 350; at += 1) {
        expected.set(`scanned:${String(at)}`, `value ${String(at)}`);
        written.push(store.put(`scanned:${String(at)}`, `value ${String(at)}`));
      }
      written.push(store.put('scanned-not:1', 'other kind'));
      written.push(store.put('scanned:over', 'over', { ttlSeconds: 1 }));
      written.push(store.increment('scanned:counter', { ttlSeconds: 60 }));
      written.push(store.indexAdd('scanned:index', 'member', 1));
      await Promise.all(written);
      await under.pass(1.2);
      const found = new Map<string, string>();
      for await (const { key, value, version } of store.scan('scanned')) {
        found.set(key, value);
        expect(version).toBeTruthy();
      }
      expect(found).toEqual(expected);
    });

    describe('a message', () => {
      test('is heard by everybody who listens on its channel, in every process', async () => {
        const channel = fresh('channel');
        const heard: string[] = [];
        const hear = (who: string) => (message: string) => void heard.push(`${who} ${message}`);
        await store.subscribe(channel, hear('a'));
        await store.subscribe(channel, hear('b'));
        await under.neighbour.subscribe(channel, hear('c'));
        await store.subscribe(fresh('channel'), hear('elsewhere'));
        await store.publish(channel, '1 é😀');
        await soon(() => expect(heard).toHaveLength(3));
        expect(heard.toSorted()).toEqual(['a 1 é😀', 'b 1 é😀', 'c 1 é😀']);
      });

      test('is heard when the subscription has resolved just before', async () => {
        const rounds = Array.from({ length: 50 }, async () => {
          const channel = fresh('channel');
          const heard = Promise.withResolvers<string>();
          const end = await store.subscribe(channel, heard.resolve);
          await under.neighbour.publish(channel, channel);
          expect(await heard.promise).toBe(channel);
          await end();
        });
        await Promise.all(rounds);
      });

      test('is not heard after the end of a subscription, which may be ended twice', async () => {
        const channel = fresh('channel');
        const heard: string[] = [];
        const endFirst = await store.subscribe(channel, (m) => void heard.push(`first ${m}`));
        const endOther = await store.subscribe(channel, (m) => void heard.push(`other ${m}`));
        await endFirst();
        await endFirst();
        await store.publish(channel, '1');
        await soon(() => expect(heard).toEqual(['other 1']));
        await endOther();
        await store.subscribe(channel, (m) => void heard.push(`late ${m}`));
        await store.publish(channel, '2');
        await soon(() => expect(heard).toEqual(['other 1', 'late 2']));
      });
    });

    test('a ping is answered', async () => {
      await expect(store.ping()).resolves.toBeUndefined();
    });

    function either(at: number): Store {
      return at % 2 === 0 ? store : under.neighbour;
    }
  });
}

function repeat<T>(work: (at: number) => T): T[] {
  return Array.from({ length: many }, (_, at) => work(at));
}
