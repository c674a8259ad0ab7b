/** What counts once, or is over soon, is not in a backup: after a restore it would count again. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { type Counts, writeBackup } from '../../src/store/backup.ts';
import { createHandoffs } from '../../src/store/handoffs.ts';
import { nameOf, openRaw } from '../../src/store/raw.ts';
import { kindOf } from '../../src/store/sealed-names.ts';
import { createMailQueue } from '../../src/web/mail-queue.ts';
import { enter, openConsole } from '../support/console.ts';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

it('links, mails, hand-offs and the sessions of operators stay behind', async () => {
  const scene = await openConsole();
  onTestFinished(() => scene.close());
  const { store } = scene.records;
  // An operator is signed in, and a link for another one is on its way.
  await enter(await scene.link(), scene.bed.person());
  await scene.link('viewer');
  await createHandoffs(store, { hash }).add('a code', 'an interaction');
  const mails = createMailQueue({
    // Due in an hour, so that the provider leaves it alone.
    ...{
      store,
      random,
      clock: () => Date.now() + 3_600_000,
      handOver: () => Promise.resolve(false),
    },
    ...{ givenUp: () => undefined, failed: () => undefined },
  });
  await mails.add({ address: 'ana@example.com', locale: 'en' }, { kind: 'erased', atMs: 0 });
  await store.put('address-change:ana', 'another@example.com', { ttlSeconds: 600 });

  const raw = await openRaw(scene.storeUrl, Date.now);
  onTestFinished(() => raw.store.close());
  const entries = await Array.fromAsync(raw.entries());
  const kinds = new Set(entries.map((entry) => kindOf(nameOf(entry))));
  const once = ['operator-link', 'address-change', 'mail', 'mails', 'handoff', 'ticket'];
  const staysBehind = [...once, 'console-session'];
  expect(staysBehind.filter((kind) => !kinds.has(kind))).toEqual([]);
  const counts = await countsOf(entries);
  expect(staysBehind.filter((kind) => kind in counts)).toEqual([]);
  expect(counts['account']).toBeGreaterThan(0);
});

async function countsOf(entries: Parameters<typeof writeBackup>[0]): Promise<Counts> {
  const lines = writeBackup(entries, Date.now());
  for (;;) {
    const next = await lines.next();
    if (next.done) return next.value;
  }
}
