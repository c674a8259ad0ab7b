/**
 * One record that every process goes by and hardly ever changes: told of at once by the channel, and read again every
 * few seconds for the case that the word was lost. Looking at it costs no trip to the store.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store, Stored, Version } from './store.ts';

const believedForMs = 5_000;

export interface Believed<T> {
  /** As this process believes it to be; reads it again in the background when that was a while ago. */
  peek(): T | undefined;
  /** As it is. */
  read(): Promise<{ value: T | undefined; version: Version | undefined }>;
  /** @param ifVersion undefined: only where there is none yet. @returns undefined when somebody else was first. */
  write(value: T, ifVersion: Version | undefined): Promise<Version | undefined>;
  /** Reads it, and hears of changes from then on. @returns a function that stops listening. */
  listen(): Promise<() => Promise<void>>;
}

export function createBelieved<T>(
  store: Pick<Store, 'get' | 'put' | 'publish' | 'subscribe'>,
  key: string,
  clock: Clock,
): Believed<T> {
  let known: Stored | undefined;
  let value: T | undefined;
  let readAtMs = -Infinity;
  /** Of several readings under way the last one counts. */
  let round = 0;
  let isReading = false;

  function believe(stored: Stored | undefined): void {
    readAtMs = clock();
    if (stored?.version === known?.version) return;
    known = stored;
    value = stored && (JSON.parse(stored.value) as T);
  }

  async function again(): Promise<void> {
    const mine = (round += 1);
    isReading = true;
    try {
      const stored = await store.get(key);
      if (mine === round) believe(stored);
    } finally {
      if (mine === round) isReading = false;
    }
  }

  return {
    peek() {
      // Where the store does not answer, what was known goes on to count.
      if (!isReading && clock() - readAtMs >= believedForMs) again().catch(() => undefined);
      return value;
    },
    async read() {
      const stored = await store.get(key);
      return {
        value: stored && (JSON.parse(stored.value) as T),
        version: stored?.version,
      };
    },
    async write(next, ifVersion) {
      const condition = ifVersion === undefined ? { ifAbsent: true } : { ifVersion };
      const text = JSON.stringify(next);
      const version = await store.put(key, text, condition);
      if (version === undefined) return undefined;
      round += 1;
      isReading = false;
      believe({ value: text, version });
      // It is written, and whoever does not hear of it reads it again within seconds: nothing has failed.
      await store.publish(key, version).catch(() => undefined);
      return version;
    },
    async listen() {
      const stop = await store.subscribe(key, () => {
        again().catch(() => undefined);
      });
      await again();
      return stop;
    },
  };
}
