/** The chain as it lies in a store, and what it takes to notice that somebody with its keys was there. */
import { describe, expect, it, vi } from 'vitest';
import { type AuditBlock, canonicalJson } from '../../src/domain/audit.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { begin, completed, day, hash, minute } from './audit-log.ts';

function rehashed({ hash: _, ...block }: AuditBlock): AuditBlock {
  return { ...block, hash: hash(canonicalJson(block)) };
}

describe('what is recorded', () => {
  it('is written in the order in which it came, sealed, and found with its place', async () => {
    const { audit, store, time } = await begin();
    const names = ['login.started', 'login.decided', 'login.completed'] as const;
    for (const event of names) audit.record({ event, atMs: time.nowMs, reference: 'ABCD-EFGH' });
    await audit.flush();
    expect(await Array.fromAsync(audit.entries())).toEqual(
      names.map((event, at) => ({
        ...{ event, atMs: time.nowMs, reference: 'ABCD-EFGH', seq: 1, at },
      })),
    );
    expect(await store.get('audit:1')).toBeDefined();
    expect(await store.get('audit:2')).toBeUndefined();
  });

  it('is written at once where it is decisive, and with it what waited for company', async () => {
    const { audit, store, time } = await begin();
    audit.record({ event: 'login.started', atMs: time.nowMs });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await store.get('audit:1')).toBeUndefined();
    audit.record({ event: 'login.denied', atMs: time.nowMs });
    await soon(async () => expect(await store.get('audit:1')).toBeDefined());
    expect((await Array.fromAsync(audit.entries())).map(({ event }) => event)).toEqual([
      ...['login.started', 'login.denied'],
    ]);
  });

  it('fills a block without waiting, and is written when the process ends', async () => {
    const { audit, store, time } = await begin();
    for (let number = 0; number < 70; number += 1) {
      audit.record({ event: 'login.started', atMs: time.nowMs, attempt: String(number) });
    }
    await soon(async () => expect(await store.get('audit:2')).toBeDefined());
    audit.record({ event: 'mail.sent', atMs: time.nowMs });
    await audit.close();
    const entries = await Array.fromAsync(audit.entries());
    expect(entries.map(({ seq, at }) => [seq, at]).slice(62, 66)).toEqual([
      ...[
        [1, 62],
        [1, 63],
        [2, 0],
        [2, 1],
      ],
    ]);
    expect(entries).toHaveLength(71);
    expect(JSON.parse((await store.get('audit-head'))!.value)).toMatchObject({ seq: 3 });
  });

  it('waits for a store that is away, and is written once, also where nobody said that it was', async () => {
    const { another, store, failures, time } = await begin();
    let away: 'before' | 'after' | undefined = 'before';
    const put: Store['put'] = async (...args) => {
      if (away === 'before') throw new StoreUnavailable({ cause: 'a test' });
      const version = await store.put(...args);
      if (away === 'after') throw new StoreUnavailable({ cause: 'a test' });
      return version;
    };
    const audit = another({ ...store, put });
    audit.record(completed({ atMs: time.nowMs }));
    await expect(audit.flush()).rejects.toThrow(StoreUnavailable);
    away = 'after';
    audit.record(completed({ atMs: time.nowMs, reason: 'the second' }));
    await expect(audit.flush()).rejects.toThrow(StoreUnavailable);
    away = undefined;
    await audit.flush();
    expect((await Array.fromAsync(audit.entries())).map(({ reason }) => reason)).toEqual([
      ...[undefined, 'the second'],
    ]);
    expect(await audit.verify()).toMatchObject({ ok: true, entries: 2 });
    expect(failures).toHaveLength(2);
  });

  it('is tried again by itself, also where it was somebody else who wanted it written', async () => {
    const { another, store, time } = await begin();
    let isAway = true;
    const put: Store['put'] = (...args) =>
      isAway ? Promise.reject(new StoreUnavailable({ cause: 'a test' })) : store.put(...args);
    const audit = another({ ...store, put });
    audit.record(completed({ atMs: time.nowMs }));
    await expect(audit.flush()).rejects.toThrow(StoreUnavailable);
    isAway = false;
    await vi.waitFor(() => expect(audit.waiting()).toBe(0), { timeout: 5_000 });
  });

  it('goes after its time, which leaves the rest whole; who shortens it shortens nothing that is there', async () => {
    const { time, fill, another, problems, audit } = await begin({ keptSeconds: 10 * 86_400 });
    await fill(3);
    time.nowMs += 6 * day;
    await fill(3);
    time.nowMs += 5 * day;
    expect(await problems()).toEqual([]);
    expect(await another().verify()).toMatchObject({ blocks: 3, firstSeq: 4, lastSeq: 6 });
    expect(await Array.fromAsync(audit.entries())).toHaveLength(3);
    const shorter = another(undefined, { keptSeconds: 3_600 });
    shorter.record(completed({ atMs: time.nowMs }));
    await shorter.flush();
    time.nowMs += day;
    expect(await another().verify()).toMatchObject({ ok: true, blocks: 4, lastSeq: 7 });
    time.nowMs += 20 * day;
    expect(await another().verify()).toMatchObject({ ok: true, blocks: 0, entries: 0 });
  });
});

