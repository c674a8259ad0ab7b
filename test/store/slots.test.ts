import { describe, expect, it, onTestFinished } from 'vitest';
import { createSlots } from '../../src/store/slots.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const one = { interactionUid: 'uid-1', attemptId: 'attempt-1' };
const other = { interactionUid: 'uid-2', attemptId: 'attempt-2' };
const another = { heldBy: 'another' };

describe.each([
  ['sqlite', () => openSqlite(':memory:', [newKey()])],
  ['redis', async () => openRedis(await freshRedis(), [newKey()])],
])('on %s the slot of an enrolment', (_name, open) => {
  async function twoProcesses() {
    const opened = await open();
    onTestFinished(() => opened.close());
    return {
      slots: createSlots(opened.store),
      elsewhere: createSlots(opened.neighbour),
      pass: (seconds: number) => opened.pass(seconds),
    };
  }

  it('goes to one of 50 who ask at once', async () => {
    const { slots, elsewhere } = await twoProcesses();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, at) => {
        const holder = { interactionUid: `uid-${at}`, attemptId: 'attempt' };
        return (at % 2 === 0 ? slots : elsewhere).take('enrolment', holder, 300);
      }),
    );
    expect(all.filter(({ receipt }) => receipt !== undefined)).toHaveLength(1);
    expect(all.filter((taken) => 'heldBy' in taken)).toHaveLength(49);
  });

  it('is another enrolment’s own', async () => {
    const { slots } = await twoProcesses();
    await slots.take('enrolment-1', one, 300);
    expect((await slots.take('enrolment-2', other, 300)).receipt).toBeDefined();
  });

  it('is known to its holder, who is given no second receipt', async () => {
    const { slots, elsewhere } = await twoProcesses();
    await slots.take('enrolment', one, 300);
    expect(await elsewhere.take('enrolment', one, 300)).toEqual({ heldBy: 'this_attempt' });
    expect(await slots.take('enrolment', other, 300)).toEqual(another);
  });

  it('passes on to the next attempt of the same sign-in, whose receipt alone counts then', async () => {
    const { slots } = await twoProcesses();
    const first = await slots.take('enrolment', one, 300);
    const second = await slots.take('enrolment', { ...one, attemptId: 'attempt-9' }, 300);
    await slots.release('enrolment', first.receipt ?? '');
    expect(await slots.take('enrolment', other, 300)).toEqual(another);
    await slots.release('enrolment', second.receipt ?? '');
    expect((await slots.take('enrolment', other, 300)).receipt).toBeDefined();
  });

  it('does not pass to a sign-in whose name merely begins alike', async () => {
    const { slots } = await twoProcesses();
    await slots.take('enrolment', { ...one, interactionUid: 'uid-10' }, 300);
    expect(await slots.take('enrolment', one, 300)).toEqual(another);
  });

  it('that was given back is taken by one of many', async () => {
    const { slots } = await twoProcesses();
    const { receipt } = await slots.take('enrolment', one, 300);
    await slots.release('enrolment', receipt ?? '');
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        slots.take('enrolment', { interactionUid: `next-${at}`, attemptId: 'a' }, 300),
      ),
    );
    expect(all.filter((taken) => taken.receipt !== undefined)).toHaveLength(1);
  });

  it('is free again when its time is over', async () => {
    const { slots, pass } = await twoProcesses();
    const late = await slots.take('enrolment', one, 1);
    await pass(1.2);
    const next = await slots.take('enrolment', other, 300);
    expect(next.receipt).toBeDefined();
    await slots.release('enrolment', late.receipt ?? '');
    expect(await slots.take('enrolment', one, 300)).toEqual(another);
  });
});
