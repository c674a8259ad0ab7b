import { describe, expect, it, onTestFinished } from 'vitest';
import type { Holder } from '../../src/domain/turn.ts';
import { createTurns } from '../../src/store/turns.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const startMs = Date.UTC(2026, 10, 24, 9);
const holder = (at: number | string, fields: Partial<Holder> = {}): Holder => ({
  ...{ interactionUid: `uid-${at}`, attemptId: `attempt-${at}`, device: `device-${at}` },
  ...{ deviceClass: 'unknown', untilMs: startMs + 300_000 },
  ...fields,
});

describe.each([
  ['sqlite', () => openSqlite(':memory:', [newKey()])],
  ['redis', async () => openRedis(await freshRedis(), [newKey()])],
])('on %s the turn of an enrolment', (_name, open) => {
  async function twoProcesses() {
    const opened = await open();
    onTestFinished(() => opened.close());
    const now = { ms: startMs };
    const [turns, elsewhere] = [opened.store, opened.neighbour].map((store) =>
      createTurns(store, () => now.ms),
    );
    return { turns: turns!, elsewhere: elsewhere!, now };
  }

  it('goes to one of 20 who ask at once', async () => {
    const { turns, elsewhere } = await twoProcesses();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? turns : elsewhere).take('enrolment', holder(at)),
      ),
    );
    expect(all.filter(({ turn }) => turn !== undefined)).toHaveLength(1);
    expect(all.filter((taken) => 'refused' in taken && taken.refused === 'held')).toHaveLength(19);
  });

  it('is another enrolment’s own', async () => {
    const { turns } = await twoProcesses();
    await turns.take('enrolment-1', holder(1));
    expect((await turns.take('enrolment-2', holder(2))).turn).toBeDefined();
  });

  it('is known to its holder in every process, and given back for the next', async () => {
    const { turns, elsewhere } = await twoProcesses();
    await turns.take('enrolment', holder(1));
    expect(await elsewhere.take('enrolment', holder(1))).toEqual({ refused: 'held', isMine: true });
    await elsewhere.end('enrolment', holder(1), 'left');
    expect((await turns.take('enrolment', holder(2))).turn).toBeDefined();
  });

  it('is free again when its time is over, and a late end does not touch the next', async () => {
    const { turns, now } = await twoProcesses();
    await turns.take('enrolment', holder(1));
    now.ms += 300_000;
    await turns.take('enrolment', holder(2, { untilMs: now.ms + 300_000 }));
    await turns.end('enrolment', holder(1), 'answered');
    expect(await turns.take('enrolment', holder(3))).toEqual({ refused: 'held' });
  });

  it('[AB-05] remembers failures, however many processes see them, until another factor is used', async () => {
    const { turns, elsewhere, now } = await twoProcesses();
    for (let at = 0; at < 5; at += 1) {
      await turns.take('enrolment', holder(at));
      await elsewhere.end('enrolment', holder(at), 'declined');
    }
    expect(await turns.take('enrolment', holder(9))).toEqual({ refused: 'throttled' });
    await elsewhere.reopen('enrolment');
    expect((await turns.take('enrolment', holder(9))).turn).toBeDefined();
    expect(now.ms).toBe(startMs);
  });
});