describe('it is searched', () => {
  const of = (attempt: number): Partial<AuditEvent> => ({
    ...{ attempt: `attempt-${attempt}`, reference: `REF-${attempt}` },
    ...{ account: `account-${attempt % 3}`, client: attempt % 10 === 0 ? 'rare' : 'first' },
  });
  const attemptsOf = (entries: readonly AuditEvent[]) => entries.map(({ attempt }) => attempt);

  it('by account, client, event and time, the newest first, page by page', async () => {
    const { fill, audit, time } = await begin();
    const beganAtMs = time.nowMs;
    for (let attempt = 1; attempt <= 30; attempt += 1) await fill(1, of(attempt));
    audit.record({ event: 'factor.refused', atMs: time.nowMs, claimed: 'account-1' });
    await audit.flush();

    expect(attemptsOf((await audit.page({ limit: 3 })).entries)).toEqual([
      ...[undefined, 'attempt-30', 'attempt-29'],
    ]);
    const first = await audit.page({ account: 'account-1', limit: 4 });
    expect(first.entries[0]).toMatchObject({ event: 'factor.refused', claimed: 'account-1' });
    expect(attemptsOf(first.entries).slice(1)).toEqual(['attempt-28', 'attempt-25', 'attempt-22']);
    const second = await audit.page({ account: 'account-1', limit: 4, cursor: first.next! });
    expect(attemptsOf(second.entries)).toEqual([
      ...['attempt-19', 'attempt-16', 'attempt-13', 'attempt-10'],
    ]);
    const rare = await audit.page({ client: 'rare' });
    expect(attemptsOf(rare.entries)).toEqual(['attempt-30', 'attempt-20', 'attempt-10']);
    expect(rare.next).toBeUndefined();
    expect((await audit.page({ event: 'factor' })).entries).toHaveLength(1);
    expect((await audit.page({ event: 'fact' })).entries).toEqual([]);
    const [sinceMs, untilMs] = [beganAtMs + 5 * minute, beganAtMs + 7 * minute];
    const between = await audit.page({ sinceMs, untilMs });
    expect(attemptsOf(between.entries)).toEqual(['attempt-7', 'attempt-6', 'attempt-5']);
    expect(attemptsOf(await Array.fromAsync(audit.entries(sinceMs, untilMs)))).toEqual([
      ...['attempt-5', 'attempt-6', 'attempt-7'],
    ]);
    await expect(audit.page({ cursor: 'one; drop' })).rejects.toThrow(RangeError);
  });

  it('by reference, with what became of its account later', async () => {
    const { fill, audit, time, explanations } = await begin();
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      await explanations.add({
        ...{ schema: 1, reference: `REF-${attempt}`, attempt: `attempt-${attempt}` },
        ...{ client: { id: 'first', name: 'First' }, kind: 'login', outcome: 'signed_in' },
        ...{ beganAtMs: time.nowMs, steps: [{ step: 'ended', afterMs: minute }], selfies: 1 },
      });
      await fill(1, of(attempt));
    }
    time.nowMs += 30 * day;
    await fill(1, { ...of(4), event: 'login.withdrawn' });
    await fill(1, { account: 'account-1', reference: 'another' });
    const { entries } = await audit.page({ reference: 'REF-4' });
    expect(entries.map(({ event, seq }) => [event, seq])).toEqual([
      ...[
        ['login.withdrawn', 10],
        ['login.completed', 4],
      ],
    ]);
    // Under way, so that nobody has explained it yet.
    audit.record({ event: 'login.started', atMs: time.nowMs, reference: 'REF-NEW' });
    await audit.flush();
    expect((await audit.page({ reference: 'REF-NEW' })).entries).toHaveLength(1);
    expect((await audit.page({ reference: 'REF-OLD' })).entries).toEqual([]);
  });

  it('by account among what is kept longer, since the period was shortened later', async () => {
    const { fill, another, time } = await begin();
    await fill(3, of(1));
    const shorter = another(undefined, { keptSeconds: 30 * 86_400 });
    time.nowMs += 200 * day;
    shorter.record(completed({ atMs: time.nowMs, ...of(1) }));
    await shorter.flush();
    expect((await shorter.page({ account: 'account-1' })).entries).toHaveLength(4);
    time.nowMs += 199 * day;
    expect((await shorter.page({ account: 'account-1' })).entries).toHaveLength(4);
  });

  it('by account also where the process died over its block', async () => {
    const { fill, another, store, time } = await begin();
    let isDead = false;
    const dying: Store = {
      ...store,
      async put(...args) {
        if (isDead) throw new StoreUnavailable({ cause: 'a test' });
        const version = await store.put(...args);
        isDead = true;
        return version;
      },
      async indexAdd(...args) {
        if (isDead) throw new StoreUnavailable({ cause: 'a test' });
        await store.indexAdd(...args);
      },
    };
    const died = another(dying);
    died.record(completed({ atMs: time.nowMs, ...of(1) }));
    await died.flush().catch(() => undefined);
    expect(isDead).toBe(true);
    await fill(1, of(1));
    const { entries } = await another().page({ account: 'account-1' });
    expect(entries.map(({ seq }) => seq)).toEqual([2, 1]);
  });

  it('so many blocks a page, whatever they have', async () => {
    const { fill, audit } = await begin();
    await fill(1, { client: 'rare' });
    await fill(300);
    const first = await audit.page({ client: 'rare' });
    expect(first).toEqual({ entries: [], next: expect.stringMatching(/^\d+\.0$/) as string });
    const second = await audit.page({ client: 'rare', cursor: first.next! });
    expect(second.entries).toMatchObject([{ client: 'rare', seq: 1 }]);
  });

  it('also where something was taken out, and what was written late by the time of the writing', async () => {
    const { fill, audit, store, time } = await begin();
    await fill(40);
    for (const seq of [10, 11, 12, 20, 21]) await store.delete(`audit:${seq}`);
    expect((await audit.page({ limit: 100 })).entries).toHaveLength(35);
    const sinceMs = time.nowMs - 25 * minute;
    expect((await Array.fromAsync(audit.entries(sinceMs))).map(({ seq }) => seq).at(0)).toBe(15);
    time.nowMs += 60 * minute;
    audit.record(completed({ atMs: time.nowMs - 30 * minute, reason: 'late' }));
    await audit.flush();
    const found = await audit.page({ sinceMs: time.nowMs - 5 * minute });
    expect(found.entries).toMatchObject([{ reason: 'late' }]);
  });
});

