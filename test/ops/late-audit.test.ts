/** What operators do while the audit log cannot be written. */
import { createHash } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import { createPerform } from '../../src/ops/acts/perform.ts';
import type { ActTools } from '../../src/ops/acts/tools.ts';
import { createApiKeys } from '../../src/store/api-keys.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createExplanations } from '../../src/store/explanations.ts';
import { openStore } from '../../src/store/open.ts';
import { smallRandom } from '../../src/store/random.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

let latestMs = 0;
/** Never the same twice, so that what was made first is first. */
const clock = (): number => (latestMs = Math.max(latestMs + 1, Date.now()));
const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
const ann: Actor = { kind: 'command', name: 'ann', role: 'admin' };

/** Everything is written but the audit log, as long as it is away. */
async function house() {
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const log = { isAway: false };
  const put: Store['put'] = (key, ...rest) =>
    log.isAway && key.startsWith('audit:')
      ? Promise.reject(new StoreUnavailable({ cause: 'a test' }))
      : store.put(key, ...rest);
  const failures: unknown[] = [];
  const left: string[] = [];
  const audit = createAudit(
    { ...store, put },
    {
      ...{ clock, hash, keptSeconds: 86_400, explanations: createExplanations(store, clock) },
      failed: (error) => void failures.push(error),
      left: (events) => void left.push(...events.map(({ act = '' }) => act)),
    },
  );
  onTestFinished(() => audit.close());
  const apiKeys = createApiKeys(store, { clock, random, hash });
  const tools = { clock, random, apiKeys, environment: 'sandbox', record: audit.record };
  const perform = createPerform({ ...tools, flushAudit: audit.flush } as unknown as ActTools);
  return {
    ...{ log, failures, left, apiKeys, end: audit.close },
    makeKey: (name: string) =>
      perform(actNamed('api-keys.add'), { body: { name, scopes: ['clients:read'] } }, ann),
    names: async () => (await apiKeys.page({ limit: 10 }))?.keys.map(({ name }) => name),
    entries: async () => (await audit.page({ limit: 10 })).entries,
  };
}

it('[PL-26] a secret is shown although the entry is late, and the entry says that it was done', async () => {
  const { log, failures, apiKeys, makeKey, entries } = await house();
  log.isAway = true;
  const { id, token } = await makeKey('nightly');
  expect(await apiKeys.check(String(token))).toMatchObject({ name: 'nightly' });
  expect(failures).not.toEqual([]);
  expect(await entries()).toEqual([]);
  log.isAway = false;
  await vi.waitFor(async () => expect(await entries()).toHaveLength(1), { timeout: 5_000 });
  const [entry] = await entries();
  expect(entry).toMatchObject({ event: 'operator.acted', act: 'api-keys.add', object: id });
  expect(entry).not.toHaveProperty('reason');
});

it('[PL-26] nothing more is done until it is written', async () => {
  const { log, makeKey, names, entries } = await house();
  log.isAway = true;
  await makeKey('first');
  await expect(makeKey('second')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await names()).toEqual(['first']);
  log.isAway = false;
  await makeKey('second');
  expect(await names()).toEqual(['first', 'second']);
  expect(await entries()).toHaveLength(2);
});

it('[PL-26] what the store does not take to the last is told when the process ends', async () => {
  const { log, left, makeKey, end } = await house();
  log.isAway = true;
  await makeKey('nightly');
  await end();
  expect(left).toEqual(['api-keys.add']);
});

it('[PL-26] a store that is back in time gets it, and nothing is left', async () => {
  const { log, left, makeKey, entries, end } = await house();
  log.isAway = true;
  await makeKey('nightly');
  setTimeout(() => (log.isAway = false), 500);
  await end();
  expect(left).toEqual([]);
  expect(await entries()).toHaveLength(1);
});
