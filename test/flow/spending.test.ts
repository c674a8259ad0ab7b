/** Caps and outages, as people and operators meet them: over HTTP, with commands that are processes of their own. */
import { type TestContext, describe, expect, it, vi } from 'vitest';
import { visit } from '../faults/people.ts';
import { formsOf } from '../support/browser.ts';
import {
  createBrowser,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
  takeSelfie,
  toSelfie,
} from '../support/login.ts';
import { hireOperators } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type TestbedOptions, startTestbed } from '../support/testbed.ts';
import { equip, signInByCodes, toChoice, waysOn } from '../support/ways.ts';

const selfie = 'urn:didit-oidc:acr:selfie:test';
const patience = { timeout: 20_000, interval: 100 };

async function deploy(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: TestbedOptions = {},
) {
  const storeUrl = await freshRedis();
  const bed = await startTestbed({ storeUrl, people: 30, ...options });
  const operators = hireOperators(bed, storeUrl);
  const store = await bed.openStore();
  onTestFinished(async () => {
    operators.dismiss();
    await store.close();
    await bed.close();
  });
  const calls = async (): Promise<number> => (await bed.log()).calls.length;
  /** @returns what was printed as JSON. */
  async function command(...args: string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await operators.command(...args, '--json');
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
  return { bed, store, command, calls, party: await createParty(bed) };
}

describe('at a hard cap', () => {
  it('people sign in by their other ways, no session is created, and operators hear of it once', async (test) => {
    const cost = { freePerMonth: 0, hardPerMonth: 0.2, alarmAddress: 'operators@example.com' };
    const { bed, store, party, command, calls } = await deploy(test, { flags: { cost } });
    for (const person of [bed.person(), bed.person()]) {
      expect(await visit(party, person)).toMatchObject({ email: person });
    }
    const before = await calls();
    const person = bed.person();
    const { app } = await equip(store, person);
    const paused = expect.stringContaining('Selfies are paused for now') as string;
    expect(await visit(party, person)).toMatchObject({ said: paused });
    expect(await visit(party, bed.person())).toMatchObject({ said: paused });
    expect(await calls()).toBe(before);

    const request = await party.begin();
    const address = await signInByCodes(bed, createBrowser(), request, {
      address: person,
      app: app(),
    });
    expect((await request.finish(address)).claims()).toMatchObject({ email: person });

    await soon(() => expect(bed.mails.map(({ message }) => message.kind)).toContain('budget_hard'));
    const mails = bed.mails.filter(({ message }) => message.kind === 'budget_hard');
    expect(mails.map(({ to }) => to.address)).toEqual(['operators@example.com']);
    expect(bed.alarms.filter(({ reason }) => reason === 'budget_hard')).toHaveLength(1);
    const reached = bed.events.filter(({ event }) => event === 'budget.reached');
    expect(reached).toMatchObject([{ reason: 'hard_month' }]);

    // A higher cap counts at once, for a process that is running.
    await command('budget', 'set', '--operator', 'ben', '--month-hard', '50');
    const next = bed.person();
    await vi.waitFor(
      async () => expect(await visit(party, next)).toMatchObject({ email: next }),
      patience,
    );
    await command('budget', 'clear', '--operator', 'ben');
  }, 60_000);

  it('a session that could not be created uses nothing up', async (test) => {
    const flags = { cost: { freePerMonth: 0, hardPerMonth: 0.1 } };
    const { bed, party } = await deploy(test, { flags });
    await bed.control('faults', { api: { operation: 'create', mode: 500, times: 3 } });
    for (let times = 0; times < 3; times += 1) {
      expect(await visit(party, bed.person())).toHaveProperty('said');
    }
    const person = bed.person();
    expect(await visit(party, person)).toMatchObject({ email: person });
  });
});

it('what was begun, for whom, and what it came to is what `cost` says', async (test) => {
  const { bed, party, command } = await deploy(test, {});
  const [ana, ben, chiyo] = [bed.person(), bed.person(), bed.person()];
  for (const person of [ana, ben]) {
    expect(await visit(party, person)).toMatchObject({ email: person });
  }
  expect(await visit(party, chiyo, { outcome: 'decline' })).toHaveProperty('said');
  expect(await visit(party, chiyo, { outcome: 'review' })).toHaveProperty('said');
  await vi.waitFor(async () => {
    const report = await command('cost', '--by', 'client');
    expect(report).toMatchObject({
      ...{ billed: 3, free: 3, dollars: 0, total: { dollars: 0.3 } },
      by_client: [{ client: 'first', created: 4, approved: 2, declined: 1, in_review: 1, open: 0 }],
      by_reason: [{ reason: 'login', created: 4 }],
    });
  }, patience);
  const metrics = await (await fetch(`${bed.managementUrl}/metrics`)).text();
  expect(metrics).toContain('didit_sessions_created_total{client="first",reason="login"} 4');
  expect(metrics).toMatch(/didit_cost_dollars_total 0\.3/);
}, 60_000);

it('a selfie that Didit approved is charged, whatever was pressed before its webhook was here', async (test) => {
  const { bed, party, command } = await deploy(test);
  await bed.control('faults', { webhooks: { mode: 'withhold' } });
  for (const step of ['try-again', 'start-over', 'other-way', 'cancel']) {
    const browser = createBrowser();
    const didit = await toSelfie(browser, await party.begin(), bed.person());
    await takeSelfie(browser, didit, 'approve');
    // Not by the way back, after which the decision is read at once.
    await browser.post(`${await interactionOf(browser, bed)}/${step}`);
  }
  await bed.control('webhooks/release', {});
  await vi.waitFor(async () => {
    const { by_client: rows } = await command('cost', '--by', 'client');
    expect(rows).toMatchObject([{ created: 4, approved: 4, open: 0 }]);
  }, patience);
}, 60_000);

describe('while Didit is switched off', () => {
  it('[FB-07] pages say so and offer what may be used instead, and nothing less than what is asked for opens', async (test) => {
    const { bed, store, party, command, calls } = await deploy(test);
    const person = bed.person();
    const { app } = await equip(store, person);
    await command('outage', 'on', '--operator', 'ben', '--note', 'they called', '--until', '2h');
    const browser = createBrowser();
    await vi.waitFor(async () => {
      const page = await toChoice(createBrowser(), await party.begin(), person);
      expect(page.text).toContain('Selfies are not working right now. They should be back by');
      expect(page.text).not.toContain('>Take a selfie</button>');
      expect(waysOn(page)).toContain('totp');
    }, patience);
    const before = await calls();
    const address = await signInByCodes(bed, browser, await party.begin(), {
      ...{ address: person, app: app() },
    });
    expect(address).toContain('code=');

    // An app that insists on a selfie gets nothing else for it.
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: [selfie] } } });
    const page = await toChoice(createBrowser(), await party.begin({ claims }), person);
    expect(page.text).toContain('Selfies are not working right now');
    expect(waysOn(page)).toEqual([]);
    // Whoever asks without the button is told the same, and Didit is not called.
    const forced = createBrowser();
    const choice = await toChoice(forced, await party.begin({ claims }), person);
    const step = formsOf(choice)[0]!.actions[0]!.replace(/[\w-]+$/, 'selfie');
    const refused = await settle(forced, await forced.post(step));
    expect(heading(refused)).toBe('We could not sign you in');
    expect(refused.location).toBeUndefined();
    expect(await calls()).toBe(before);

    expect(await command('outage', 'show')).toMatchObject({ didit: 'off', by: 'ben' });
    await command('outage', 'off', '--operator', 'ben');
    const next = bed.person();
    await vi.waitFor(
      async () => expect(await visit(party, next)).toMatchObject({ email: next }),
      patience,
    );
  }, 90_000);

  it('planned maintenance comes and goes by itself', async (test) => {
    const now = { ms: Date.now() };
    const { bed, party, command } = await deploy(test, { clock: () => now.ms });
    const [fromMs, untilMs] = [now.ms + 60_000, now.ms + 120_000];
    const times = [
      '--from',
      new Date(fromMs).toISOString(),
      '--until',
      new Date(untilMs).toISOString(),
    ];
    await command('outage', 'on', '--operator', 'ben', '--note', 'new pipes', ...times);
    const person = bed.person();
    expect(await visit(party, person)).toMatchObject({ email: person });
    now.ms = fromMs;
    await vi.waitFor(async () => {
      const page = await toChoice(createBrowser(), await party.begin(), person);
      expect(page.text).toContain('They should be back by');
    }, patience);
    now.ms = untilMs;
    expect(await visit(party, person)).toMatchObject({ email: person });
  }, 60_000);
});

