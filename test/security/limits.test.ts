/** How much anybody may ask of us, tried on real databases. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { limits as group } from '../../src/config/schema-limits.ts';
import { type Asker, createLimits } from '../../src/store/limits.ts';
import { newKey, openRedis, openSqlite } from '../store/stores.ts';
import { freshRedis } from '../support/redis.ts';

const hourMs = 3_600_000;
/** Somebody else in every respect. */
const somebody = (at: number, fields: Partial<Asker> = {}): Asker => ({
  ...{ device: `d${at}`, network: `n${at}`, clientId: 'wiki', enrolmentId: `e${at}` },
  deviceClass: 'unknown',
  ...fields,
});
const crowd = (size: number, fields: Partial<Asker> = {}, from = 0): Asker[] =>
  Array.from({ length: size }, (_, at) => somebody(from + at, fields));

describe.each([
  ['sqlite', () => openSqlite(':memory:', [newKey()])],
  ['redis', async () => openRedis(await freshRedis(), [newKey()])],
])('on %s', (_name, open) => {
  async function twoProcesses(input: object = {}) {
    const opened = await open();
    onTestFinished(() => opened.close());
    const alarms: string[] = [];
    const now = { ms: Date.UTC(2026, 10, 24, 9) };
    const tools = {
      clock: () => now.ms,
      alarm: (reason: string) => void alarms.push(reason),
      settings: group.parse(input),
    };
    const limits = createLimits(opened.store, tools);
    const elsewhere = createLimits(opened.neighbour, tools);
    const admitted = async (askers: readonly Asker[]): Promise<number> => {
      const all = await Promise.all(
        askers.map((asker, at) => (at % 2 === 0 ? limits : elsewhere).admit(asker)),
      );
      return all.filter(({ refusedBy }) => refusedBy === undefined).length;
    };
    return { limits, elsewhere, now, alarms, admitted };
  }

  it('[AB-03] of 200 who ask at once for one account, with a limit of 5, exactly 5 are let in', async () => {
    const { admitted } = await twoProcesses({ perAccountPerHour: 5 });
    expect(await admitted(crowd(200, { enrolmentId: 'one' }))).toBe(5);
  });

  it('[AB-02] a flood of strangers stops at their part, and known devices are let in after it', async () => {
    const { admitted, limits, alarms } = await twoProcesses({ perHour: 50 });
    expect(await admitted(crowd(300))).toBe(40);
    expect(await limits.admit(somebody(999))).toEqual({ refusedBy: 'everybody' });
    expect(new Set(alarms)).toEqual(new Set(['budget_spent']));
    expect(alarms.length).toBeLessThanOrEqual(2); // one a process
    expect(await admitted(crowd(20, { deviceClass: 'known' }))).toBe(10);
  });

  it('[AB-02] one network, one relying party and one browser each have an end', async () => {
    const { limits, admitted, now } = await twoProcesses({
      ...{ perAddressPerHour: 7, perClientPerHour: 10, reservedForKnownDevices: 0 },
    });
    expect(await admitted(crowd(20, { network: 'one' }))).toBe(7);
    expect(await limits.admit(somebody(50, { network: 'one' }))).toEqual({ refusedBy: 'address' });
    expect(await admitted(crowd(20, {}, 100))).toBe(3);
    expect(await limits.admit(somebody(200))).toEqual({ refusedBy: 'client' });
    expect(await limits.admit(somebody(201, { clientId: 'other' }))).toEqual({});
    now.ms += hourMs;
    const mine = crowd(30, { device: 'mine' }, 300);
    expect(await admitted(mine.map((one, at) => ({ ...one, clientId: `c${at}` })))).toBe(20);
  });

  it('[AB-02] a full house does not eat up the share of an account or of a relying party', async () => {
    const { limits, now } = await twoProcesses({
      ...{ perHour: 1, reservedForKnownDevices: 0, perAccountPerHour: 1, perClientPerHour: 1 },
    });
    expect(await limits.admit(somebody(1, { clientId: 'other' }))).toEqual({});
    for (const asker of crowd(4, { enrolmentId: 'mine' }, 2)) {
      expect(await limits.admit(asker)).toEqual({ refusedBy: 'everybody' });
    }
    now.ms += hourMs;
    expect(await limits.admit(somebody(9, { enrolmentId: 'mine' }))).toEqual({});
  });

  it('windows end with the hour and with the day', async () => {
    const { limits, now } = await twoProcesses({ perAccountPerHour: 2 });
    const ask = async (at: number): Promise<string | undefined> =>
      (await limits.admit(somebody(at, { enrolmentId: 'one' }))).refusedBy;
    expect([await ask(1), await ask(2), await ask(3)]).toEqual([undefined, undefined, 'account']);
    now.ms += hourMs;
    expect([await ask(4), await ask(5)]).toEqual([undefined, undefined]);
    now.ms += hourMs;
    expect(await ask(6)).toBe('account'); // The four of the day are spent.
    now.ms += 24 * hourMs;
    expect(await ask(7)).toBeUndefined();
  });

  it('[AB-06] what strangers use up of an account is not its known devices’', async () => {
    const { admitted, limits } = await twoProcesses({ perAccountPerHour: 3 });
    expect(await admitted(crowd(30, { enrolmentId: 'ana' }))).toBe(3);
    const own = somebody(99, { enrolmentId: 'ana', deviceClass: 'known' });
    expect(await limits.admit(own)).toEqual({});
  });

  it.each(['device', 'network'] as const)(
    '[AB-07] who tries a face on one account after the other from one %s is stopped at the fifth',
    async (common) => {
      const { limits } = await twoProcesses();
      for (const asker of crowd(4, { [common]: 'one' })) {
        expect(await limits.admit(asker)).toEqual({});
        await limits.declined(asker);
      }
      const { refusedBy } = await limits.admit(somebody(9, { [common]: 'one' }));
      expect(refusedBy).toBe(common === 'device' ? 'device' : 'address');
      const known = somebody(10, { [common]: 'one', deviceClass: 'known' });
      expect(await limits.admit(known)).toEqual({});
      expect(await limits.admit(somebody(11))).toEqual({});
    },
  );

  it('[AB-07] the operator is told when half of many selfies are declined, and not when few are', async () => {
    const { limits, admitted, alarms } = await twoProcesses();
    await admitted(crowd(60));
    for (let at = 0; at < 20; at += 1) await limits.declined(somebody(at));
    expect(alarms).toEqual([]);
    for (let at = 20; at < 40; at += 1) await limits.declined(somebody(at));
    expect(alarms).toEqual(['many_declined']);
  });

  it('[AB-10] three messages in a quarter of an hour to one person, and from one address', async () => {
    const { limits, now } = await twoProcesses();
    const send = (person: string, network: string) => limits.sendMessage({ person, network });
    for (let at = 0; at < 3; at += 1) expect(await send('ana', `n${at}`)).toBe(true);
    expect(await send('ana', 'n9')).toBe(false);
    for (let at = 0; at < 3; at += 1) expect(await send(`p${at}`, 'one')).toBe(true);
    expect(await send('p9', 'one')).toBe(false);
    now.ms += 900_000;
    expect(await send('ana', 'one')).toBe(true);
  });

  it('[AB-03] five tries of another factor, counted before they are looked at', async () => {
    const { limits, elsewhere } = await twoProcesses();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        (at % 2 === 0 ? limits : elsewhere).tryFactor({ person: 'ana', deviceClass: 'unknown' }),
      ),
    );
    expect(all.filter(Boolean)).toHaveLength(5);
    expect(await limits.tryFactor({ person: 'ana', deviceClass: 'known' })).toBe(true);
  });
});

it('[AB-03] [PL-06] all counts outlive a restart, and each has an end', async () => {
  const url = await freshRedis();
  const settings = group.parse({ perAccountPerHour: 1 });
  const tools = { clock: Date.now, alarm: () => undefined, settings };
  const before = await openRedis(url);
  expect(await createLimits(before.store, tools).admit(somebody(1))).toEqual({});
  await createLimits(before.store, tools).declined(somebody(1));
  await before.close();

  const after = await openRedis(url);
  onTestFinished(() => after.close());
  const again = somebody(2, { enrolmentId: 'e1' });
  expect(await createLimits(after.store, tools).admit(again)).toEqual({ refusedBy: 'account' });

  const { Redis } = await import('ioredis');
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  const counts = (await redis.keys('*')).filter((key) => /:(windows|counter):/.test(key));
  expect(counts.length).toBeGreaterThan(4);
  for (const key of counts) expect(await redis.ttl(key)).toBeGreaterThan(0);
});
