/** What operators see of somebody's sign-ins and devices, and end. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Scene, openScene } from '../support/account.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { type Party, createBrowser, createParty, signIn } from '../support/login.ts';

let scene: Scene;
let first: Party;
let call: ReturnType<typeof apiOf>;
beforeAll(async () => {
  scene = await openScene();
  first = await createParty(scene.bed);
  call = apiOf(scene.bed, await makeKey(scene.bed));
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

async function signedIn() {
  const address = scene.bed.person();
  const request = await first.begin({ scope: 'openid offline_access', prompt: 'consent' });
  const tokens = await request.finish(await signIn(createBrowser(), request, address));
  const { body } = await call('GET', `/accounts?named=${encodeURIComponent(address)}`);
  const [{ sub = '' } = {}] = body['accounts'] as { sub?: string }[];
  return { sub, tokens };
}

const lives = async ({ access_token: token }: { access_token: string }): Promise<boolean> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${scene.bed.issuer}/me`, { headers })).ok;
};
const refreshes = ({ refresh_token: token = '' }: { refresh_token?: string }): Promise<boolean> =>
  oidc.refreshTokenGrant(first.config, token).then(
    () => true,
    () => false,
  );

describe('[PL-20] a sign-in', () => {
  test('is seen and ended below its own person, and below no other', async () => {
    const [one, other] = [await signedIn(), await signedIn()];
    const list = async (sub: string) =>
      (await call('GET', `/accounts/${sub}/sessions`)).body['sessions'] as { id: string }[];
    const [session] = await list(one.sub);
    expect(session).toMatchObject({ clients: ['first'] });
    const id = session?.id ?? '';
    expect((await call('DELETE', `/accounts/${other.sub}/sessions/${id}`)).status).toBe(404);
    expect([await lives(one.tokens), await lives(other.tokens)]).toEqual([true, true]);
    expect((await call('DELETE', `/accounts/${one.sub}/sessions/${id}`)).status).toBe(200);
    expect([await lives(one.tokens), await refreshes(one.tokens)]).toEqual([false, false]);
    expect([await lives(other.tokens), await refreshes(other.tokens)]).toEqual([true, true]);
  });

  test('ends with the share that an app has in it, and with all of somebody’s', async () => {
    const [one, other] = [await signedIn(), await signedIn()];
    expect((await call('GET', `/accounts/${one.sub}/grants`)).body).toEqual({
      grants: [{ client: 'first', sessions: 1 }],
    });
    expect((await call('DELETE', `/accounts/${one.sub}/grants/second`)).status).toBe(200);
    expect(await lives(one.tokens)).toBe(true);
    expect((await call('DELETE', `/accounts/${one.sub}/grants/first`)).status).toBe(200);
    expect([await lives(one.tokens), await refreshes(one.tokens)]).toEqual([false, false]);
    expect((await call('POST', `/accounts/${other.sub}/sign-out`)).status).toBe(200);
    expect([await lives(other.tokens), await refreshes(other.tokens)]).toEqual([false, false]);
    const told = scene.bed.events.findLast(({ event }) => event === 'operator.acted');
    expect(told).toMatchObject({ act: 'accounts.sign-out', object: other.sub, account: other.sub });
    expect(told?.operators?.[0]).toMatch(/^key:[\da-f]{16}$/);
  });

  test('nobody who is blocked has one, and whoever was may come again', async () => {
    const { sub, tokens } = await signedIn();
    expect((await call('POST', `/accounts/${sub}/block`)).body).toEqual({ sub, status: 'blocked' });
    expect(await lives(tokens)).toBe(false);
    expect((await call('POST', `/accounts/${sub}/unblock`)).body).toEqual({
      sub,
      status: 'active',
    });
    expect(await lives(tokens)).toBe(false);
  });
});

describe('[PL-20] a device', () => {
  test('is taken away below its own person alone', async () => {
    const [one, other] = [await signedIn(), await signedIn()];
    const key = { id: 'k'.repeat(43), x: '', y: '', name: 'A laptop' };
    const times = { addedAtMs: 1, usedAtMs: 2, actedAtMs: 2 };
    const familiar = { schema: 1, keys: [{ ...key, ...times }], places: [] };
    await scene.store.put(`familiar:${one.sub}`, JSON.stringify(familiar));
    const path = (sub: string): string => `/accounts/${sub}/devices/${key.id}`;
    expect((await call('DELETE', path(other.sub))).status).toBe(404);
    const { devices } = (await call('GET', `/accounts/${one.sub}/devices`)).body;
    expect(devices).toMatchObject([{ id: key.id, name: 'A laptop' }]);
    expect((await call('DELETE', path(one.sub))).status).toBe(200);
    expect((await call('GET', `/accounts/${one.sub}/devices`)).body).toEqual({ devices: [] });
  });
});