describe('[PL-26] several processes', () => {
  it('write one chain, and nothing of it is lost', async () => {
    const { open, another, time } = await begin({ url: await freshRedis() });
    const writers = await Promise.all(Array.from({ length: 4 }, async () => another(await open())));
    const [rounds, each] = [25, 3];
    await Promise.all(
      writers.map(async (writer, name) => {
        for (let round = 0; round < rounds; round += 1) {
          for (let number = 0; number < each; number += 1) {
            const attempt = `${name}-${round}-${number}`;
            writer.record(completed({ atMs: time.nowMs, attempt }));
          }
          await writer.flush();
        }
      }),
    );
    const entries = await Array.fromAsync(writers[0]!.entries());
    const attempts = entries.map(({ attempt }) => attempt);
    expect(new Set(attempts).size).toBe(4 * rounds * each);
    expect(attempts).toHaveLength(4 * rounds * each);
    // Of each in its own order.
    const first = attempts.filter((attempt) => attempt?.startsWith('0-'));
    expect(first.at(0)).toBe('0-0-0');
    expect(first.at(-1)).toBe(`0-${rounds - 1}-${each - 1}`);
    await Promise.all(writers.map((writer) => writer.close()));
    const report = await another().verify();
    expect(report).toMatchObject({ ok: true, blocks: 4 * rounds, lastSeq: 4 * rounds });
  }, 30_000);
});

