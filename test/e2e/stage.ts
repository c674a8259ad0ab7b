/** Everything that a story in a browser needs: provider, Didit, three applications, one Chromium. */
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { type Person, hostedOrigin, launchChromium, newPerson } from '../support/chromium.ts';
import { type Testbed, type TestbedOptions, startTestbed } from '../support/testbed.ts';
import { type Apps, prepareApps } from './apps.ts';

export interface Stage {
  bed: Testbed;
  apps: Apps['urls'];
  browser: Browser;
  newPerson(options?: BrowserContextOptions): Promise<Person>;
  /** How many checks Didit was asked for so far: each is one selfie, and costs money. */
  selfiesAskedFor(): Promise<number>;
  close(): Promise<void>;
}

/**
 * @param options `storeUrl`: a Redis, for tests that look into the store; `didit`: settings of that group besides;
 *   `clients`: more of them, or more that is said of one.
 */
export async function openStage(
  options: Pick<TestbedOptions, 'storeUrl' | 'clients'> & { didit?: object } = {},
): Promise<Stage> {
  const apps = await prepareApps();
  const bed = await startTestbed({
    ...(options.storeUrl === undefined ? {} : { storeUrl: options.storeUrl }),
    clients: [...apps.clients, ...(options.clients ?? [])],
    simulator: { hostedOrigin },
    flags: {
      didit: { hostedOrigins: [hostedOrigin], ...options.didit },
      outgoing: { allowPrivateNetworks: true },
    },
  });
  await apps.start(bed.issuer);
  const browser = await launchChromium(bed.simulatorUrl);
  return {
    ...{ bed, browser },
    apps: apps.urls,
    newPerson: (options) => newPerson(browser, options),
    async selfiesAskedFor() {
      const { calls } = await bed.log();
      return calls.filter(({ operation }) => operation === 'create').length;
    },
    async close() {
      await browser.close();
      await apps.close();
      await bed.close();
    },
  };
}
