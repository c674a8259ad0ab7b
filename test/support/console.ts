/** Operators at the console, by a browser with a cookie jar. */
import type { Role } from '../../src/domain/operator.ts';
import { type Answer, type TestBrowser, createBrowser } from './browser.ts';
import { openRecords } from './operators.ts';
import { type TestbedOptions, startTestbed } from './testbed.ts';
import { freshRedis } from './redis.ts';
import { freePort } from './ports.ts';
import { tokenOn } from './enrol.ts';
import { press, settle, whileWaiting } from './login.ts';

export async function openConsole(options: TestbedOptions = {}) {
  const storeUrl = await freshRedis();
  const managementPort = await freePort();
  const bed = await startTestbed({ people: 60, ...options, storeUrl, managementPort });
  const records = await openRecords(bed);
  const origin = `http://127.0.0.1:${managementPort}`;
  return {
    ...{ bed, records, origin, storeUrl },
    /** A link as the command prints it. */
    async link(role: Role = 'admin', accountId?: string): Promise<string> {
      const whose = accountId === undefined ? {} : { accountId };
      const secret = await records.operatorLinks.issue({ ...whose, role, by: 'test' });
      return `${origin}/console/welcome/${secret}`;
    },
    async close(): Promise<void> {
      await records.store.close();
      await bed.close();
    },
  };
}

export type ConsoleScene = Awaited<ReturnType<typeof openConsole>>;

/** Follows a link and signs in by a selfie. @returns the page at the end. */
export async function enter(
  link: string,
  address: string,
  browser: TestBrowser = createBrowser(),
): Promise<{ browser: TestBrowser; page: Answer }> {
  const welcome = await browser.get(link);
  const asked = await settle(browser, await browser.post(link, tokenOn(welcome)));
  return { browser, page: await selfie(browser, asked, address) };
}

/** From the page that asks who it is to the page after the selfie. */
export async function selfie(
  browser: TestBrowser,
  asked: Answer,
  address: string,
): Promise<Answer> {
  const choice = await settle(
    browser,
    await press(browser, asked, 'identify', { identifier: address }),
  );
  const didit = await settle(browser, await press(browser, choice, 'selfie'));
  const back = await settle(browser, await browser.post(didit.url, { outcome: 'approve' }));
  const ready = await whileWaiting(browser, back);
  return settle(browser, await press(browser, ready, 'resume'));
}

/** An operator with a role, signed in. */
export async function operator(scene: ConsoleScene, role: Role = 'admin') {
  const address = scene.bed.person();
  const signedIn = await enter(await scene.link(role), address);
  const accountId = (await scene.records.accounts.idOf(address)) ?? '';
  return { address, accountId, ...signedIn };
}

export const look = (
  scene: Pick<ConsoleScene, 'origin'>,
  browser: TestBrowser,
  path: string,
): Promise<Answer> => browser.get(`${scene.origin}/console${path}`);

/** Sends a form of a page. */
export async function send(
  browser: TestBrowser,
  page: Answer,
  name: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const [, action] = new RegExp(`action="([^"]*/${name})"`).exec(page.text) ?? [];
  if (action === undefined) throw new Error(`no form "${name}" on this page`);
  return browser.post(new URL(action, page.url).href, { ...tokenOn(page), ...fields });
}
