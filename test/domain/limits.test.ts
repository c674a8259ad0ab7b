import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits as group } from '../../src/config/schema-limits.ts';
import { bucketOf, limitsOf } from '../../src/domain/limits.ts';

const settings = group.parse({});

describe('the table of limits', () => {
  test('leaves strangers their part of what all have in common, and no more', () => {
    const { everybody, client } = limitsOf(settings);
    expect(everybody.known).toEqual({ hour: 1000, day: 5000, month: 50_000 });
    expect(everybody.unknown).toEqual({ hour: 800, day: 4000, month: 40_000 });
    expect([client.unknown, client.known]).toEqual([{ hour: 1600 }, { hour: 2000 }]);
    expect([everybody.counts, client.counts]).toEqual(['both', 'both']);
  });

  test('is the one in docs/security.md, with the defaults', () => {
    const { device, address, account, message, factor } = limitsOf(settings);
    expect(device).toEqual({
      ...{ counts: 'each', unknown: { hour: 20 }, known: { hour: 20 }, declined: 4 },
    });
    expect(address).toEqual({
      ...{ counts: 'each', unknown: { hour: 30, day: 210 }, known: { hour: 600 }, declined: 4 },
    });
    expect(account).toEqual({
      ...{ counts: 'each', unknown: { hour: 10, day: 20 }, known: { hour: 20, day: 60 } },
    });
    expect(message).toEqual({ counts: 'both', unknown: { quarter: 3 }, known: { quarter: 3 } });
    expect(factor).toEqual({ counts: 'each', unknown: { quarter: 5 }, known: { quarter: 5 } });
  });

  test('lets a large office have more declined selfies', () => {
    expect(limitsOf({ ...settings, perAddressPerHour: 700 }).address.declined).toBe(100);
    expect(limitsOf({ ...settings, perAddressPerHour: 1 }).address.declined).toBe(4);
  });

  test('never lets a stranger do what a known device may not', () => {
    const input = fc.record({
      perHour: fc.integer({ min: 1, max: 1_000_000 }),
      reservedForKnownDevices: fc.integer({ min: 0, max: 90 }),
      perAddressPerHour: fc.integer({ min: 1, max: 1_000 }),
      perAccountPerHour: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(input, (some) => {
        for (const { unknown, known } of Object.values(limitsOf({ ...settings, ...some }))) {
          for (const span of ['quarter', 'hour', 'day', 'month'] as const) {
            expect(unknown[span] ?? 0).toBeLessThanOrEqual(known[span] ?? Infinity);
          }
        }
      }),
    );
  });

  test('[AB-02] allows a month no more than the money is enough for', () => {
    const priced = { pricePerSelfie: 0.1, spendPerMonth: 500 };
    expect(limitsOf({ ...settings, ...priced }).everybody.known.month).toBe(5000);
    const cheap = { pricePerSelfie: 0.001, spendPerMonth: 500 };
    expect(limitsOf({ ...settings, ...cheap }).everybody.known.month).toBe(50_000);
    expect(limitsOf({ ...settings, pricePerSelfie: 9 }).everybody.known.month).toBe(50_000);
  });

  test.each([
    ['quarter', '2026-11-24T09:15:00Z', '2026-11-24T09:29:59Z', '2026-11-24T09:30:00Z'],
    ['hour', '2026-11-24T09:00:00Z', '2026-11-24T09:59:59Z', '2026-11-24T10:00:00Z'],
    ['day', '2026-11-24T00:00:00Z', '2026-11-24T23:59:59Z', '2026-11-25T00:00:00Z'],
    ['month', '2026-12-01T00:00:00Z', '2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z'],
  ] as const)('a %s begins and ends with the calendar in UTC', (span, first, last, next) => {
    const bucket = (text: string) => bucketOf(span, Date.parse(text));
    expect(bucket(last)).toBe(bucket(first));
    expect(bucket(next)).toBe(bucket(first) + 1);
  });
});
