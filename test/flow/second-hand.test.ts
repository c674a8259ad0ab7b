/** An enrolment that was approved by hand: who may be the second hand, and what is left where it breaks off. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWithdraw } from '../../src/didit/withdraw.ts';
import { type ReviewTools, approveReview, declineReview } from '../../src/enrol/review.ts';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import type { ReviewCase } from '../../src/store/reviews.ts';
import { callDidit, overhear } from '../didit/support.ts';
import { type Scene, day, minute, openScene, recordOf } from '../support/account.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { createBrowser } from '../support/browser.ts';
import {
  agree,
  confirmAddress,
  openToAll,
  showDocument,
  takeCodes,
  toJoin,
} from '../support/enrol.ts';
import { createParty } from '../support/login.ts';
import { recordsOn } from '../support/operators.ts';

vi.setConfig({ testTimeout: 60_000 });

const overheard = overhear();
let scene: Scene;
let records: ReturnType<typeof recordsOn>;
beforeAll(async () => {
  scene = await openScene({ fetch: overheard.fetch, flags: openToAll });
  records = recordsOn(scene.store);
});
afterAll(() => scene.close());

/** Somebody whose document was approved by hand at Didit a day ago. */
async function approvedByHand(address: string): Promise<ReviewCase> {
  const browser = createBrowser();
  const join = await toJoin(browser, await (await createParty(scene.bed)).begin());
  const consent = await confirmAddress(scene.bed, browser, join, address);
  const { page } = await takeCodes(scene.bed, browser, await agree(browser, consent));
  await showDocument(browser, page, 'review-document');
  const path = `/v3/session/${overheard.latest().diditSessionId}/update-status/`;
  const account = await records.accounts.idOf(address);
  const found = await vi.waitFor(async () => {
    const [one] = await Array.fromAsync(records.reviews.list({ account }));
    if (!one) throw new Error('no case yet');
    return one;
  }, 10_000);
  await callDidit(scene.bed, 'PATCH', path, { new_status: 'Approved' });
  scene.pass(day + minute);
  return found;
}

const operator = (name: string, more: Partial<Actor> = {}): Actor => ({
  ...{ kind: 'operator', name, role: 'reviewer', acr: 'phr:test' },
  ...{ authTime: Math.floor(Date.now() / 1000), ...more },
});

const approve = ({ id }: ReviewCase, by: Actor): Promise<unknown> =>
  scene.bed.app
    .perform(actNamed('reviews.approve'), { params: { id }, body: { reason: 'it is right' } }, by)
    .then(
      (answer) => answer['state'],
      (error: unknown) => (error as Error).message,
    );

const faceOf = async ({ account }: ReviewCase) =>
  (await recordOf(scene.store, account)).enrolment?.diditSessionId;

describe('[EN-06] the second hand', () => {
  it('is not that of whoever approved it at Didit, under whichever of their names', async () => {
    const found = await approvedByHand('nora@example.com');
    // What Didit calls whoever approves by its API.
    const names = { email: 'olga@example.com', username: 'API Client' };
    const olga = (await records.accounts.add({ ...names, groups: [] }))!;
    await records.operators.add(olga.id, 'reviewer', 'test');
    expect(await approve(found, operator(olga.id))).toContain('approved it at Didit');
    expect(await faceOf(found)).toBeUndefined();
    expect(await approve(found, operator('otto'))).toBe('approved');
    expect(await faceOf(found)).toBe(found.diditSessionId);
  });

  it('is nobody’s about their own face', async () => {
    const found = await approvedByHand('mallory@example.com');
    expect(await approve(found, operator(found.account))).toBe('nobody decides about themself');
    const word = { operator: 'mallory@example.com', reason: 'it is me' };
    // By the name that they type at the machine.
    await expect(approveReview(found, word, toolsFor())).rejects.toThrow('decides nothing about');
    expect(await faceOf(found)).toBeUndefined();
  });

  it('is that of a person who has just signed in with something strong, and of no program', async () => {
    const found = await approvedByHand('program@example.com');
    const call = apiOf(scene.bed, await makeKey(scene.bed));
    const body = { reason: 'x' };
    expect((await call('POST', `/reviews/${found.id}/approve`, { body })).status).toBe(403);
    const old = Math.floor(Date.now() / 1000) - 400;
    expect(await approve(found, operator('r', { authTime: old }))).toContain('last five minutes');
    const acr = 'urn:didit-oidc:acr:selfie:test';
    expect(await approve(found, operator('r', { acr }))).toContain('passkey');
    expect(await faceOf(found)).toBeUndefined();
  });
});

/** With the functions. @param meanwhile what happens while Didit is asked. */
function toolsFor(meanwhile: () => Promise<void> = () => Promise.resolve()): ReviewTools {
  const { bed } = scene;
  return {
    ...{ ...records, twoPeople: false, issuer: bed.issuer, mail: () => Promise.resolve() },
    ...{ otherWays: { records: records.factorRecords }, identitySecret: 'of this test' },
    eraseReplaced: () => Promise.resolve(),
    withdraw: () => Promise.reject(new Error('nobody was signed in')),
    async openDidit() {
      const { createDiditApi } = await import('../../src/didit/api.ts');
      const api = createDiditApi({
        ...{ apiBaseUrl: bed.simulatorUrl, apiKey: bed.apiKey, hostedOrigins: [bed.simulatorUrl] },
        ...{ fetch, clock: records.clock, createsPerMinute: 1, hash: records.hash },
        ...{ warn: () => undefined, alarm: () => undefined },
        media: { origins: [bed.simulatorUrl], allowPlainHttp: true, fetch },
      });
      const didit: typeof api = {
        ...api,
        async readEnrolment(...given) {
          const read = await api.readEnrolment(...given);
          await meanwhile();
          return read;
        },
      };
      return { didit, settings: { faceReference: 'portrait' } };
    },
  };
}

