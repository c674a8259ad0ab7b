/** What one operator, or a program, cannot do alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import { createReviews } from '../../src/store/reviews.ts';
import { smallRandom } from '../../src/store/random.ts';
import { type Scene, minute, openScene, recordOf } from '../support/account.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { kycWorkflowId } from '../support/enrol.ts';
import { recordsOn } from '../support/operators.ts';
import { workflowId } from '../support/testbed.ts';

let scene: Scene;
let call: ReturnType<typeof apiOf>;
/** Two of the people here, who are operators as well. */
let operators: string[];
let roles: ReturnType<typeof recordsOn>['operators'];
beforeAll(async () => {
  const workflows = { passive: workflowId, kyc: kycWorkflowId };
  const flags = {
    registration: 'open',
    reviews: { twoPeople: true },
    didit: { workflows },
  } as const;
  scene = await openScene({ flags });
  call = apiOf(scene.bed, await makeKey(scene.bed));
  operators = [await subOf(scene.bed.person()), await subOf(scene.bed.person())];
  ({ operators: roles } = recordsOn(scene.store));
  for (const sub of operators) await roles.add(sub, 'reviewer', 'test');
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

async function subOf(address: string): Promise<string> {
  const { body } = await call('GET', `/accounts?named=${encodeURIComponent(address)}`);
  return (body['accounts'] as { sub: string }[])[0]?.sub ?? '';
}

/** Somebody who has shown a document. */
async function enrolled(): Promise<{ sub: string; address: string }> {
  const address = scene.bed.person();
  const sub = await subOf(address);
  const record = await recordOf(scene.store, sub);
  const enrolment = { ...record.enrolment, identity: { person: 'p', document: 'd' } };
  await scene.store.put(`account:${sub}`, JSON.stringify({ ...record, enrolment }));
  scene.pass(minute);
  return { sub, address };
}

const mailsTo = (address: string): string[] =>
  scene.bed.mails.filter(({ to }) => to.address === address).map(({ message }) => message.kind);

const linkTo = (address: string): string =>
  scene.bed.mails.flatMap(({ to, message }) =>
    to.address === address && message.kind === 'invitation' ? [message.link] : [],
  )[0] ?? '';

const operator = (name = '', more: Partial<Actor> = {}): Actor => ({
  ...{ kind: 'operator', name, role: 'admin', acr: 'phr:test' },
  ...{ authTime: Math.floor(Date.now() / 1000), ...more },
});

const perform = (id: string, sub: string, by: Actor, body?: object): Promise<unknown> =>
  scene.bed.app.perform(actNamed(id), { params: { id: sub }, ...(body ? { body } : {}) }, by).then(
    (answer) => answer['state'] ?? 'done',
    (error: unknown) => (error as { code: string }).code,
  );

describe('[EN-10] a recovery', () => {
  test('is refused to whoever signed in with less than a passkey or their own device', async () => {
    const { sub } = await enrolled();
    const weak = ['urn:didit-oidc:acr:selfie:test', 'urn:didit-oidc:acr:fallback:test', 'phr', ''];
    for (const acr of weak) {
      expect(await perform('recoveries.open', sub, operator(operators[0], { acr }))).toBe(
        'sign_in_again',
      );
    }
    const old = operator(operators[0], { authTime: 1 });
    expect(await perform('recoveries.open', sub, old)).toBe('sign_in_again');
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toEqual({ state: 'none' });
  });

  test('takes two, and the person is written to and nobody is let in by it', async () => {
    const { sub, address } = await enrolled();
    expect(await perform('recoveries.open', sub, operator(operators[0]))).toBe('asked');
    expect(await perform('recoveries.open', sub, operator(operators[0]))).toBe('conflict');
    expect(await perform('recoveries.link', sub, operator(operators[0]))).toBe('conflict');
    expect(mailsTo(address)).toEqual([]);
    expect(await perform('recoveries.open', sub, operator(operators[1]))).toBe('began');
    await expect.poll(() => mailsTo(address)).toEqual(['recovery_began']);
    expect(await perform('recoveries.link', sub, operator(operators[1]))).toBe('conflict');
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toMatchObject({ state: 'waits' });
    expect((await call('GET', `/accounts/${sub}/sessions`)).body).toEqual({ sessions: [] });
    expect((await call('DELETE', `/accounts/${sub}/recovery`)).status).toBe(200);
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toEqual({ state: 'none' });
  });

  test('is opened by nobody for themselves, and on no name that was only typed', async () => {
    const { sub } = await enrolled();
    expect(await perform('recoveries.open', sub, operator(sub))).toBe('conflict');
    expect(await perform('recoveries.open', sub, operator('typed'))).toBe('asked');
    expect(await perform('recoveries.open', sub, operator(operators[1]))).toBe('conflict');
  });

  test('takes two people, and not two names of one', async () => {
    const { sub } = await enrolled();
    const [one = ''] = operators;
    const record = await recordOf(scene.store, one);
    expect(await perform('recoveries.open', sub, operator(one))).toBe('asked');
    const byMail = operator(record.email ?? '');
    expect(await perform('recoveries.open', sub, byMail)).toBe('conflict');
  });

  test('counts no half of somebody who is no operator any more', async () => {
    const { sub, address } = await enrolled();
    const gone = await subOf(scene.bed.person());
    await roles.add(gone, 'reviewer', 'test');
    expect(await perform('recoveries.open', sub, operator(gone))).toBe('asked');
    await roles.remove(gone);
    expect(await perform('recoveries.open', sub, operator(operators[0]))).toBe('conflict');
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toMatchObject({ state: 'asked' });
    expect(mailsTo(address)).toEqual([]);
  });

  test('that nobody seconded is over after a day, whoever asked for it', async () => {
    const { sub } = await enrolled();
    expect(await perform('recoveries.open', sub, operator('typed'))).toBe('asked');
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toMatchObject({ state: 'asked' });
    scene.pass(24 * 60 * minute);
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toEqual({ state: 'none' });
    expect(await perform('recoveries.open', sub, operator(operators[1]))).toBe('asked');
  });

  test('every try stands in the audit log', async () => {
    const { sub } = await enrolled();
    await perform('recoveries.open', sub, operator(operators[0], { acr: '' }));
    expect(scene.bed.events.at(-1)).toMatchObject({
      ...{ event: 'operator.refused', act: 'recoveries.open', reason: 'sign_in_again' },
      ...{ object: sub, operators: [operators[0]] },
    });
  });
});

describe('[EN-10] a case that takes two people', () => {
  async function openCase(): Promise<string> {
    const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
    const { sub } = await enrolled();
    const opened = await createReviews(scene.store, { clock: Date.now, random }).open({
      ...{ reference: 'ABCD-EFGH', attempt: 'a', account: sub, kind: 'login' },
      ...{ client: { id: 'first', name: 'First' }, diditSessionId: sub, reason: 'in_review' },
    });
    return opened?.id ?? '';
  }
  const reason = 'Looked at both pictures';

  test('is approved by no key, and by nobody twice', async () => {
    const id = await openCase();
    expect((await call('POST', `/reviews/${id}/approve`, { body: { reason } })).status).toBe(403);
    const approve = (by: Actor) => perform('reviews.approve', id, by, { reason });
    expect(await approve(operator(operators[0]))).toBe('waits');
    expect(await approve(operator(operators[0]))).toBe('conflict');
    expect((await call('GET', `/reviews/${id}`)).body).toMatchObject({ status: 'open' });
    expect(await approve(operator(operators[1]))).toBe('approved');
    const { body } = await call('GET', `/reviews/${id}`);
    expect(body).toMatchObject({ status: 'approved', closed_by: operators, closed_reason: reason });
  });

  test('counts no half of somebody who is no operator any more, or may only look', async () => {
    const id = await openCase();
    const gone = await subOf(scene.bed.person());
    const approve = (by: Actor) => perform('reviews.approve', id, by, { reason });
    await roles.add(gone, 'reviewer', 'test');
    expect(await approve(operator(gone))).toBe('waits');
    await roles.setRole(gone, 'viewer');
    expect(await approve(operator(operators[0]))).toBe('waits');
    await roles.remove(gone);
    expect(await approve(operator(operators[1]))).toBe('approved');
    expect((await call('GET', `/reviews/${id}`)).body).toMatchObject({ closed_by: operators });
  });

  test('is decided by nobody about themselves', async () => {
    const id = await openCase();
    const account = String((await call('GET', `/reviews/${id}`)).body['account']);
    for (const act of ['reviews.approve', 'reviews.decline']) {
      expect(await perform(act, id, operator(account), { reason })).toBe('forbidden');
    }
    expect((await call('GET', `/reviews/${id}`)).body).toMatchObject({ status: 'open' });
  });

  test('is declined by one, with a reason, and by nobody who only looks', async () => {
    const id = await openCase();
    const { body } = await call('GET', '/reviews?limit=200');
    expect((body['reviews'] as { id: string }[]).map((one) => one.id)).toContain(id);
    expect((await call('POST', `/reviews/${id}/decline`, { body: {} })).status).toBe(422);
    const viewer = operator(operators[0], { role: 'viewer' });
    expect(await perform('reviews.decline', id, viewer, { reason })).toBe('forbidden');
    const declined = await call('POST', `/reviews/${id}/decline`, { body: { reason } });
    expect(declined.body).toMatchObject({ id, state: 'declined' });
    expect((await call('POST', `/reviews/${id}/decline`, { body: { reason } })).status).toBe(409);
  });
});

describe('people who come and go', () => {
  test('are invited once more until they come, and not by an invitation that was withdrawn', async () => {
    const body = { email: 'new.person@example.com', groups: ['staff'] };
    const first = await call('POST', '/accounts', { body });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      ...{ sub: expect.any(String) as string, until: expect.any(String) as string },
      sent_to: body.email,
    });
    const { sub } = first.body as { sub: string };
    await expect.poll(() => mailsTo(body.email)).toEqual(['invitation']);
    const link = linkTo(body.email);
    expect((await fetch(link)).status).toBe(200);
    expect((await call('DELETE', `/accounts/${sub}/invitation`)).status).toBe(200);
    expect((await fetch(link)).status).toBeGreaterThanOrEqual(400);
    const here = await call('POST', '/accounts', { body: { email: scene.bed.person() } });
    expect(here.status).toBe(409);
  });

  test('are erased after the days in which they may say otherwise, and are written to', async () => {
    const { sub, address } = await enrolled();
    const path = `/accounts/${sub}/erasure`;
    expect((await call('POST', path, { body: { what: 'account' } })).status).toBe(200);
    expect((await call('GET', path)).body).toMatchObject({ planned: { what: 'account' } });
    await expect.poll(() => mailsTo(address)).toEqual(['erasure_planned']);
    expect((await call('DELETE', path)).status).toBe(200);
    expect((await call('GET', path)).body).toEqual({});
    expect((await call('DELETE', path)).status).toBe(409);
    await expect.poll(() => mailsTo(address)).toEqual(['erasure_planned', 'erasure_cancelled']);
  });
});