describe('[EN-10] [PL-26] whoever has the keys of the store cannot, unnoticed,', () => {
  for (const [which, seq, said] of [
    ['the first', 1, /^block 1 is missing, and 1 was to be kept until 2027-12-27T/],
    ['one in the middle', 5, /^block 5 is missing, and 5 was to be kept until 2027-12-27T/],
    ['the last', 9, /^block 9 is missing$/],
  ] as const) {
    it(`delete ${which}`, async () => {
      const { fill, store, problems, audit } = await begin();
      await fill(9);
      await audit.close();
      expect(await problems()).toEqual([]);
      await store.delete(`audit:${seq}`);
      expect(await problems()).toEqual([expect.stringMatching(said)]);
    });
  }

  it('delete several, or the last ones while others are still being written', async () => {
    const { fill, store, problems } = await begin();
    await fill(9);
    for (const seq of [3, 4, 5, 8, 9]) await store.delete(`audit:${seq}`);
    await fill(1);
    expect(await problems()).toEqual([
      expect.stringContaining('blocks 3 to 5 are missing, and 5 was to be kept until'),
      expect.stringContaining('blocks 8 to 9 are missing, and 9 was to be kept until'),
    ]);
  });

  it('change one, with or without making its hash fit', async () => {
    const { fill, read, write, problems, audit } = await begin();
    await fill(9);
    await audit.close();
    const [block, last] = [await read(5), await read(9)];
    const changed = { ...block, events: [completed({ atMs: 1, account: 'somebody else' })] };
    await write(5, changed);
    expect(await problems()).toEqual(['block 5 was altered: its hash is another']);
    await write(5, rehashed(changed));
    expect(await problems()).toEqual(['block 5 is not the one that block 6 follows']);
    await write(5, block);
    expect(await problems()).toEqual([]);
    await write(9, rehashed({ ...last, events: [] }));
    expect(await problems()).toEqual([
      'block 9 is not the one that was noted as the last (audit-head)',
    ]);
  });

  it('swap two, or put something else in the place of one', async () => {
    const { fill, read, write, problems, store, audit, time } = await begin();
    await fill(9);
    await audit.close();
    const [fourth, fifth] = [await read(4), await read(5)];
    await write(4, fifth);
    await write(5, fourth);
    expect(await problems()).toEqual(
      [
        ...[
          'block 3 is not the one that block 4 follows',
          'block 4 is not the one that block 5 follows',
        ],
        ...[
          'block 4 has the number 5: it was moved',
          'block 5 is not the one that block 6 follows',
        ],
        'block 5 has the number 4: it was moved',
      ].sort(bySeq),
    );
    await store.put('audit:4', 'no block');
    expect(await problems()).toContain(
      'block 4 cannot be read: it was not written by this program with these keys',
    );
    // And the log goes on.
    audit.record(completed({ atMs: time.nowMs }));
    await audit.flush();
    expect((await audit.page({ limit: 1 })).entries).toMatchObject([{ seq: 10 }]);
  });

  it('put the head back, or take it away', async () => {
    const { fill, store, problems, audit } = await begin();
    await fill(3);
    const before = (await store.get('audit-head'))!.value;
    await fill(20);
    await audit.close();
    expect(await problems()).toEqual([]);
    await store.put('audit-head', before);
    expect(await problems()).toEqual([
      'block 4 and later ones are not known to the head: an earlier one was put back',
    ]);
    await store.delete('audit-head');
    expect(await problems()).toEqual([
      'nobody noted where the chain ends (audit-head): it was taken away',
    ]);
  });

  it('write the whole end anew, for whoever noted an anchor', async () => {
    const { fill, store, read, write, problems, audit } = await begin();
    await fill(9);
    await audit.close();
    const anchor = { seq: 7, hash: (await read(7)).hash };
    expect(await problems(anchor)).toEqual([]);
    let { prev } = await read(5);
    for (let seq = 5; seq <= 9; seq += 1) {
      const made = rehashed({ ...(await read(seq)), prev, events: [] });
      await write(seq, made);
      prev = { hash: made.hash, atMs: made.atMs, keptUntilMs: made.keptUntilMs };
    }
    await store.put('audit-head', JSON.stringify({ seq: 9, ...prev }));
    expect(await problems()).toEqual([]);
    expect(await problems(anchor)).toEqual(['block 7 is not the one of the anchor']);
    const sixth = (await read(7)).prev;
    for (const seq of [7, 8, 9]) await store.delete(`audit:${seq}`);
    await store.put('audit-head', JSON.stringify({ seq: 6, ...sixth }));
    expect(await problems()).toEqual([]);
    expect(await problems(anchor)).toContain('block 7 of the anchor is not there');
  });
});

