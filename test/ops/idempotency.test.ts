/** The same request twice, where the store breaks off between the work and its answer. */
import { createHash } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { type Answer, createIdempotency } from '../../src/ops/api/idempotency.ts';
import { openStore } from '../../src/store/open.ts';
import { smallRandom } from '../../src/store/random.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

const call = { token: 'dok_of-the-caller', name: 'k-1', request: 'make a key' };

/** `fails`: how many of the next writes of an answer do. */
async function program() {
  const time = { nowMs: Date.UTC(2026, 10, 22) };
  const { store } = await openStore({
    ...{ url: 'sqlite::memory:', encryptionKeys: [], clock: () => time.nowMs },
  });
  onTestFinished(() => store.close());
  const state = { fails: 0, made: 0, warnings: [] as string[] };
  const put: Store['put'] = (...args) => {
    const isAnswer = args[2]?.ifVersion !== undefined;
    if (!isAnswer || state.fails === 0) return store.put(...args);
    state.fails -= 1;
    return Promise.reject(new StoreUnavailable({ cause: 'a test' }));
  };
  const once = createIdempotency({
    store: { ...store, put },
    hash: (text) => createHash('sha256').update(text).digest('base64url'),
    random: (bytes) => smallRandom(bytes).toString('base64url'),
    sleep: () => Promise.resolve(),
    log: { warn: (text: string) => void state.warnings.push(text) },
  });
  const work = (): Promise<Answer> => {
    state.made += 1;
    return Promise.resolve({ status: 201, headers: {}, body: { token: `secret ${state.made}` } });
  };
  return { time, state, ask: async () => (await once(call, work)).body };
}

it('[PL-20] its answer is kept also where the store did not take it at first', async () => {
  const { time, state, ask } = await program();
  state.fails = 1;
  expect(await ask()).toEqual({ token: 'secret 1' });
  time.nowMs += 121_000;
  expect(await ask()).toEqual({ token: 'secret 1' });
  expect(state).toMatchObject({ made: 1, warnings: [] });
});

it('[PL-20] whoever asked has the answer though nobody can keep it; the log says so', async () => {
  const { time, state, ask } = await program();
  state.fails = 2;
  expect(await ask()).toEqual({ token: 'secret 1' });
  expect(state.warnings).toEqual(['an answer is not kept for its Idempotency-Key']);
  await expect(ask()).rejects.toMatchObject({ code: 'conflict' });
  time.nowMs += 121_000;
  expect(await ask()).toEqual({ token: 'secret 2' });
});
