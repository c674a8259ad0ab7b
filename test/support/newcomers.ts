/** A provider at which anybody may enrol, what it keeps, and what it asks of Didit: for those who attack it. */
import { createAccounts } from '../../src/store/accounts.ts';
import { createFactorRecords } from '../../src/store/factors.ts';
import type { Store } from '../../src/store/store.ts';
import { overhear } from '../didit/support.ts';
import { type Answer, type TestBrowser, formTokenFor } from './browser.ts';
import { agree, confirmAddress, openToAll, takeCodes, toJoin } from './enrol.ts';
import { type PartyRequest, createParty, interactionOf, settle } from './login.ts';
import { freshRedis } from './redis.ts';
import { type TestbedOptions, startTestbed } from './testbed.ts';

export const random = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');

export type Newcomers = Awaited<ReturnType<typeof startNewcomers>>;

/** Each browser may be in a network of its own (`browserElsewhere`), since a network may have few mails sent. */
export async function startNewcomers({ flags, ...options }: TestbedOptions = {}) {
  const overheard = overhear();
  const storeUrl = await freshRedis();
  const bed = await startTestbed({
    ...{ storeUrl, fetch: overheard.fetch, ...options },
    flags: { ...openToAll, trustProxy: 1, ...flags },
  });
  const store = await bed.openStore();
  return {
    ...{ bed, store, storeUrl, overheard, party: await createParty(bed) },
    /** Read past what a process remembers. */
    account: (address: string) => accountOf(store, address),
    factorsOf: async (address: string) => {
      const id = (await accountsOf(store).idOf(address)) ?? '';
      return createFactorRecords(store).load(id);
    },
    async close(): Promise<void> {
      await store.close();
      await bed.close();
    },
  };
}

export const accountsOf = (store: Store) => createAccounts(store, { clock: Date.now, random });

async function accountOf(store: Store, address: string) {
  const accounts = accountsOf(store);
  const id = await accounts.idOf(address);
  return id === undefined ? undefined : accounts.find(id);
}

/** As far as the page with the consent. */
export async function toConsent(
  { bed }: Newcomers,
  browser: TestBrowser,
  request: PartyRequest,
  address: string,
): Promise<Answer> {
  return confirmAddress(bed, browser, await toJoin(browser, request), address);
}

/** As far as the page before the document. */
export async function toDocument(
  newcomers: Newcomers,
  browser: TestBrowser,
  request: PartyRequest,
  address: string,
): Promise<{ page: Answer; codes: string[] }> {
  const consent = await toConsent(newcomers, browser, request, address);
  return takeCodes(newcomers.bed, browser, await agree(browser, consent));
}

/** A step that no page offers just now, with the token that this browser was given. */
export async function force(
  { bed }: Pick<Newcomers, 'bed'>,
  browser: TestBrowser,
  step: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const here = await interactionOf(browser, bed);
  return browser.post(`${here}/${step}`, { ...formTokenFor(here), ...fields });
}

/** What this browser's sign-in shows now. */
export async function look({ bed }: Pick<Newcomers, 'bed'>, browser: TestBrowser): Promise<Answer> {
  return settle(browser, await browser.get(await interactionOf(browser, bed)));
}
