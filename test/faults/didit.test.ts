/** Everything that can go wrong between us and Didit, one call at a time, and for ten minutes on end. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, describe, expect, it, vi } from 'vitest';
import { createParty, heading, interactionOf, settle, toSelfie } from '../support/login.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, type TestbedOptions, startTestbed } from '../support/testbed.ts';
import { startWire } from '../support/wire.ts';
import { anotherWay, createWatcher, visit } from './people.ts';

const patience = { timeout: 30_000, interval: 500 };
/** How many calls in a row fail until Didit is not called any more, see src/didit/transport.ts. */
const untilOpen = 5;

/** These tests run side by side, so each says for itself what comes after it. */
async function deploy(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: TestbedOptions = {},
) {
  const bed = await startTestbed({ people: 40, ...options });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const faults = (operation: string, mode: string | number, times: number, delayMs = 30_000) =>
    bed.control('faults', { api: { operation, mode, times, delayMs } });
  return { bed, party, faults };
}

const callsOf = async (bed: Testbed, operation: string): Promise<number> =>
  (await bed.log()).calls.filter((call) => call.operation === operation).length;

const answers = [500, 502, 503, 'slow', 'truncate', 'reset', 'malformed', 'redirect'] as const;

describe.concurrent('when a session cannot be created', () => {
  it.for(answers)(
    '[RL-02] %s: another way is shown, soon at once, and selfies come back by themselves',
    { timeout: 60_000 },
    async (mode, test) => {
      const { bed, party, faults } = await deploy(test);
      await faults('create', mode, untilOpen);
      const first = await Promise.all(
        Array.from({ length: untilOpen }, () => visit(party, bed.person())),
      );
      for (const ended of first) {
        expect(ended).toMatchObject({ said: anotherWay });
      }

      const called = await callsOf(bed, 'create');
      const later = await visit(party, bed.person());
      expect(later).toMatchObject({ said: anotherWay });
      expect(later.ms).toBeLessThan(3_000);
      expect(await callsOf(bed, 'create')).toBe(called);

      const person = bed.person();
      await vi.waitFor(
        async () => expect(await visit(party, person)).toMatchObject({ email: person }),
        patience,
      );
    },
  );

  it(
    '[RL-02] 429: Didit is left in peace for as long as it asked',
    { timeout: 60_000 },
    async (test) => {
      let creates = 0;
      const busy: typeof fetch = (input, init) => {
        if (init?.method === 'POST' && (creates += 1) === 1) {
          const headers = { 'retry-after': '10' };
          return Promise.resolve(Response.json({ detail: 'Throttled' }, { status: 429, headers }));
        }
        return fetch(input, init);
      };
      const { bed, party } = await deploy(test, { fetch: busy });
      expect(await visit(party, bed.person())).not.toHaveProperty('email');
      expect(await visit(party, bed.person())).not.toHaveProperty('email');
      expect(creates).toBe(1);
      const person = bed.person();
      await vi.waitFor(
        async () => expect(await visit(party, person)).toMatchObject({ email: person }),
        patience,
      );
    },
  );

  it('[AB-11] no credit: people are shown another way, Didit is asked once, an operator hears of it', async (test) => {
    const asked: string[] = [];
    const broke: typeof fetch = (_input, init) => {
      asked.push(init?.method ?? 'GET');
      const detail = "You don't have enough credits to create a session.";
      return Promise.resolve(Response.json({ detail }, { status: 403 }));
    };
    const { bed, party } = await deploy(test, { fetch: broke });
    for (let people = 0; people < 5; people += 1) {
      expect(await visit(party, bed.person())).toMatchObject({ said: anotherWay });
    }
    expect(asked).toEqual(['POST']);
    expect(bed.alarms).toMatchObject([{ reason: 'out_of_credit' }]);
  });

  it("[RL-02] another person's session signs nobody in", { timeout: 60_000 }, async (test) => {
    const { bed, party, faults } = await deploy(test);
    const person = bed.person();
    await faults('create', 'other_session', 1);
    const browser = createWatcher();
    const didit = await toSelfie(browser, await party.begin(), person);
    const back = await settle(browser, await browser.post(didit.url, { outcome: 'approve' }));
    await soon(async () => expect((await bed.log()).webhooks).not.toEqual([]));
    expect(heading(await browser.get(back.url))).not.toBe('It is you');
    const other = bed.person();
    expect(await visit(party, other)).toMatchObject({ email: other });
    expect(bed.events.filter(({ event }) => event === 'login.completed')).toHaveLength(1);
  });

  it('[RL-02] no TLS where TLS should be: another way is shown', async (test) => {
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    test.onTestFinished(() => void plain.close());
    const apiBaseUrl = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    const { bed, party } = await deploy(test, { flags: { didit: { apiBaseUrl } } });
    const ended = await visit(party, bed.person());
    expect(ended).toMatchObject({ said: anotherWay });
  });
});

