/** Where the chain ends, when the record that says so is gone, is an old one, or says something else. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuditBlocks } from '../../src/store/audit-blocks.ts';
import { sealStore } from '../../src/store/sealed.ts';
import { createSqliteStore } from '../../src/store/sqlite.ts';
import { begin, completed, day, hash } from './audit-log.ts';
import { newKey } from './stores.ts';

const keptSeconds = 30 * 86_400;

type Log = Awaited<ReturnType<typeof begin>>;

/** Blocks a day apart, so that most of them have had their time; the process that wrote them is gone. */
async function longAgo(count = 40) {
  const log = await begin({ keptSeconds });
  const own = log.another();
  for (let number = 0; number < count; number += 1) {
    log.time.nowMs += day;
    own.record(completed({ atMs: log.time.nowMs }));
    await own.flush();
  }
  return log;
}

/** By a process that has just started. */
async function writeOne({ another, time }: Log): Promise<void> {
  const audit = another();
  time.nowMs += day;
  audit.record(completed({ atMs: time.nowMs, reason: 'the latest' }));
  await audit.flush();
}

describe('[PL-26] the head', () => {
  it('that is taken away hides nothing: the log goes on where it was', async () => {
    const log = await longAgo();
    await log.store.delete('audit-head');
    expect(await log.another().verify()).toMatchObject({ ok: false, blocks: 31, lastSeq: 40 });
    expect((await log.another().page({ limit: 1 })).entries).toMatchObject([{ seq: 40 }]);
    await writeOne(log);
    expect(await log.read(41)).toMatchObject({ prev: { hash: (await log.read(40)).hash } });
    expect(await log.another().verify()).toMatchObject({ ok: true, blocks: 31, lastSeq: 41 });
  });

  it('that is taken away hides nothing either where more have had their time than anybody looks ahead', async () => {
    const log = await begin({ keptSeconds });
    await log.fill(1_100);
    log.time.nowMs += 20 * day;
    await log.fill(50);
    log.time.nowMs += 15 * day;
    await log.store.delete('audit-head');
    await writeOne(log);
    const report = await log.another().verify();
    expect(report).toMatchObject({ ok: true, blocks: 51, firstSeq: 1_101, lastSeq: 1_151 });
  });

  it('that is put back after its block had its time is not believed, and is named', async () => {
    const log = await begin({ keptSeconds });
    await log.fill(3);
    await log.audit.close();
    const before = (await log.store.get('audit-head'))!.value;
    for (const count of [3, 30]) {
      log.time.nowMs += 12 * day;
      await log.fill(count);
    }
    log.time.nowMs += 20 * day;
    await log.store.put('audit-head', before);
    expect(await log.problems()).toEqual([
      expect.stringContaining('nothing leads from block 3 of the head (audit-head) to block 7'),
    ]);
    await writeOne(log);
    expect(await log.read(37)).toMatchObject({ events: [{ reason: 'the latest' }] });
    expect(await log.problems()).toEqual([]);
  });

  it('whose block was taken out leaves its number empty, so that it is missed', async () => {
    const log = await begin();
    await log.fill(9);
    await log.audit.close();
    await log.store.delete('audit:9');
    await writeOne(log);
    expect(await log.problems()).toEqual([
      expect.stringContaining('block 9 is missing, and 9 was to be kept until'),
    ]);
  });

  it.each([['no head'], ['null'], ['{"seq":"1"}'], ['{"seq":-1}']])(
    'that says %s is none',
    async (text) => {
      const log = await longAgo();
      await log.store.put('audit-head', text);
      await writeOne(log);
      expect(await log.another().verify()).toMatchObject({ ok: true, lastSeq: 41 });
    },
  );

  it('of a log that was begun anew below the one that is there is named', async () => {
    const log = await longAgo();
    const { atMs, keptUntilMs } = await log.read(40);
    await log.store.put('audit-head', JSON.stringify({ seq: 2, hash: 'x', atMs, keptUntilMs }));
    expect(await log.problems()).toEqual([
      expect.stringContaining('nothing leads from block 2 of the head (audit-head) to block 10'),
    ]);
  });

  it('is not taken back by whoever comes late', async () => {
    const { store, clock, read, fill } = await begin();
    await fill(3);
    const blocks = createAuditBlocks(store, { clock, hash, keptSeconds });
    await blocks.writeHead(await read(3));
    await blocks.writeHead(await read(2));
    expect(await blocks.head()).toMatchObject({ seq: 3 });
  });
});

it('[PL-26] what somebody without the keys throws among the blocks hides none, with the head taken away', async () => {
  const { clock, another, time } = await begin();
  const inner = createSqliteStore({ file: ':memory:', clock });
  onTestFinished(() => inner.close());
  const store = await sealStore(inner, [newKey()]);
  const write = async (): Promise<void> => {
    const audit = another(store, { keptSeconds });
    time.nowMs += day;
    audit.record(completed({ atMs: time.nowMs }));
    await audit.flush();
  };
  for (let number = 0; number < 40; number += 1) await write();
  for (const name of ['audit:', 'audit:0', 'audit:zzz']) await inner.put(name, 'no block');
  await store.delete('audit-head');
  await write();
  const report = await another(store).verify();
  expect(report).toMatchObject({ ok: true, blocks: 31, firstSeq: 11, lastSeq: 41 });
});
