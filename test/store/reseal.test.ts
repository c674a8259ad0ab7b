import { describe, expect, it, onTestFinished } from 'vitest';
import { createKeyring, keyIdOf } from '../../src/store/keyring.ts';
import { openDriver, openStore } from '../../src/store/open.ts';
import { countByKey, reseal } from '../../src/store/reseal.ts';
import { freshRedis, withRedis } from '../support/redis.ts';
import { newKey } from './stores.ts';

const clock = Date.now;
const [oldKey, freshKey] = [newKey(), newKey()];
const both = createKeyring([freshKey, oldKey]);

async function filled(url: string) {
  const { store } = await openStore({ url, encryptionKeys: [oldKey], clock });
  await store.put('account:a', 'for ever');
  await store.put('token:t', 'for a while', { ttlSeconds: 500 });
  await store.put('portrait:p', 'x'.repeat(100_000));
  const { version } = (await store.get('token:t'))!;
  await store.close();
  const { store: driver } = await openDriver({ url, clock });
  onTestFinished(() => driver.close());
  return { driver, version };
}

describe('sealing anew', () => {
  it('[PL-03] opens everything with the new key alone, at the same version and with the same end', async () => {
    const url = await freshRedis();
    const { driver, version } = await filled(url);
    expect(await countByKey(driver)).toEqual(new Map([[keyIdOf(oldKey), 4]]));
    const told: number[] = [];
    const done = await reseal(driver, both, ({ resealed }) => told.push(resealed));
    expect(done).toEqual({ seen: 4, resealed: 4, unreadable: 0 });
    expect(told.at(-1)).toBe(4);
    expect(await countByKey(driver)).toEqual(new Map([[keyIdOf(freshKey), 4]]));

    const { store } = await openStore({ url, encryptionKeys: [freshKey], clock });
    onTestFinished(() => store.close());
    expect((await store.get('account:a'))?.value).toBe('for ever');
    expect(await store.get('token:t')).toEqual({ value: 'for a while', version });
    expect((await store.get('portrait:p'))?.value).toHaveLength(100_000);
    const lifetimes = await withRedis(url, async (redis) => {
      const names = (await redis.keys('*record:*')).toSorted();
      return Object.fromEntries<number>(
        await Promise.all(
          names.map(async (name) => [name.split(':')[2] ?? '', await redis.ttl(name)] as const),
        ),
      );
    });
    expect(lifetimes).toMatchObject({ account: -1, portrait: -1, sealed: -1 });
    expect(lifetimes.token).toBeGreaterThan(400);
  });

  it('[PL-03] is done with what was done before, and leaves alone what it cannot read', async () => {
    const url = 'sqlite::memory:';
    const { store: driver } = await openDriver({ url, clock });
    onTestFinished(() => driver.close());
    const name = (at: number): string => `thing:${at}`;
    for (let at = 0; at < 120; at += 1) {
      const keyring = createKeyring([at % 2 === 0 ? oldKey : freshKey]);
      await driver.put(name(at), keyring.seal('text', `record ${name(at)}`));
    }
    await driver.put(name(999), createKeyring([newKey()]).seal('text', `record ${name(999)}`));
    const [first, second] = [await reseal(driver, both), await reseal(driver, both)];
    expect(first).toEqual({ seen: 121, resealed: 60, unreadable: 1 });
    expect(second).toEqual({ seen: 121, resealed: 0, unreadable: 1 });
  });

  it('[PL-03] takes nothing back that somebody writes meanwhile', async () => {
    const { driver } = await filled(await freshRedis());
    const key = 'thing:contended';
    const seal = (text: string) => createKeyring([oldKey]).seal(text, `record ${key}`);
    await driver.put(key, seal('before'));
    let writes = 0;
    const contended = {
      ...driver,
      async rewrite(...[name, value, version]: Parameters<typeof driver.rewrite>) {
        if (name === key && writes < 2) {
          writes += 1;
          await driver.put(key, seal(`meanwhile ${writes}`));
        }
        return driver.rewrite(name, value, version);
      },
    };
    await reseal(contended, both);
    const { value } = (await driver.get(key))!;
    expect(both.isOutdated(value)).toBe(false);
    expect(both.open(value, `record ${key}`)).toBe('meanwhile 2');
  });
});

describe('a record that is rewritten', () => {
  it.each([
    ['sqlite', () => Promise.resolve('sqlite::memory:')],
    ['redis', freshRedis],
  ])('keeps its version, and is left alone at another one, in %s', async (_, urlOf) => {
    const { store: driver } = await openDriver({ url: await urlOf(), clock });
    onTestFinished(() => driver.close());
    const version = (await driver.put('a:b', 'one'))!;
    expect(await driver.rewrite('a:b', 'two', version)).toBe(true);
    expect(await driver.get('a:b')).toEqual({ value: 'two', version });
    expect(await driver.rewrite('a:b', 'three', 'x'.repeat(version.length))).toBe(false);
    expect(await driver.rewrite('a:c', 'three', version)).toBe(false);
    expect((await driver.get('a:b'))?.value).toBe('two');
    expect(await Array.fromAsync(driver.scanAll())).toEqual([
      { key: 'a:b', value: 'two', version },
    ]);
  });
});
