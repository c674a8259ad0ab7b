/** Who may shut whom out, and what a block leaves as it was. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed, acts } from '../../src/ops/acts/index.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { openToAll } from '../support/enrol.ts';
import { recordsOn } from '../support/operators.ts';
import { type Scene, openScene, recordOf } from '../support/account.ts';

let scene: Scene;
let records: ReturnType<typeof recordsOn>;
let call: ReturnType<typeof apiOf>;
beforeAll(async () => {
  scene = await openScene({ flags: openToAll });
  records = recordsOn(scene.store);
  call = apiOf(scene.bed, await makeKey(scene.bed));
});
afterAll(() => scene.close());

const as = (role: Actor['role']): Actor => ({
  ...{ kind: 'operator', name: `some ${role}`, ...(role ? { role } : {}), acr: 'phr:test' },
  authTime: Math.floor(Date.now() / 1000),
});

const perform = (id: string, sub: string, by: Actor, body?: object): Promise<unknown> =>
  scene.bed.app.perform(actNamed(id), { params: { id: sub }, ...(body ? { body } : {}) }, by).then(
    (answer) => answer['status'] ?? 'done',
    (error: unknown) => (error as { code: string }).code,
  );

const newOperator = async (role: 'viewer' | 'reviewer' | 'admin'): Promise<string> => {
  const id = (await records.accounts.idOf(scene.bed.person())) ?? '';
  await records.operators.add(id, role, 'test');
  return id;
};

const statusOf = async (id: string) => (await recordOf(scene.store, id)).status;

const changing = acts.filter(
  ({ method, path }) => method !== 'GET' && path.startsWith('/accounts/:id/'),
);

describe('[EN-10] the account of an operator', () => {
  test('is shut out by no reviewer and by no key, and by an admin', async () => {
    await newOperator('admin');
    const id = await newOperator('viewer');
    for (const act of ['accounts.block', 'accounts.sign-out', 'accounts.unblock']) {
      expect(await perform(act, id, as('reviewer'))).toBe('forbidden');
    }
    for (const way of ['block', 'sign-out', 'unblock']) {
      expect((await call('POST', `/accounts/${id}/${way}`)).status).toBe(403);
    }
    const erase = await call('POST', `/accounts/${id}/erasure`, { body: { what: 'account' } });
    expect(erase.status).toBe(403);
    const { status, voidUntil } = await recordOf(scene.store, id);
    expect([status, voidUntil]).toEqual(['active', undefined]);

    expect(await perform('accounts.sign-out', id, as('admin'))).toBe('done');
    expect(await perform('accounts.block', id, as('admin'))).toBe('blocked');
    expect(await perform('accounts.unblock', id, as('reviewer'))).toBe('forbidden');
    expect(await perform('accounts.unblock', id, as('admin'))).toBe('active');
  });

  test.each(changing.map((act) => [act.id, act] as const))(
    '%s is done to it by no reviewer and by no key',
    async (_, { method, path, ...act }) => {
      const id = await newOperator('viewer');
      const before = await recordOf(scene.store, id);
      const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
      const params = { ...Object.fromEntries(names.map((name) => [name, 'first'])), id };
      const input = { params, body: act.body ? { what: 'account' } : {} };
      const tried = scene.bed.app.perform({ method, path, ...act }, input, as('reviewer'));
      await expect(tried).rejects.toMatchObject({ code: 'forbidden' });
      const address = path.replace(':id', id).replace(/:\w+/, 'first');
      const body = act.body ? { body: input.body } : {};
      expect((await call(method, address, body)).status).toBe(403);
      expect(await recordOf(scene.store, id)).toEqual(before);
    },
  );

  test('who is the last admin is neither blocked nor erased, by nobody', async () => {
    for (const { accountId } of await records.operators.list()) {
      await records.operators.forget(accountId);
    }
    const id = await newOperator('admin');
    expect(await perform('accounts.block', id, as('admin'))).toBe('conflict');
    expect(await perform('erasures.plan', id, as('admin'), { what: 'account' })).toBe('conflict');
    // And they are still signed in.
    expect((await recordOf(scene.store, id)).voidUntil).toBeUndefined();
    expect(await statusOf(id)).toBe('active');
    const other = await newOperator('admin');
    const both = [id, other].map((one) => perform('accounts.block', one, as('admin')));
    // Two who block each other at once are not both blocked.
    await Promise.all(both);
    const left = await Promise.all([id, other].map(statusOf));
    expect(left).toContain('active');
  });
});

describe('[EN-01] who was blocked', () => {
  const invited = async (email: string): Promise<string> => {
    const { body } = await call('POST', '/accounts', { body: { email } });
    return String(body['sub']);
  };

  test('before they came has yet to come once they are not blocked any more', async () => {
    const id = await invited('blocked.before@example.com');
    expect(await perform('accounts.block', id, as('reviewer'))).toBe('blocked');
    expect(await perform('accounts.unblock', id, as('reviewer'))).toBe('invited');
    expect(await recordOf(scene.store, id)).toMatchObject({
      ...{ status: 'invited', emailVerified: false },
    });
  });

  test.each(['invited', 'held'] as const)(
    'is all that an unblocking lets in, and nobody who is %s',
    async (status) => {
      const id = (await records.accounts.idOf(scene.bed.person())) ?? '';
      await records.accounts.setStatus(id, status);
      expect(await perform('accounts.unblock', id, as('admin'))).toBe('conflict');
      expect(await statusOf(id)).toBe(status);
    },
  );

  test('comes back as they were', async () => {
    const id = (await records.accounts.idOf(scene.bed.person())) ?? '';
    expect(await perform('accounts.block', id, as('reviewer'))).toBe('blocked');
    expect(await perform('accounts.unblock', id, as('reviewer'))).toBe('active');
  });
});

test('[EN-01] an invitation gives nobody the group of whoever runs the service', async () => {
  const body = { email: 'sock@example.com', groups: ['operators'] };
  expect((await call('POST', '/accounts', { body })).status).toBe(422);
  expect(await records.accounts.idOf(body.email)).toBeUndefined();
});

test('[EN-01] whoever may invite writes to nobody without end', async () => {
  const body = { email: 'flooded@example.com' };
  const statuses: number[] = [];
  for (let times = 0; times < 5; times += 1) {
    statuses.push((await call('POST', '/accounts', { body })).status);
  }
  expect(statuses).toEqual([201, 201, 201, 409, 409]);
});
