/** The stores that the contract is tried on, as the program opens them. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import type { StoreUnderTest } from './contract.ts';

export function newKey(): string {
  return randomBytes(32).toString('base64');
}

export async function openSqlite(
  file: string,
  encryptionKeys: string[] = [],
): Promise<StoreUnderTest> {
  let nowMs = Date.UTC(2026, 10, 22);
  const { store } = await openStore({ url: `sqlite:${file}`, encryptionKeys, clock: () => nowMs });
  return {
    store,
    neighbour: store,
    pass(seconds) {
      nowMs += seconds * 1000;
      return Promise.resolve();
    },
    close: () => store.close(),
  };
}

export async function openRedis(
  url: string,
  encryptionKeys: string[] = [],
): Promise<StoreUnderTest> {
  const options = { url, encryptionKeys, clock: Date.now };
  const { store } = await openStore(options);
  const { store: neighbour } = await openStore(options);
  return {
    store,
    neighbour,
    pass: (seconds) => wait(seconds * 1000),
    async close() {
      await Promise.all([store.close(), neighbour.close()]);
    },
  };
}
