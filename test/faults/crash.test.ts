/**
 * The process is killed between the verdict and the code: at each command that it sends to Redis, and at each answer
 * that it would have got, one after the other, until a login comes through without having reached that point.
 */
import { expect, it, onTestFinished } from 'vitest';
import { type Deployment, type ProviderProcess, prepareDeployment } from '../e2e/deployment.ts';
import type { Answer } from '../support/browser.ts';
import {
  type Party,
  createParty,
  interactionOf,
  isCallback,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Wire, startWire } from '../support/wire.ts';
import { createWatcher, offers, visit } from './people.ts';

/** More than a login has; the test fails when it does not find the end. */
const mostPoints = 60;

it.each([
  ['before a command is sent', 'there'],
  ['before its answer is heard', 'back'],
] as const)(
  '[RL-04] killed %s: the person signs in all the same, and one selfie leads to one code',
  async (_name, direction) => {
    const redisUrl = new URL(await freshRedis());
    const wire = await startWire(Number(redisUrl.port), redisUrl.hostname);
    redisUrl.host = `127.0.0.1:${wire.port}`;
    const deployment = await prepareDeployment({
      storeUrl: redisUrl.href,
      windowless: { people: mostPoints },
    });
    onTestFinished(async () => {
      await deployment.close();
      await wire.close();
    });
    const keeper = createKeeper(deployment);
    await keeper.start();
    const party = await createParty(deployment);

    let killed = 0;
    for (let point = 1; ; point += 1) {
      expect(point).toBeLessThan(mostPoints);
      if (!(await loginKilledAt(point, { deployment, direction, keeper, party, wire }))) break;
      killed += 1;
    }
    expect(killed).toBeGreaterThan(10);
  },
  300_000,
);

type Keeper = ReturnType<typeof createKeeper>;

/** Starts the process again when it has gone, as whatever watches over it would. */
function createKeeper(deployment: Deployment) {
  let running: ProviderProcess | undefined;
  let gone: Promise<unknown> | undefined;
  return {
    async start(): Promise<void> {
      running = await deployment.start();
    },
    async kill(): Promise<void> {
      const dying = running;
      running = undefined;
      gone = dying?.end('SIGKILL');
      await gone;
    },
    /** Who gets no answer presses the button again. */
    async again<T>(work: () => Promise<T>): Promise<T> {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TypeError) || running !== undefined) throw error;
        await gone;
        await this.start();
        return work();
      }
    },
  };
}

interface Crash {
  deployment: Deployment;
  direction: 'there' | 'back';
  keeper: Keeper;
  party: Party;
  wire: Wire;
}

/** @returns whether the login got as far as that point. */
async function loginKilledAt(
  point: number,
  { deployment, direction, keeper, party, wire }: Crash,
): Promise<boolean> {
  const [browser, person, request] = [createWatcher(), deployment.person(), await party.begin()];
  const didit = await toSelfie(browser, request, person);
  const interaction = await interactionOf(browser, deployment);
  let passed = 0;
  let reached = false;
  wire.watch(async (way) => {
    if (reached || way !== direction || (passed += 1) < point) return 'pass';
    reached = true;
    await keeper.kill();
    return 'swallow';
  });

  const codes: string[] = [];
  const keep = (answer: Answer): Answer => {
    const { location = '' } = answer;
    if (isCallback(location) && location.includes('code=')) codes.push(location);
    return answer;
  };
  const back = await takeSelfie(browser, didit, 'approve');
  const waiting = await keeper.again(() => settle(browser, back));
  const ready = await keeper.again(() => whileWaiting(browser, waiting));
  const resume = () => press(browser, ready, 'resume').then((answer) => settle(browser, answer));
  if (offers(ready, 'resume')) keep(await keeper.again(resume));
  wire.watch(() => 'pass');

  // Whatever can be sent a second time is.
  for (const url of [back.location ?? '', waiting.url, interaction]) {
    keep(await keeper.again(async () => settle(browser, await browser.get(url))));
  }
  if (offers(ready, 'resume')) keep(await keeper.again(resume));
  const redeemed = await Promise.allSettled(codes.map((code) => request.finish(code)));
  const tokens = redeemed.filter(({ status }) => status === 'fulfilled');
  expect(tokens.length, `tokens of one selfie, killed at ${point}`).toBeLessThanOrEqual(1);
  if (tokens.length === 0) {
    const retried = await visit(party, person, { browser });
    expect(retried, `a second login, killed at ${point}`).toMatchObject({ email: person });
  }
  return reached;
}
