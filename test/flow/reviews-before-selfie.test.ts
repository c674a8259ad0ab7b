/** A policy that wants people to look before any selfie is taken: the case of it, and that no name tells itself by it. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Policy } from '../../src/domain/policy.ts';
import { type Answer, createBrowser, withoutToken } from '../support/browser.ts';
import { toContext } from '../support/device.ts';
import { type Party, createParty, heading, press, settle } from '../support/login.ts';
import { hireOperators } from '../support/operators.ts';
import { always } from '../support/policies.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

// A command is a process, whose start takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
const policy = vi.hoisted(() => ({ forced: undefined as Pick<Policy, 'before'> | undefined }));
vi.mock(import('../../src/domain/policy.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    decide: (usual, signals) => real.decide({ ...usual, ...policy.forced }, signals),
  };
});
policy.forced = always('review');

let bed: Testbed;
let party: Party;
let operators: ReturnType<typeof hireOperators>;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl, people: 4 });
  party = await createParty(bed);
  operators = hireOperators(bed, storeUrl);
});
afterAll(async () => {
  operators.dismiss();
  await bed.close();
});

const opened = () => bed.events.filter(({ event }) => event === 'review.opened');

async function cases(): Promise<Record<string, string>[]> {
  const { stdout } = await operators.reviews('list', '--json');
  return (JSON.parse(stdout) as { reviews: Record<string, string>[] }).reviews;
}

/** Without the name, and what is another in each sign-in. */
const seen = (page: Answer, name: string): string =>
  withoutToken(page.text)
    .replaceAll(name, 'NAME')
    .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REFERENCE')
    .replace(/\/interaction\/[\w-]+/g, '/interaction/UID');

it('is held once a person, and an approval writes to them and signs nobody in', async () => {
  const [person, browser] = [bed.person(), createBrowser()];
  const page = await toContext(browser, await party.begin(), person);
  expect(heading(page)).toBe('Somebody is looking at it');
  await soon(() => expect(opened()).toMatchObject([{ client: 'first', reason: 'policy' }]));
  const again = await settle(browser, await press(browser, page, 'try-again'));
  const held = await settle(browser, await press(browser, again, 'selfie'));
  expect(heading(held)).toBe('Somebody is looking at it');

  const [found, ...others] = await cases();
  expect(others).toEqual([]);
  expect(found).toMatchObject({ ...{ reason: 'policy', status: 'open' }, client_name: 'First' });
  expect(page.text).toContain(found?.reference);
  expect(Object.keys(found ?? {}).filter((key) => key.startsWith('didit'))).toEqual([]);
  const { calls } = await bed.log();
  expect(calls.filter(({ operation }) => operation === 'create')).toEqual([]);

  const word = ['--operator', 'otto', '--reason', 'spoke with them'];
  const { stdout } = await operators.reviews('approve', found!.id!, ...word);
  expect(stdout).toContain('the person is written to');
  const written = () => bed.mails.filter(({ message }) => message.kind === 'review_approved');
  await vi.waitFor(() => expect(written()).toMatchObject([{ to: { address: person } }]), 10_000);
  const resumed = await settle(browser, await browser.post(`${held.url}/resume`));
  expect(resumed.location).toBeUndefined();
  expect(bed.events.filter(({ event }) => event === 'login.completed')).toEqual([]);

  // The next one is a case of its own.
  bed.events.splice(0);
  await toContext(createBrowser(), await party.begin(), person);
  await soon(() => expect(opened()).toHaveLength(1));
  await operators.reviews('decline', (await cases())[0]!.id!, ...word);
  expect(await cases()).toEqual([]);
});

it('[AB-01] is not held of a name that leads to nobody, which sees the same page', async () => {
  const before = (await cases()).length;
  const [known, unknown] = [bed.person(), 'nobody-at-all@example.com'];
  const other = await toContext(createBrowser(), await party.begin(), unknown);
  const one = await toContext(createBrowser(), await party.begin(), known);
  expect(one.status).toBe(other.status);
  expect(seen(one, known)).toBe(seen(other, unknown));
  // The nameless one came first: had it a case, it would be there by now.
  await vi.waitFor(async () => expect(await cases()).toHaveLength(before + 1), 20_000);
});
