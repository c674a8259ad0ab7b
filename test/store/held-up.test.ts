/** A process that did not run for a while has not looked yet: what Redis answered lies there, unread. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { freshRedis } from '../support/redis.ts';

/** The whole thread, as when the machine gives it no time. */
const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

it('[RL-03] a process that was held up itself does not say that Redis does not answer', async () => {
  const { store } = await openStore({
    ...{ url: await freshRedis(), encryptionKeys: [], clock: Date.now },
  });
  await store.put('note:one', 'here');
  const asked = store.get('note:one');
  // The command is written in the turn after this one.
  await nextTurn();
  standStill(1_500);
  expect((await asked)?.value).toBe('here');
  await store.close();
});
