import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Attempt, newAttempt } from '../../src/domain/attempt.ts';
import { AttemptGone, createAttempts } from '../../src/store/attempts.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const startMs = Date.UTC(2026, 10, 22);
let nowMs = startMs;
beforeEach(() => {
  nowMs = startMs;
});

const uid = 'uid-1';
const attempt = (id = 'attempt-1'): Attempt =>
  newAttempt({
    ...{ id, kind: 'login', interactionUid: uid, reference: 'ABCD-EFGH' },
    client: { id: 'first', name: 'First', host: 'first.example' },
    request: { loginHint: undefined, uiLocales: undefined },
    ...{ createdAtMs: startMs, expiresAtMs: startMs + 900_000 },
  });
const of = { interactionUid: uid, id: 'attempt-1' };
const identified = (name: string) =>
  ({ type: 'identified', identity: { identifier: name, accountId: undefined } }) as const;

async function open() {
  const opened = await openSqlite(':memory:', [newKey()]);
  onTestFinished(() => opened.close());
  const { store } = opened;
  const attempts = createAttempts(store, () => nowMs);
  async function later(seconds: number): Promise<void> {
    nowMs += seconds * 1000;
    await opened.pass(seconds);
  }
  return { store, attempts, later };
}

describe('starting', () => {
  it('an interaction twice leaves one attempt, which both are given', async () => {
    const { attempts } = await open();
    const names = ['a', 'b', 'c', 'd'];
    const started = await Promise.all(names.map((id) => attempts.start(attempt(id))));
    expect(new Set(started.map(({ id }) => id)).size).toBe(1);
    expect((await attempts.load(uid))?.attempt).toEqual(JSON.parse(JSON.stringify(started[0])));
  });

  it('what nobody started is not there', async () => {
    const { attempts } = await open();
    expect(await attempts.load(uid)).toBeUndefined();
    await expect(
      attempts.propose(of, { type: 'finished', account: undefined }),
    ).rejects.toBeInstanceOf(AttemptGone);
  });
});

describe('an event', () => {
  it('of many at once is taken once, and who was too late is told', async () => {
    const opened = await openRedis(await freshRedis(), [newKey()]);
    onTestFinished(() => opened.close());
    const processes = [opened.store, opened.neighbour].map((one) =>
      createAttempts(one, () => nowMs),
    );
    await processes[0]!.start(attempt());
    const proposed = await Promise.all(
      Array.from({ length: 20 }, (_, at) => processes[at % 2]!.propose(of, identified(`p-${at}`))),
    );
    const taken = proposed.filter(({ changed }) => changed);
    expect(taken).toHaveLength(1);
    expect(proposed.filter(({ refused }) => refused === 'out_of_order')).toHaveLength(19);
    const saved = await processes[1]!.load(uid);
    expect(saved?.attempt).toEqual(JSON.parse(JSON.stringify(taken[0]?.attempt)));
  });

  it('that changes nothing writes nothing', async () => {
    const { attempts } = await open();
    await attempts.start(attempt());
    const before = await attempts.load(uid);
    const refused = await attempts.propose(of, { type: 'finished', account: undefined });
    expect(refused).toMatchObject({ refused: 'not_ready', changed: false });
    expect((await attempts.load(uid))?.stored.version).toBe(before?.stored.version);
  });

  it('about an attempt that another one has replaced is refused', async () => {
    const { attempts } = await open();
    await attempts.start(attempt());
    const old = await attempts.load(uid);
    expect(await attempts.replace(old!, attempt('attempt-2'))).toBe(true);
    const late = await attempts.propose(of, { type: 'gave_up', reason: 'cancelled' }, old);
    expect(late).toMatchObject({ refused: 'over', changed: false });
    expect((await attempts.load(uid))?.attempt).toMatchObject({ id: 'attempt-2', phase: 'new' });
  });

  it('that rests on an old reading looks again before it writes', async () => {
    const { attempts } = await open();
    await attempts.start(attempt());
    const old = await attempts.load(uid);
    await attempts.propose(of, identified('ana'));
    expect(await attempts.propose(of, identified('ben'), old)).toMatchObject({
      refused: 'out_of_order',
      attempt: { identity: { identifier: 'ana' } },
    });
  });

  it('that comes when the time is over ends the attempt', async () => {
    const { attempts, later } = await open();
    await attempts.start(attempt());
    await later(900);
    expect(await attempts.propose(of, identified('ana'))).toMatchObject({ refused: 'over' });
    expect((await attempts.load(uid))?.attempt.phase).toBe('expired');
  });
});

describe('replacing', () => {
  it('an attempt at the same time succeeds once', async () => {
    const { attempts } = await open();
    await attempts.start(attempt());
    const old = await attempts.load(uid);
    const names = ['b', 'c', 'd'];
    const replaced = await Promise.all(names.map((id) => attempts.replace(old!, attempt(id))));
    expect(replaced.filter(Boolean)).toHaveLength(1);
  });
});

it('an attempt is readable for a quarter of an hour after its end, and then gone', async () => {
  const { attempts, later } = await open();
  await attempts.start(attempt());
  await later(900 + 899);
  expect(await attempts.load(uid)).toBeDefined();
  await later(2);
  expect(await attempts.load(uid)).toBeUndefined();
});

it('an attempt of a newer release is not guessed at', async () => {
  const { store, attempts } = await open();
  await store.put(`attempt:${uid}`, JSON.stringify({ ...attempt(), schema: 2 }));
  await expect(attempts.load(uid)).rejects.toThrow('unknown schema');
});
