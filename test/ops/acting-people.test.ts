/** What hangs on a person and what is called off, by commands beside a running provider. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createErasureRequests } from '../../src/enrol/erasure-requests.ts';
import { type Scene, mailOf, openScene, somebody } from '../support/account.ts';
import { createBrowser, createParty, signIn } from '../support/login.ts';
import { hireOperators, recordsOn } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { redirectUri } from '../support/testbed.ts';

let scene: Scene;
let operators: ReturnType<typeof hireOperators>;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  scene = await openScene({ storeUrl });
  operators = hireOperators(scene.bed, storeUrl);
});
afterAll(async () => {
  operators.dismiss();
  await scene.close();
});

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await operators.command(...args, '--json');
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const lives = async (token: string): Promise<boolean> =>
  (await fetch(`${scene.bed.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).ok;

test('[PL-20] what an app has got of somebody is listed, and ends', async () => {
  const address = scene.bed.person();
  const added = await json(
    ...['clients', 'add', '--id', 'wiki', '--name', 'Wiki', '--redirect-uri', redirectUri],
    '--first-party',
  );
  const clientSecret = (added['secret'] as { value: string }).value;
  const { issuer } = scene.bed;
  const request = await (await createParty({ issuer, clientSecret }, 'wiki')).begin();
  const tokens = await request.finish(await signIn(createBrowser(), request, address));
  const { sub, grants } = await json('grants', 'list', address);
  expect(grants).toEqual([{ client: 'wiki', sessions: 1 }]);
  expect(await lives(tokens.access_token)).toBe(true);
  const ended = await json('grants', 'end', address, 'wiki', '--operator', 'ann');
  expect(ended).toEqual({ sub, ended: 'wiki' });
  expect(await lives(tokens.access_token)).toBe(false);
  expect((await operators.command('grants', 'end', address, 'nosuch')).stderr).toContain(
    'there is no such client',
  );
});

test('the key of a browser is listed, and removed', async () => {
  const { address, accountId } = await somebody(scene);
  const key = { id: 'key', x: '', y: '', name: 'A laptop' };
  const times = { addedAtMs: 1, usedAtMs: 2, actedAtMs: 2 };
  const familiar = { schema: 1, keys: [{ ...key, ...times }], places: [] };
  await scene.store.put(`familiar:${accountId}`, JSON.stringify(familiar));
  const { devices } = await json('devices', 'list', address);
  expect(devices).toMatchObject([{ id: 'key', name: 'A laptop' }]);
  expect((await operators.command('devices', 'list', address)).stdout).toMatch(/^key .*A laptop$/m);
  await json('devices', 'remove', address, 'key');
  expect(await json('devices', 'list', address)).toMatchObject({ devices: [] });
  expect((await operators.command('devices', 'remove', address, 'key')).status).toBe(1);
});

test('the ways in of somebody are listed, and never a code', async () => {
  const { address, paper } = await somebody(scene);
  const shown = await operators.command('accounts', 'factors', address);
  expect(shown).toMatchObject({ status: 0 });
  expect(shown.stdout).toMatch(/^code app\nrecovery codes, \d+ left\n$/);
  expect(await json('accounts', 'factors', address)).toMatchObject({ passkeys: [], totp: {} });
  for (const code of paper) expect(shown.stdout).not.toContain(code);
});

test('an invitation, an erasure and a recovery are called off', async () => {
  const { accounts } = recordsOn(scene.store);
  const { sub } = await json('accounts', 'invite', 'zoe@example.com');
  const uninvited = await json('accounts', 'uninvite', 'zoe@example.com');
  expect(uninvited).toEqual({ sub, invited: false });
  const { invitedUntilMs } = (await accounts.find(String(sub))) ?? {};
  expect(invitedUntilMs).toBeLessThanOrEqual(Date.now());

  const { address, accountId: id } = await somebody(scene);
  const nothing = await operators.command('accounts', 'keep', address);
  expect(nothing.stderr).toContain('nothing is planned');
  const erasure = createErasureRequests({ store: scene.store, accounts, clock: Date.now });
  await erasure.plan(id, 'account', Date.now() + 86_400_000);
  expect(await json('accounts', 'show', address)).toMatchObject({ erasure: { what: 'account' } });
  expect(await json('accounts', 'keep', address)).toEqual({ sub: id, erasing: false });
  expect(await json('accounts', 'show', address)).not.toHaveProperty('erasure');
  await mailOf(scene.bed, address, 'erasure_cancelled');

  const none = await operators.command('accounts', 'recover', address, '--stop');
  expect(none.stderr).toContain('none is under way');
  const recovery = { askedBy: 'ann', askedAtMs: Date.now() };
  await accounts.change(id, (now) => ({ ...now, recovery }));
  const stopped = await json('accounts', 'recover', address, '--stop', '--operator', 'otto');
  expect(stopped).toEqual({ sub: id, recovery: 'stopped' });
});

test('[EN-10] the last admin is not blocked at the machine either', async () => {
  const address = scene.bed.person();
  const { accounts, operators: roles } = recordsOn(scene.store);
  const id = (await accounts.idOf(address)) ?? '';
  await roles.add(id, 'admin', 'test');
  const refused = await operators.command('accounts', 'block', address);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain(`${id} is the last admin, and stays`);
  expect(await json('accounts', 'show', address)).toMatchObject({ status: 'active' });
  const other = (await accounts.idOf(scene.bed.person())) ?? '';
  await roles.add(other, 'admin', 'test');
  expect(await json('accounts', 'block', address)).toEqual({ sub: id, status: 'blocked' });
});
