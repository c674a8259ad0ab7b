/**
 * May people be sent here? Not while it is stopping, while the store does not keep what is written to it, or without
 * the keys that a sign-in takes. Didit is not asked: without it people are told so, which takes a provider that is
 * ready.
 */
import { whyStoreFailed } from '../store/refusal.ts';
import type { Store } from '../store/store.ts';

export interface ReadinessTools {
  /** False once the process has been told to stop. */
  isServing(): boolean;
  store(): Pick<Store, 'put' | 'take' | 'delete'>;
  kept(): keyof typeof probeBytes;
  random: (bytes: number) => string;
  /** What is wrong with the keys, if anything is. */
  whyKeysFail(): Promise<string | undefined>;
}

/**
 * In a file that is almost full a small record still fits between others, and a sign-in does not: what is written to
 * try it needs room of its own there. Redis refuses all of them.
 */
const probeBytes = { file: 12 * 1024, redis: 16 };
const probeSeconds = 60;

/** @returns a function that says why not, or nothing. Who asks at the same time shares one answer. */
export function createReadiness(tools: ReadinessTools): () => Promise<string | undefined> {
  const { random } = tools;
  let underWay: Promise<string | undefined> | undefined;

  async function whyStoreFails(): Promise<string | undefined> {
    const store = tools.store();
    const key = `probe:${random(9)}`;
    const value = 'x'.repeat(probeBytes[tools.kept()]);
    try {
      await store.put(key, value, { ttlSeconds: probeSeconds });
      // Read back: keys that seal and do not open again would show here.
      if ((await store.take(key)) !== value) return 'the store does not keep what is written to it';
      return undefined;
    } catch (error) {
      await store.delete(key).catch(() => undefined);
      return whyStoreFailed(error);
    }
  }

  return async function readiness() {
    if (!tools.isServing()) return 'stopping';
    underWay ??= Promise.all([whyStoreFails(), tools.whyKeysFail()])
      .then((reasons) => reasons.find((reason) => reason !== undefined))
      .finally(() => (underWay = undefined));
    return underWay;
  };
}
