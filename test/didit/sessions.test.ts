/** What a session at Didit is counted as is taken out of its record once, also where an answer of the store was lost. */
import { expect, it, onTestFinished } from 'vitest';
import { createCountEnd } from '../../src/didit/count-end.ts';
import { createDiditSessions } from '../../src/didit/sessions.ts';
import type { Outcome } from '../../src/domain/budget.ts';
import { createDiditTraces } from '../../src/store/didit-traces.ts';
import type { Metered } from '../../src/store/meter.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const cost: Metered = {
  ...{ client: 'wiki', reason: 'login', check: 'passive' },
  ...{ startedAtMs: noon, units: 1_000 },
};

async function billed() {
  const clock = () => noon;
  const { store: inner } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => inner.close());
  /** Of so many writes the answer is lost; so many do not even arrive. */
  const lost = { answers: 0, writes: 0 };
  const store: Store = {
    ...inner,
    async put(...args) {
      const away = new StoreUnavailable({ cause: 'Command timed out' });
      if (lost.writes-- > 0) throw away;
      const version = await inner.put(...args);
      if (lost.answers-- > 0) throw away;
      return version;
    },
  };
  const counted: Outcome[] = [];
  function createProcess() {
    const sessions = createDiditSessions(store, createDiditTraces(store, clock), 90 * 86_400);
    const spending = { ended: (_: unknown, outcome: Outcome) => void counted.push(outcome) };
    return { sessions, countEnd: createCountEnd({ sessions, spending }) };
  }
  const [one, other] = [createProcess(), createProcess()];
  const of = { interactionUid: 'uid-1', attemptId: 'attempt-1', cost };
  for (const id of ['session-1', 'session-2']) await one.sessions.claim(id, of, 'account-1');
  return { lost, counted, one, other };
}

it('what Didit bills is counted by the next ring where the first one’s write was not answered', async () => {
  const { lost, counted, one, other } = await billed();
  lost.answers = 1;
  await expect(one.countEnd('session-1', 'approved')).rejects.toThrow(StoreUnavailable);
  // Another process cannot know whether it was counted.
  await other.countEnd('session-1', 'approved');
  expect(counted).toEqual([]);
  await Promise.all([1, 2, 3].map(() => one.countEnd('session-1', 'approved')));
  expect(counted).toEqual(['approved']);
  for (const { countEnd } of [one, other]) await countEnd('session-1', 'approved');
  expect(counted).toEqual(['approved']);
});

it('what did not even arrive at the store is counted by whoever rings next', async () => {
  const { lost, counted, one, other } = await billed();
  lost.writes = 1;
  await expect(one.countEnd('session-1', 'approved')).rejects.toThrow(StoreUnavailable);
  await other.countEnd('session-1', 'approved');
  for (const { countEnd } of [one, other]) await countEnd('session-1', 'approved');
  expect(counted).toEqual(['approved']);
});

it('of many rings at once, some of which are not answered, one is counted', async () => {
  const { lost, counted, one } = await billed();
  lost.answers = 2;
  const ring = () => one.countEnd('session-1', 'approved').catch(() => undefined);
  await Promise.all(Array.from({ length: 10 }, ring));
  await ring();
  await ring();
  expect(counted).toEqual(['approved']);
});

it('an end that was not answered is told to nobody who asks for another session', async () => {
  const { lost, counted, one } = await billed();
  await one.countEnd('session-2', 'declined');
  lost.answers = 1;
  await expect(one.countEnd('session-1', 'approved')).rejects.toThrow(StoreUnavailable);
  await one.countEnd('session-2', 'declined');
  expect(counted).toEqual(['declined']);
});