const bySeq = (one: string, other: string): number => seqIn(one) - seqIn(other);
const seqIn = (problem: string): number => Number(/\d+/.exec(problem)?.[0]);

describe('[PL-26] what the alarm hangs on', () => {
  const wrong = { seq: 2, hash: 'A'.repeat(43) };

  it('is not touched by the check of whoever brings an anchor of their own', async () => {
    const { another, fill } = await begin();
    await fill(3);
    expect((await another().check(wrong)).ok).toBe(false);
    expect(await another().lastVerified()).toBeUndefined();
    await another().verify();
    expect((await another().check(wrong)).ok).toBe(false);
    expect(await another().lastVerified()).toMatchObject({ ok: true });
  });

  it('is not calmed by a check that cannot see what an anchor of the house has shown', async () => {
    const { another, fill, read, time } = await begin();
    await fill(3);
    expect((await another().verify(wrong)).ok).toBe(false);
    for (let times = 0; times < 2; times += 1) {
      time.nowMs += 60_000;
      expect((await another().verify()).ok).toBe(true);
      expect(await another().lastVerified()).toMatchObject({ ok: false, atMs: time.nowMs });
    }
    await another().verify({ seq: 2, hash: (await read(2)).hash });
    expect(await another().lastVerified()).toMatchObject({ ok: true });
  });

  it('is calm again when what any check sees is gone', async () => {
    const { another, fill, read, write } = await begin();
    await fill(3);
    const second = await read(2);
    await write(2, { ...second, events: [] });
    await another().verify();
    expect(await another().lastVerified()).toMatchObject({ ok: false });
    await write(2, second);
    await another().verify();
    expect(await another().lastVerified()).toMatchObject({ ok: true });
  });
});

it('what a check found is told also where it cannot be written down, and the last that was stays', async () => {
  const { store, another, fill, failures, time } = await begin();
  await fill(3);
  const whole = await another().verify();
  const lastAtMs = time.nowMs;
  time.nowMs += 60_000;
  const full: Store = {
    ...store,
    put: (key, ...rest) =>
      key === 'audit-verified' ? Promise.reject(new Error('full')) : store.put(key, ...rest),
  };
  expect(await another(full).verify()).toEqual(whole);
  expect(failures.map(String)).toEqual(['Error: full']);
  expect(await another().lastVerified()).toMatchObject({ ok: true, atMs: lastAtMs });
});
