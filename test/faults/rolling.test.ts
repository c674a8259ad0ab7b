/** Three instances that know nothing of each other but their Redis, replaced one by one while people sign in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type ProviderProcess, prepareDeployment } from '../e2e/deployment.ts';
import { startProxy } from '../e2e/proxy.ts';
import { createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { visit } from './people.ts';

const logins = 50;
const everyMs = 200;

it('[RL-05] three instances are restarted one after the other, and fifty logins notice nothing', async () => {
  const deployment = await prepareDeployment({
    storeUrl: await freshRedis(),
    windowless: { people: 20 * logins },
  });
  const instances: number[] = [];
  let turn = 0;
  const proxy = await startProxy(deployment.port, () => instances[turn++ % instances.length]!);
  onTestFinished(async () => {
    await proxy.close();
    await deployment.close();
  });
  const start = async (): Promise<ProviderProcess> => {
    const instance = await deployment.start({ PORT: '0', TRUST_PROXY: '1' });
    instances.push(instance.publicPort);
    return instance;
  };
  const old = await Promise.all([start(), start(), start()]);
  const party = await createParty(deployment);

  let restarted = 0;
  const restarts = (async () => {
    for (const instance of old) {
      await sleep(1_000);
      // The proxy finds out for itself that this one is gone.
      expect(await instance.end('SIGTERM')).toBe(0);
      instances.splice(instances.indexOf(instance.publicPort), 1);
      await start();
      restarted += 1;
    }
  })();
  const started: Promise<{ person: string; during: number; ended: unknown }>[] = [];
  // Before, between and after the restarts, however long they take.
  for (
    let after = 0;
    after < 5 || started.length < logins;
    after += restarted === old.length ? 1 : 0
  ) {
    const [person, during] = [deployment.person(), restarted];
    started.push(visit(party, person).then((ended) => ({ person, during, ended })));
    await sleep(everyMs);
  }
  await restarts;
  const all = await Promise.all(started);
  for (const { person, ended } of all) expect(ended).toMatchObject({ email: person });
  expect(all.length).toBeGreaterThanOrEqual(logins);
  expect(new Set(all.map(({ during }) => during))).toEqual(new Set([0, 1, 2, 3]));
}, 120_000);
