import { describe, expect, it } from 'vitest';
import {
  type Caps,
  type MeterRow,
  type Pricing,
  billOf,
  capsOfClient,
  ceilingsFor,
  forecastOf,
  mergeCaps,
  outcomeOf,
  priceOf,
  reachedBy,
  savedOf,
} from '../../src/domain/budget.ts';

const pricing: Pricing = {
  prices: { passive: 0.1, active: 0.15, document: 0.3 },
  freePerMonth: 500,
  freeOutcomes: ['declined', 'not_finished'],
};
const row = (counts: MeterRow['counts'], fields: Partial<MeterRow> = {}): MeterRow => ({
  ...{ client: 'wiki', reason: 'login', check: 'passive', counts },
  ...fields,
});

describe('the bill of a month', () => {
  it.each([
    [0, 0, 0],
    [500, 500, 0],
    [501, 500, 0.1],
    [1_500, 500, 100],
  ])('for %i approved selfies has %i free ones and comes to %f', (approved, free, dollars) => {
    expect(billOf([row({ created: approved, approved })], pricing)).toEqual({
      ...{ billed: approved, free, dollars },
    });
  });

  it('charges what was approved and what is in review, not what was declined or abandoned', () => {
    const counts = { created: 1_000, approved: 500, in_review: 3, declined: 200, not_finished: 90 };
    expect(billOf([row(counts)], pricing)).toEqual({ billed: 503, free: 500, dollars: 0.3 });
    expect(billOf([row(counts)], { ...pricing, freeOutcomes: [] }).billed).toBe(793);
  });

  it('is never too low: the free ones are taken to be the cheapest', () => {
    const rows = [row({ approved: 400 }), row({ approved: 200 }, { check: 'document' })];
    // 400 at 0.10 and 100 at 0.30 are free.
    expect(billOf(rows, pricing)).toEqual({ billed: 600, free: 500, dollars: 30 });
    expect(priceOf(rows, pricing)).toBe(100);
  });

  it('adds amounts that binary fractions cannot hold', () => {
    expect(
      priceOf(
        Array.from({ length: 3 }, () => row({ approved: 1 })),
        pricing,
      ),
    ).toBe(0.3);
  });
});

it('what skipping saved is what its selfies would have cost', () => {
  expect(savedOf([row({ spared: 7 }), row({ approved: 1, spared: 3 })], pricing)).toEqual({
    ...{ selfies: 10, dollars: 1 },
  });
});

it('a month goes on as in the last days, and what is free is taken off once', () => {
  const month = [row({ approved: 400 })];
  const lately = { rows: [row({ approved: 140 })], days: 7 };
  expect(forecastOf(month, lately, 10, pricing)).toEqual({ billed: 600, dollars: 10 });
  expect(forecastOf(month, { rows: [], days: 0 }, 10, pricing)).toEqual({
    ...{ billed: 400, dollars: 0 },
  });
});

it('what Didit made of it is what it charges, whatever we make of that', () => {
  expect(outcomeOf('Approved', 'declined')).toBe('approved');
  expect(outcomeOf('In Review', 'declined')).toBe('in_review');
  expect(outcomeOf(undefined, 'declined')).toBe('declined');
  expect(outcomeOf('Approved')).toBe('approved');
  for (const open of ['In Progress', 'Resubmitted']) expect(outcomeOf(open)).toBeUndefined();
});

describe('caps', () => {
  const settings: Caps = {
    all: { month: { soft: 100, hard: 200 } },
    eachClient: { month: { hard: 50 } },
  };

  it('that operators set stand before those of the settings, each for itself', () => {
    const set: Caps = { all: { day: { hard: 9 } }, clients: { wiki: { day: { soft: 1 } } } };
    const caps = mergeCaps(settings, set);
    expect(caps.all).toEqual({ day: { hard: 9 } });
    expect(capsOfClient(caps, 'wiki')).toEqual({ day: { soft: 1 } });
    expect(capsOfClient(caps, 'shop')).toEqual({ month: { hard: 50 } });
    expect(capsOfClient(caps, '__proto__')).toEqual({ month: { hard: 50 } });
  });

  it('of the month leave room for the free ones, those of a day and of a client do not', () => {
    const clients = { wiki: { month: { hard: 3 } } };
    const caps: Caps = { all: { month: { hard: 20 }, day: { hard: 2 } }, clients };
    const ceilings = ceilingsFor(caps, 'wiki', pricing);
    const of = (whose: string, span: string) =>
      ceilings.find((one) => one.whose === whose && one.span === span)?.atMost;
    expect(of('all', 'month')).toBe(200_000 + 500 * 1_000);
    expect(of('all', 'day')).toBe(20_000);
    expect(of('client', 'month')).toBe(30_000);
    expect(of('client', 'day')).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('are told of when a sum is at them, and when the month will be past one', () => {
    const spent = { all: { month: 100, day: 5 }, clients: { wiki: { month: 60, day: 5 } } };
    const caps = { ...settings, clients: { wiki: { month: { soft: 60 } } } };
    expect(reachedBy(caps, { ...spent, forecast: 200 })).toEqual([
      { what: 'soft', span: 'month', dollars: 100, cap: 100 },
      { what: 'soft', span: 'month', dollars: 60, cap: 60, client: 'wiki' },
    ]);
    expect(reachedBy({ all: { month: { hard: 200 } } }, { ...spent, forecast: 201 })).toEqual([
      { what: 'forecast', span: 'month', dollars: 201, cap: 200 },
    ]);
  });
});
