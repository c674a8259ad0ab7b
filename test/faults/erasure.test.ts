/**
 * The process that erases somebody is killed in the middle: at one command after the other that it sends to Redis, or
 * at one answer after the other, until an erasure comes to its end without having got that far. The next process goes
 * on where it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { end, lineOf, spawnNode } from '../e2e/deployment.ts';
import { dumpRedis } from '../support/dump.ts';
import { openLeaving, settleIn, simulatorKey, startFaces } from '../support/leaving.ts';
import { freshRedis } from '../support/redis.ts';
import { webhookSecret } from '../support/testbed.ts';
import { startWire } from '../support/wire.ts';

const eraser = fileURLToPath(new URL('eraser.ts', import.meta.url));
/** Every point would take many minutes; these are spread over all of the way. */
const between = 4;
const mostPoints = 120;

it.each([
  ['before a command is sent', 'there'],
  ['before its answer is heard', 'back'],
] as const)(
  '[BD-08] killed %s, an erasure goes on and comes to its end, with nothing left out',
  async (_name, direction) => {
    const storeUrl = await freshRedis();
    const redisUrl = new URL(storeUrl);
    const wire = await startWire(Number(redisUrl.port), redisUrl.hostname);
    redisUrl.host = `127.0.0.1:${wire.port}`;
    const simulator = await createSimulator({
      ...{ apiKeys: { sandbox: [simulatorKey] }, webhookSecret },
    });
    const [simulatorUrl, faces] = [await simulator.listen(0, '127.0.0.1'), await startFaces()];
    const places = { simulatorUrl, facesUrl: faces.url };
    const leaving = await openLeaving({ ...places, storeUrl });
    let running: ReturnType<typeof spawnNode> | undefined;
    onTestFinished(async () => {
      if (running) await end(running, 'SIGKILL');
      await leaving.close();
      await Promise.all([wire.close(), simulator.close(), faces.close()]);
    });
    let starts = 0;
    const start = async () => {
      starts += 1;
      const child = spawnNode([eraser], {
        ...{ STORE_URL: redisUrl.href, SIMULATOR_URL: simulatorUrl, FACES_URL: faces.url },
        AHEAD_MS: String(starts * 600_000),
      });
      await lineOf(child, (line) => line === 'ready');
      return child;
    };

    const erased: Awaited<ReturnType<typeof settleIn>>[] = [];
    let killed = 0;
    running = await start();
    for (let point = 1; ; point += between) {
      expect(point).toBeLessThan(mostPoints);
      const person = await settleIn(leaving, places, `person-${point}`, 2);
      faces.kept.add(person.enrolment.vendorData);
      const { id } = person.account;
      const child = running;
      const [state, gone] = [{ passed: 0, reached: false }, Promise.withResolvers<undefined>()];
      wire.watch(async (way) => {
        if (way === direction) state.passed += 1;
        if (state.reached || way !== direction || state.passed < point) return 'pass';
        state.reached = true;
        await end(child, 'SIGKILL');
        gone.resolve(undefined);
        return 'swallow';
      });
      await leaving.erasure.eraseAccount(id);
      const isFinished = async () => (await leaving.erasure.report(id))?.finishedAtMs !== undefined;
      while (!state.reached && !(await isFinished())) await sleep(20);
      wire.watch(() => 'pass');
      if (state.reached) {
        killed += 1;
        await gone.promise;
        running = await start();
        while (!(await isFinished())) await sleep(20);
      }
      erased.push(person);
      const report = (await leaving.erasure.report(id))!;
      const open = Object.values(report.steps).filter(({ doneAtMs }) => doneAtMs === undefined);
      expect(open, `steps that are open after ${point}`).toEqual([]);
      if (!state.reached) break;
    }
    expect(killed).toBeGreaterThan(5);

    expect([...faces.kept]).toEqual([]);
    for (const { sessions, enrolment } of erased) {
      for (const session of sessions) {
        expect((await ask(simulatorUrl, `/v3/session/${session}/decision/`)).status).toBe(404);
      }
      expect((await ask(simulatorUrl, `/v3/users/${enrolment.vendorData}/`)).status).toBe(404);
    }
    // A name that is given up lasts a second more.
    await sleep(1_500);
    const all = await dumpRedis(storeUrl);
    const canaries = erased.flatMap((person) => person.canaries);
    expect(canaries.filter((canary) => all.includes(canary))).toEqual([]);
  },
  300_000,
);

function ask(simulatorUrl: string, path: string): Promise<Response> {
  return fetch(simulatorUrl + path, { headers: { 'x-api-key': simulatorKey } });
}
