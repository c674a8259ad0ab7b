/** What stands in the audit log after whole sign-ins: exactly these entries, in this order, about these. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../src/domain/audit.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { type Audit, createAudit } from '../../src/store/audit.ts';
import { createExplanations } from '../../src/store/explanations.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import {
  type Outcome,
  type PartyRequest,
  createBrowser,
  createParty,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const selfie = 'urn:didit-oidc:acr:selfie:test';
let bed: Testbed;
let store: Store;
let audit: Audit;

beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis(), people: 20 });
  store = await bed.openStore();
  audit = createAudit(store, {
    ...{ clock: Date.now, keptSeconds: 86_400, explanations: createExplanations(store, Date.now) },
    hash: (text) => createHash('sha256').update(text).digest('base64url'),
    failed: () => undefined,
  });
  // The verdict comes when a test says so: who is first, it or the browser, is otherwise chance.
  await bed.control('faults', { webhooks: { mode: 'withhold' } });
});
afterAll(async () => {
  await bed.close();
  await store.close();
});

/** The selfie is taken, the browser is back, and then the verdict comes. */
async function throughDidit(
  browser: TestBrowser,
  request: PartyRequest,
  [person, outcome]: [string, Outcome],
): Promise<Answer> {
  const didit = await toSelfie(browser, request, person);
  const back = await settle(browser, await takeSelfie(browser, didit, outcome));
  await bed.control('webhooks/release', {});
  return whileWaiting(browser, back);
}

type About = Pick<AuditEntry, 'attempt' | 'reference' | 'account' | 'claimed' | 'client'>;

/** All of the sign-in that ends with this event, once that is written, in the order of the chain. */
async function written(end: AuditEntry['event']): Promise<{ entries: AuditEntry[]; about: About }> {
  const last = await vi.waitFor(
    async () => {
      const { entries } = await audit.page({ event: end, limit: 1 });
      expect(entries).toHaveLength(1);
      return entries[0]!;
    },
    { timeout: 5_000, interval: 50 },
  );
  const { entries } = await audit.page({ attempt: last.attempt! });
  const { attempt, reference, client } = last;
  return { entries: entries.reverse(), about: { attempt, reference, client } as About };
}

/** Without the times, which no test can name. */
const told = (entries: readonly AuditEntry[]) =>
  entries.map(({ seq: _, at: __, atMs: ___, ...entry }) => entry);

const accountOf = async (identifier: string): Promise<string> =>
  (await createAccounts(store, { clock: Date.now, random: () => '' }).idOf(identifier)) ?? '';

describe('[PL-26] the chain has', () => {
  it('every step of a sign-in by selfie, the account from where it was proven', async () => {
    const person = bed.person();
    const [browser, request] = [createBrowser(), await (await createParty(bed)).begin()];
    const ready = await throughDidit(browser, request, [person, 'approve']);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    await request.finish(done.location ?? '');

    const { entries, about } = await written('login.completed');
    const account = await accountOf(person);
    const enrolment = expect.any(String) as string;
    const of = { ...about, decision: 'selfie' };
    const waitedMs = expect.any(Number) as number;
    expect(told(entries)).toEqual([
      { event: 'login.started', ...about },
      {
        event: 'login.decided',
        ...about,
        ...{ claimed: account, decision: 'selfie' },
        reason: expect.stringContaining('selfie') as string,
      },
      { event: 'account.portrait_opened', ...about, account, enrolment, reason: 'sign_in' },
      { event: 'capture.created', ...of, claimed: account },
      { event: 'browser.returned', ...of, claimed: account },
      { event: 'verdict.received', ...of, account, reason: 'approved, place agrees', waitedMs },
      { event: 'login.completed', ...of, account, reason: selfie, waitedMs },
    ]);
    expect(about).toEqual({
      attempt: expect.stringMatching(/^[\w-]{22}$/) as string,
      reference: expect.stringMatching(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/) as string,
      client: 'first',
    });
    expect(JSON.stringify(entries)).not.toContain(person);
  });

  it('why somebody was not signed in, under the name that was claimed alone', async () => {
    const person = bed.person();
    const request = await (await createParty(bed, 'second')).begin();
    await throughDidit(createBrowser(), request, [person, 'spoof']);

    const { entries, about } = await written('login.denied');
    const claimed = await accountOf(person);
    const [, , opened] = entries;
    const of = { ...about, claimed, decision: 'selfie' };
    expect(told(entries)).toEqual([
      { event: 'login.started', ...about },
      { event: 'login.decided', ...of, reason: expect.any(String) as string },
      { ...told([opened!])[0], event: 'account.portrait_opened', account: claimed },
      { event: 'capture.created', ...of },
      { event: 'browser.returned', ...of },
      { event: 'verdict.received', ...of, reason: 'declined, place agrees' },
      { event: 'login.denied', ...of, reason: 'declined' },
    ]);
    expect(about.client).toBe('second');
  });

  it('that a selfie came from another browser than the one that asked', async () => {
    const person = bed.person();
    const request = await (await createParty(bed)).begin();
    const didit = await toSelfie(createBrowser(), request, person);
    const taker = createBrowser();
    const page = await taker.get(didit.url);
    await settle(taker, await takeSelfie(taker, page, 'approve'));

    const { entries, about } = await written('login.foreign');
    const claimed = await accountOf(person);
    expect(told(entries).map(({ event, claimed: whose }) => [event, whose])).toEqual([
      ['login.started', undefined],
      ['login.decided', claimed],
      ['account.portrait_opened', undefined],
      ['capture.created', claimed],
      ['login.foreign', claimed],
    ]);
    expect(entries.every(({ attempt }) => attempt === about.attempt)).toBe(true);
  });

  it('nothing that was changed, moved or taken out', async () => {
    await bed.app.close();
    const report = await audit.verify();
    expect(report).toMatchObject({ ok: true, firstSeq: 1, problems: [] });
    expect(report.entries).toBe(bed.events.length);
  });
});