const yes = { operator: 'otto', reason: 'the document is right' };
const no = { operator: 'olga', reason: 'a forged document' };

describe('[EN-06] of two operators', () => {
  it('one says no while the other’s yes is carried out, and is told that it is too late', async () => {
    const found = await approvedByHand('late@example.com');
    const said: string[] = [];
    const meanwhile = () =>
      declineReview(found, no, toolsFor()).then(
        ({ state }) => void said.push(state),
        (error: unknown) => void said.push((error as Error).message),
      );
    const done = await approveReview(found, yes, toolsFor(meanwhile));
    expect([done.state, said]).toEqual(['approved', [`${found.id} was changed meanwhile`]]);
    expect(await records.reviews.find(found.id)).toMatchObject({ status: 'approved' });
    expect(await faceOf(found)).toBe(found.diditSessionId);
  });

  it('one says no after the other’s yes broke off', async () => {
    const found = await approvedByHand('broke-off@example.com');
    const breaksOff = () => Promise.reject(new Error('the store does not answer'));
    await expect(approveReview(found, yes, toolsFor(breaksOff))).rejects.toThrow('the store');
    expect(await declineReview(found, no, toolsFor())).toMatchObject({ state: 'declined' });
    expect(await faceOf(found)).toBeUndefined();
  });

  it('one died over a yes: after ten minutes the other decides', async () => {
    const found = await approvedByHand('died@example.com');
    const lives = Promise.withResolvers<undefined>();
    const reached = Promise.withResolvers<undefined>();
    const dying = approveReview(
      found,
      yes,
      toolsFor(() => {
        reached.resolve(undefined);
        return lives.promise;
      }),
    );
    await reached.promise;
    await expect(declineReview(found, no, toolsFor())).rejects.toThrow('changed meanwhile');
    scene.pass(11 * minute);
    const now = (await records.reviews.find(found.id))!;
    expect(await declineReview(now, no, toolsFor())).toMatchObject({ state: 'declined' });
    // And should it live again, it finds nothing to keep, and the case closed.
    lives.resolve(undefined);
    await expect(dying).rejects.toThrow('was declined meanwhile');
    expect(await faceOf(found)).toBeUndefined();
    expect(await records.reviews.find(found.id)).toMatchObject({ status: 'declined' });
  });

  it('none says no to a face that is kept: the yes that died over it is finished', async () => {
    const found = await approvedByHand('kept@example.com');
    await records.accounts.change(found.account, (now) => ({
      ...now,
      enrolment: { id: 'e', vendorData: 'v', diditSessionId: found.diditSessionId ?? '' },
    }));
    await expect(declineReview(found, no, toolsFor())).rejects.toThrow('counts already');
    expect(await approveReview(found, yes, toolsFor())).toMatchObject({ state: 'approved' });
  });
});

describe('[VD-06] a sign-in that was put in doubt', () => {
  it('is taken back by the second try where the first one broke off', async () => {
    const found = (await records.reviews.open({
      ...{ reference: 'AAAA-3333', attempt: 'a', account: 'somebody', kind: 'login' },
      ...{ client: { id: 'first', name: 'First' }, diditSessionId: 'd-1', reason: 'in_review' },
      authTime: 1_700_000_000,
    }))!;
    const taken: string[] = [];
    const failing = {
      ...toolsFor(),
      withdraw: () => Promise.reject(new Error('the store does not answer')),
    };
    const working = {
      ...toolsFor(),
      withdraw: (one: { reference: string }) => Promise.resolve(void taken.push(one.reference)),
    };
    await expect(declineReview(found, no, failing)).rejects.toThrow('the store');
    expect(await records.reviews.find(found.id)).toMatchObject({ status: 'open' });
    expect(await declineReview(found, no, working)).toEqual({ state: 'declined', mailed: true });
    expect(taken).toEqual(['AAAA-3333']);
  });

  it('leaves its browser no key, also where the first try broke off before that', async () => {
    const account = (await records.accounts.idOf(scene.bed.person())) ?? '';
    const authTime = Math.floor(Date.now() / 1000);
    const key = { id: 'k', publicKey: {}, addedAtMs: authTime * 1000, lastAtMs: authTime * 1000 };
    await records.familiar.change(account, (now) => ({ ...now, keys: [key as never] }));
    const signIn = { attempt: 'a', reference: 'AAAA-4444', account, authTime };
    const client = { id: 'first', name: 'First' };
    const fails = () => Promise.reject(new Error('the store does not answer'));
    const broken = createWithdraw({ ...records, familiar: { change: fails } });
    await expect(broken({ ...signIn, client }, 'declined')).rejects.toThrow('the store');
    await createWithdraw(records)({ ...signIn, client }, 'declined');
    expect((await records.familiar.load(account)).keys).toEqual([]);
  });

  it('is told by one of several that take it back', async () => {
    const account = (await records.accounts.idOf(scene.bed.person())) ?? '';
    const told: string[] = [];
    const record = ({ event }: { event: string }): void => void told.push(event);
    const withdraw = createWithdraw({ ...records, record });
    const client = { id: 'first', name: 'First' };
    const authTime = Math.floor(Date.now() / 1000);
    const signIn = { attempt: 'a', reference: 'AAAA-5555', client, account, authTime };
    const answers = await Promise.all([1, 2, 3].map(() => withdraw(signIn, 'declined')));
    expect(answers.toSorted()).toEqual([false, false, true]);
    expect(told).toEqual(['login.withdrawn']);
  });
});