describe.concurrent('when the decision cannot be read', () => {
  it.for([429, ...answers])(
    '[RL-02] %s: who was approved waits a little longer, who was declined stays out',
    { timeout: 60_000 },
    async (mode, test) => {
      const { bed, party, faults } = await deploy(test);
      await faults('decision', mode, 4);
      const [approved, declined] = [bed.person(), bed.person()];
      const [first, second] = await Promise.all([
        visit(party, approved),
        visit(party, declined, { outcome: 'decline' }),
      ]);
      expect(first).toMatchObject({ email: approved });
      expect(second).not.toHaveProperty('email');
    },
  );

  it("[RL-02] another session's decision opens nothing", { timeout: 60_000 }, async (test) => {
    const { bed, party, faults } = await deploy(test);
    await faults('decision', 'other_session', 10);
    expect(await visit(party, bed.person())).not.toHaveProperty('email');
    expect(bed.events.find(({ event }) => event === 'login.denied')?.reason).toBeDefined();
    expect(bed.events.some(({ event }) => event === 'login.completed')).toBe(false);
  });
});

describe.concurrent('when a session cannot be deleted', () => {
  it.for([429, ...answers])(
    '[RL-02] %s: who turned back comes back later and signs in',
    { timeout: 60_000 },
    async (mode, test) => {
      const { bed, party, faults } = await deploy(test);
      await faults('delete', mode, 3, 3_000);
      const [person, browser] = [bed.person(), createWatcher()];
      const didit = await toSelfie(browser, await party.begin(), person);
      expect(didit.text).toContain('data-outcome');
      await browser.post(`${await interactionOf(browser, bed)}/cancel`);
      await vi.waitFor(
        async () =>
          expect(await visit(party, person, { browser })).toMatchObject({ email: person }),
        patience,
      );
    },
  );
});

it('[VD-15] ten minutes without Didit: nobody signs in with a face, sessions live on, it recovers', async (test) => {
  let aheadMs = 0;
  const didit = await startWire();
  test.onTestFinished(() => didit.close());
  const { bed, party } = await deploy(test, {
    clock: () => Date.now() + aheadMs,
    flags: { didit: { apiBaseUrl: `http://127.0.0.1:${didit.port}` } },
  });
  didit.leadTo(Number(new URL(bed.simulatorUrl).port));
  const early = createWatcher();
  const before = bed.person();
  expect(await visit(party, before, { browser: early })).toMatchObject({ email: before });

  didit.cut();
  for (let minute = 0; minute < 10; minute += 1) {
    const ended = await visit(party, bed.person());
    expect(ended).toMatchObject({ said: anotherWay });
    expect(ended.ms).toBeLessThan(3_000);
    const request = await party.begin();
    const again = await settle(early, await early.get(request.url));
    expect((await request.finish(again.location ?? '')).claims()?.email).toBe(before);
    aheadMs += 60_000;
  }
  expect(bed.events.filter(({ event }) => event === 'login.completed')).toHaveLength(1);

  didit.mend();
  const after = bed.person();
  await vi.waitFor(
    async () => expect(await visit(party, after)).toMatchObject({ email: after }),
    patience,
  );
}, 60_000);
