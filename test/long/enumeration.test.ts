/** Can a clock tell who has an account? Three hundred names that have one and three hundred that have none. */
import { expect, it, onTestFinished } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { createParty, press, settle } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';

const eachKind = 300;
const atOnce = 4;
const separable = 0.07;

it('[AB-01] neither the name nor the selfie takes longer for somebody who is known', async () => {
  const bed = await startTestbed({
    storeUrl: await freshRedis(),
    people: eachKind,
    flags: {
      didit: { createsPerMinute: 10_000, createFloorMs: 500 },
      limits: { perHour: 100_000, perDay: 1_000_000 },
    },
  });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const names = Array.from({ length: eachKind }, () => {
    const known = bed.person();
    // As long, and nobody's.
    return [
      { name: known, isKnown: true },
      { name: known.replace('person', 'nobody'), isKnown: false },
    ];
  }).flat();
  const waiting = names
    .map((one) => ({ ...one, order: crypto.getRandomValues(new Uint32Array(1))[0]! }))
    .sort((a, b) => a.order - b.order);

  const took = { identify: times(), selfie: times() };
  async function visitor(): Promise<void> {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const browser = createBrowser();
      const identify = await settle(browser, await browser.get((await party.begin()).url));
      const namedAt = performance.now();
      const named = await press(browser, identify, 'identify', { identifier: next.name });
      took.identify[next.isKnown ? 'known' : 'unknown'].push(performance.now() - namedAt);
      const context = await settle(browser, named);
      const pressedAt = performance.now();
      const selfie = await press(browser, context, 'selfie');
      took.selfie[next.isKnown ? 'known' : 'unknown'].push(performance.now() - pressedAt);
      expect(selfie.location).toContain(bed.simulatorUrl);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, visitor));

  for (const [step, { known, unknown }] of Object.entries(took)) {
    expect([known.length, unknown.length]).toEqual([eachKind, eachKind]);
    const area = areaUnderCurve(known, unknown);
    console.log(`${step}: known and unknown are told apart with an AUC of ${area.toFixed(3)}`);
    expect(Math.abs(area - 0.5)).toBeLessThanOrEqual(separable);
  }
}, 600_000);

function times(): { known: number[]; unknown: number[] } {
  return { known: [], unknown: [] };
}

/** How often one of the first is larger than one of the second; half means that nothing tells them apart. */
function areaUnderCurve(first: readonly number[], second: readonly number[]): number {
  const wins = first.map((a) =>
    second.reduce((sum, b) => sum + (a > b ? 1 : a === b ? 0.5 : 0), 0),
  );
  return wins.reduce((sum, one) => sum + one, 0) / (first.length * second.length);
}