it('[RL-02] an outage of Didit is said within three seconds, and selfies come back by themselves', async (test) => {
  const { bed, party, command, calls } = await deploy(test);
  await bed.control('faults', { api: { operation: 'create', mode: 503, times: 5 } });
  await Promise.all(Array.from({ length: 5 }, () => visit(party, bed.person())));
  const browser = createBrowser();
  const before = await calls();
  const beganMs = performance.now();
  const page = await toChoice(browser, await party.begin(), bed.person());
  expect(page.text).toContain('Selfies are failing at the moment');
  const tried = await settle(browser, await press(browser, page, 'selfie'));
  expect(tried.text).toContain('is not answering at the moment');
  expect(performance.now() - beganMs).toBeLessThan(3_000);
  expect(await calls()).toBe(before);
  expect(bed.alarms.map(({ reason }) => reason)).toContain('didit_failing');
  expect(await command('outage', 'show')).toMatchObject({ didit: 'failing' });
  const person = bed.person();
  await vi.waitFor(
    async () => expect(await visit(party, person)).toMatchObject({ email: person }),
    {
      ...{ timeout: 30_000, interval: 500 },
    },
  );
  const again = await toChoice(createBrowser(), await party.begin(), bed.person());
  expect(again.text).not.toContain('failing at the moment');
  await soon(() =>
    expect(bed.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['outage.began', 'outage.ended']),
    ),
  );
}, 90_000);
