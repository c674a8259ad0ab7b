/** Signing, cookie, DPoP and store keys are changed again and again for a minute and more, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { pace, startRotationBed } from '../support/rotation.ts';

const forMs = 60_000;

it('[PL-03] in a minute in which every key is changed over and over nobody is kept out', async () => {
  const bed = await startRotationBed(2_000);
  onTestFinished(() => bed.close());
  const changed: string[] = [];
  const change = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await work();
    changed.push(what);
  };
  const { failed, logins, kids } = await bed.during(async () => {
    const endsMs = performance.now() + forMs;
    while (performance.now() < endsMs) {
      await change('signing', () => bed.keys('rotate', 'signing'));
      await change('cookies', () => bed.keys('rotate', 'cookies'));
      await change('dpop', () => bed.keys('rotate', 'dpop'));
      await change('store', () => bed.keys('rotate', 'store'));
      await sleep((pace.publishedForSeconds + 2) * 1000);
      await change('reseal', () => bed.keys('reseal'));
    }
  });
  console.log(`${logins} logins, ${changed.length} changes, ${kids.length} signing keys`);
  expect({ failed }).toEqual({ failed: [] });
  expect(logins).toBeGreaterThan(60);
  expect(kids.length).toBeGreaterThan(2);
  expect(changed.filter((what) => what === 'store').length).toBeGreaterThan(1);
}, 600_000);
