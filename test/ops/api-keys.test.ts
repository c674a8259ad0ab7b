/** Keys of programs: none gives more than it has, nor outlives whoever answers for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let records: Awaited<ReturnType<typeof openRecords>>;
let storeUrl: string;
beforeAll(async () => {
  storeUrl = await freshRedis();
  bed = await startTestbed({ people: 20, storeUrl });
  records = await openRecords(bed);
});
afterAll(async () => {
  await records.store.close();
  await bed.close();
});

const as = (name: string): Actor => ({
  ...{ kind: 'operator', name, role: 'admin', acr: 'phr:test' },
  authTime: Math.floor(Date.now() / 1000),
});

function perform(id: string, input: object, by: Actor): Promise<Record<string, unknown>> {
  return bed.app.perform(actNamed(id), input, by);
}

async function admin(): Promise<string> {
  const id = (await records.accounts.idOf(bed.person())) ?? '';
  await records.operators.add(id, 'admin', 'test');
  return id;
}

const scopes = ['api-keys:write', 'accounts:read'];
const statusFor = async (token: string): Promise<number> =>
  (await apiOf(bed, token)('GET', '/accounts?limit=1')).status;

describe('[PL-20] a key that ends', () => {
  const endMs = Date.now() + 600_000;
  const child = async (more: object) => {
    const expires_at = new Date(endMs).toISOString();
    const call = apiOf(bed, await makeKey(bed, scopes, { expires_at }));
    return call('POST', '/api-keys', { body: { name: 'child', scopes, ...more } });
  };

  it('makes one that ends with it, where nothing else is said', async () => {
    const { status, body } = await child({});
    expect([status, body['expires_at']]).toEqual([201, new Date(endMs).toISOString()]);
  });

  it('makes one that ends earlier, and none that ends later or has more scopes', async () => {
    const earlier = new Date(endMs - 30_000).toISOString();
    expect((await child({ expires_at: earlier })).body['expires_at']).toBe(earlier);
    const later = new Date(endMs + 1).toISOString();
    expect((await child({ expires_at: later })).status).toBe(403);
    expect((await child({ scopes: ['accounts:write'] })).status).toBe(403);
  });
});

describe('[PL-20] keys that an admin made', () => {
  async function keysOf(maker: string): Promise<{ ids: string[]; tokens: string[] }> {
    const body = { name: 'nightly', scopes };
    const first = await perform('api-keys.add', { body }, as(maker));
    const call = apiOf(bed, String(first['token']));
    const second = (await call('POST', '/api-keys', { body })).body;
    const all = [first, second];
    return {
      ids: all.map(({ id }) => String(id)),
      tokens: all.map(({ token }) => String(token)),
    };
  }

  it.each<[string, string, object]>([
    ['is removed', 'operators.remove', {}],
    ['is no admin any more', 'operators.set-role', { body: { role: 'reviewer' } }],
  ])(
    'end when the admin %s, with those made by them; the answer and the log name them',
    async (...of) => {
      const [, act, input] = of;
      const [good, rogue] = [await admin(), await admin()];
      const kept = await keysOf(good);
      const { ids, tokens } = await keysOf(rogue);
      bed.events.splice(0);
      const done = await perform(act, { params: { id: rogue }, ...input }, as(good));
      expect(done).toEqual({ done: true, revoked_keys: ids });
      expect(await Promise.all(tokens.map(statusFor))).toEqual([401, 401]);
      expect(await Promise.all(kept.tokens.map(statusFor))).toEqual([200, 200]);
      const told = bed.events.filter((event) => event.act === 'api-keys.revoke');
      expect(told).toMatchObject(
        ids.map((object) => ({
          ...{ object, operators: [good] },
          reason: 'nightly: api-keys:write accounts:read',
        })),
      );
    },
  );

  it('end when a removal that broke off before is tried once more', async () => {
    const [good, rogue] = [await admin(), await admin()];
    const { ids, tokens } = await keysOf(rogue);
    // As far as it got: they are no operator, and nothing else was done yet.
    const { [rogue]: _, ...others } = JSON.parse(
      (await records.store.get('operators:all'))?.value ?? '',
    ) as Record<string, object>;
    await records.store.put('operators:all', JSON.stringify(others));
    const done = await perform('operators.remove', { params: { id: rogue } }, as(good));
    expect(done).toEqual({ done: true, revoked_keys: ids });
    expect(await Promise.all(tokens.map(statusFor))).toEqual([401, 401]);
    expect((await records.accounts.find(rogue))?.groups).not.toContain('operators');
    const removed = bed.events.filter(({ event }) => event === 'operator.removed');
    expect(removed.at(-1)).toMatchObject({ account: rogue, operators: [good] });
    const again = perform('operators.remove', { params: { id: rogue } }, as(good));
    await expect(again).rejects.toThrow('there is no such operator');
  });

  it('are not made any more by who is removed meanwhile', async () => {
    const [good, rogue] = [await admin(), await admin()];
    const body = { name: 'nightly', scopes };
    const made = Array.from({ length: 8 }, () =>
      perform('api-keys.add', { body }, as(rogue)).then(
        ({ token }) => String(token),
        () => undefined,
      ),
    );
    await perform('operators.remove', { params: { id: rogue } }, as(good));
    const tokens = (await Promise.all(made)).filter((token) => token !== undefined);
    expect((await Promise.all(tokens.map(statusFor))).filter((status) => status !== 401)).toEqual(
      [],
    );
    const late = perform('api-keys.add', { body }, as(rogue));
    await expect(late).rejects.toThrow('may not any more');
    const { keys } = (await perform('api-keys.list', {}, as(good))) as {
      keys: { created_by: string }[];
    };
    expect(keys.filter(({ created_by }) => created_by === rogue)).toEqual([]);
  });

  it('end when the key with which they were made is revoked, which the answer and the log name', async () => {
    const maker = await admin();
    const { ids, tokens } = await keysOf(maker);
    const [first = '', second = ''] = ids;
    bed.events.splice(0);
    const done = await perform('api-keys.revoke', { params: { id: first } }, as(maker));
    expect(done).toMatchObject({ done: true, revoked_keys: [second] });
    expect(await Promise.all(tokens.map(statusFor))).toEqual([401, 401]);
    const told = bed.events.filter(({ event }) => event === 'operator.acted');
    expect(told.map(({ object }) => object).sort()).toEqual([...ids].sort());
  });

  it('end when a revocation that broke off before is tried once more', async () => {
    const maker = await admin();
    const { ids, tokens } = await keysOf(maker);
    await records.store.delete(`api-key:${ids[0] ?? ''}`);
    const again = perform('api-keys.revoke', { params: { id: ids[0] } }, as(maker));
    await expect(again).rejects.toThrow('there is no such key');
    expect(await Promise.all(tokens.map(statusFor))).toEqual([401, 401]);
  });

  it('end also where it broke off further down', async () => {
    const maker = await admin();
    const { ids, tokens } = await keysOf(maker);
    const [, second = ''] = tokens;
    const body = { name: 'of the second', scopes };
    const { status, body: third } = await apiOf(bed, second)('POST', '/api-keys', { body });
    expect(status).toBe(201);
    for (const id of ids) await records.store.delete(`api-key:${id}`);
    const again = perform('api-keys.revoke', { params: { id: ids[0] } }, as(maker));
    await expect(again).rejects.toThrow('there is no such key');
    expect(await statusFor(String(third['token']))).toBe(401);
  });

  it('end also when the account is erased, or the command line removes its operator', async () => {
    await admin();
    const [erased, removed] = [await admin(), await admin()];
    const ofErased = await keysOf(erased);
    const ofRemoved = await keysOf(removed);
    await records.operators.forget(erased);
    expect(await Promise.all(ofErased.tokens.map(statusFor))).toEqual([401, 401]);
    const operators = hireOperators(bed, storeUrl);
    try {
      const { stdout } = await operators.command('operators', 'remove', removed, '--json');
      expect(JSON.parse(stdout)).toMatchObject({ revoked_keys: ofRemoved.ids });
    } finally {
      operators.dismiss();
    }
    expect(await Promise.all(ofRemoved.tokens.map(statusFor))).toEqual([401, 401]);
  });
});

it('[PL-26] the log tells what a key could do that was revoked', async () => {
  const by = as(await admin());
  const { id } = await perform('api-keys.add', { body: { name: 'nightly', scopes } }, by);
  const done = await perform('api-keys.revoke', { params: { id } }, by);
  expect(done).toEqual({ done: true, name: 'nightly', scopes, revoked_keys: [] });
  expect(bed.events.at(-1)).toMatchObject({
    ...{ event: 'operator.acted', act: 'api-keys.revoke', object: id },
    reason: 'nightly: api-keys:write accounts:read',
  });
});
