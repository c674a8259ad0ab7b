/** The acts about money and outages: what they answer, and that a write is done whole or not at all. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
const nowSeconds = Math.floor(Date.now() / 1000);
const admin: Actor = { kind: 'operator', name: 'sub-1', role: 'admin', authTime: nowSeconds };

beforeAll(async () => {
  bed = await startTestbed({ flags: { cost: { hardPerMonth: 80 } } });
});
afterAll(() => bed.close());

const perform = (
  id: string,
  input: Parameters<typeof bed.app.perform>[1] = {},
): Promise<Record<string, unknown>> => bed.app.perform(actNamed(id), input, admin);
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

test('the caps of the settings are in force until an operator sets others, by their version', async () => {
  const before = await perform('budget.get');
  expect(before).toMatchObject({ caps: { all: { month: { hard: 80 } } }, set: {}, version: '0' });
  const body = {
    ...{ all: { month: { soft: 10, hard: 20 } }, each_client: { day: { hard: 3 } } },
    clients: { first: { day: { hard: 1 } } },
  };
  const after = await perform('budget.set', { body, ifVersion: '0' });
  expect(after).toMatchObject({ caps: body, set: body });
  expect(await refusal(perform('budget.set', { body: {}, ifVersion: '0' }))).toBe(
    'changed_meanwhile',
  );
  expect(await perform('budget.get')).toMatchObject({ set: body, version: after['version'] });
  expect(bed.events).toContainEqual(
    expect.objectContaining({ event: 'budget.changed', operators: ['sub-1'] }),
  );
  const ifVersion = String(after['version']);
  expect(await perform('budget.set', { body: {}, ifVersion })).toMatchObject({
    caps: { all: { month: { hard: 80 } } },
  });
});

test.each([
  [{ all: { month: { soft: 3, hard: 2 } } }],
  [{ all: { month: { hard: -1 } } }],
  [{ all: { week: { hard: 1 } } }],
  [{ everybody: {} }],
])('caps that make no sense change nothing: %j', async (body) => {
  const { version } = await perform('budget.get');
  const work = perform('budget.set', { body, ifVersion: String(version) });
  expect(await refusal(work)).toBe('invalid');
  expect((await perform('budget.get'))['version']).toBe(version);
});

test('Didit is switched off and on again, and what makes no sense is refused', async () => {
  expect(await perform('outage.get')).toMatchObject({ didit: 'up', planned: [] });
  const over = new Date(Date.now() - 60_000).toISOString();
  for (const body of [
    { mode: 'on' },
    { mode: 'on', note: 'x', from: over },
    { mode: 'on', note: 'x', until: over },
  ]) {
    expect(await refusal(perform('outage.set', { body }))).toBe('invalid');
  }
  const body = { mode: 'on', note: 'they called' };
  expect(await perform('outage.set', { body })).toMatchObject({
    ...{ didit: 'off', by: 'sub-1', note: 'they called' },
  });
  expect(await perform('outage.set', { body: { mode: 'off' } })).toMatchObject({ didit: 'up' });
  const told = bed.events.filter(({ event }) => event.startsWith('outage.'));
  expect(told).toMatchObject([
    { event: 'outage.began', operators: ['sub-1'] },
    { event: 'outage.ended', reason: 'off' },
  ]);
});

test('what selfies cost is answered for days that are days', async () => {
  expect(await perform('cost.report')).toMatchObject({ billed: 0, dollars: 0, days: [] });
  const query = { from: '2026-11-28', to: '2026-11-01' };
  expect(await refusal(perform('cost.report', { query }))).toBe('invalid');
});
