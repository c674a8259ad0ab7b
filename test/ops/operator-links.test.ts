/** A link that makes operators is worth what its maker may give, for as long as they may, and to nobody else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed } from '../../src/ops/acts/index.ts';
import { createBrowser } from '../support/browser.ts';
import { type ConsoleScene, enter, look, openConsole, operator, send } from '../support/console.ts';
import { hireOperators } from '../support/operators.ts';
import { heading } from '../support/login.ts';

let scene: ConsoleScene;
beforeAll(async () => {
  scene = await openConsole();
});
afterAll(() => scene.close());

const as = (name: string): Actor => ({
  ...{ kind: 'operator', name, role: 'admin', acr: 'phr:test' },
  authTime: Math.floor(Date.now() / 1000),
});

function perform(id: string, input: object, by: string): Promise<Record<string, unknown>> {
  return scene.bed.app.perform(actNamed(id), input, as(by));
}

/** By the console's own form, as any admin makes one. */
async function makeLink(of: Awaited<ReturnType<typeof operator>>, email = ''): Promise<string> {
  const page = await look(scene, of.browser, '/operators');
  const { location = '' } = await send(of.browser, page, 'link', { role: 'admin', email });
  const { text } = await of.browser.get(location);
  const [link] = /http:\/\/127\.0\.0\.1:\d+\/console\/welcome\/[\w-]+/.exec(text) ?? [];
  if (link === undefined) throw new Error('no link on this page');
  return link;
}

const follow = async (link: string): Promise<unknown[]> => {
  const { status, text } = await createBrowser().get(link);
  return [status, /<h1[^>]*>([^<]*)/.exec(text)?.[1]];
};
const over = [404, 'This link is over'];

describe('[PL-20] a link that an admin made', () => {
  it('lets somebody in as long as they are one', async () => {
    const link = await makeLink(await operator(scene));
    const { page } = await enter(link, scene.bed.person());
    expect(heading(page)).toBe('Overview');
  });

  it.each<[string, (id: string, by: string) => Promise<unknown>]>([
    ['is removed', (id, by) => perform('operators.remove', { params: { id } }, by)],
    [
      'is no admin any more',
      (id, by) => perform('operators.set-role', { params: { id }, body: { role: 'viewer' } }, by),
    ],
    ['is blocked', (id) => scene.records.accounts.setStatus(id, 'blocked')],
    ['is erased', (id) => scene.records.operators.forget(id)],
  ])('is over when its maker %s', async (_, end) => {
    const other = await operator(scene);
    const maker = await operator(scene);
    const link = await makeLink(maker);
    await end(maker.accountId, other.accountId);
    expect(await follow(link)).toEqual(over);
  });

  it('is over also when its maker becomes one again', async () => {
    const other = await operator(scene);
    const maker = await operator(scene);
    const link = await makeLink(maker);
    for (const role of ['viewer', 'admin']) {
      const input = { params: { id: maker.accountId }, body: { role } };
      await perform('operators.set-role', input, other.accountId);
    }
    expect(await follow(link)).toEqual(over);
  });

  it('for one person is still good after a role was refused to them, who are no operator yet', async () => {
    const { accountId: by } = await operator(scene);
    const address = scene.bed.person();
    const id = (await scene.records.accounts.idOf(address)) ?? '';
    const link = await scene.link('viewer', id);
    const refused = perform('operators.set-role', { params: { id }, body: { role: 'admin' } }, by);
    await expect(refused).rejects.toThrow('there is no such operator');
    expect(heading((await enter(link, address)).page)).toBe('Overview');
  });

  it('is over when its maker is removed between the sign-in and the way back', async () => {
    const other = await operator(scene);
    const maker = await operator(scene);
    const secret = (await makeLink(maker)).split('/').at(-1) ?? '';
    expect(await scene.records.operatorLinks.read(secret)).toMatchObject({ role: 'admin' });
    await perform('operators.remove', { params: { id: maker.accountId } }, other.accountId);
    expect(await scene.records.operatorLinks.take(secret)).toBeUndefined();
  });
});

describe('[PL-20] a link for an operator', () => {
  it.each<[string, string, object]>([
    ['is removed', 'operators.remove', {}],
    ['gets another role', 'operators.set-role', { body: { role: 'viewer' } }],
  ])('is over when they are one who %s', async (_, act, input) => {
    const admin = await operator(scene);
    const { address, accountId } = await operator(scene, 'reviewer');
    const link = await makeLink(admin, address);
    await perform(act, { params: { id: accountId }, ...input }, admin.accountId);
    expect(await follow(link)).toEqual(over);
  });

  it('is over also when it is the command line that removes them', async () => {
    const operators = hireOperators(scene.bed, scene.storeUrl);
    try {
      const { accountId } = await operator(scene, 'reviewer');
      const link = await scene.link('admin', accountId);
      const { status } = await operators.command('operators', 'remove', accountId);
      expect(status).toBe(0);
      expect(await follow(link)).toEqual(over);
    } finally {
      operators.dismiss();
    }
  });
});

describe('[PL-20] a selfie alone, in a browser without a key,', () => {
  it('is worth what the link gives, and not what its follower is besides', async () => {
    const { address, accountId } = await operator(scene, 'admin');
    const { browser, page } = await enter(await scene.link('viewer'), address);
    expect(heading(page)).toBe('Overview');
    expect((await look(scene, browser, '/people')).status).toBe(200);
    expect((await look(scene, browser, '/operators')).status).toBe(403);
    expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'admin' });
  });

  it('is worth an admin’s session by an admin’s link, until they are one no more', async () => {
    await operator(scene);
    const { browser, accountId } = await operator(scene, 'admin');
    expect((await look(scene, browser, '/operators')).status).toBe(200);
    await scene.records.operators.setRole(accountId, 'viewer');
    expect((await look(scene, browser, '/operators')).status).toBe(403);
    expect((await look(scene, browser, '/people')).status).toBe(200);
  });
});

it('[PL-20] a program makes nobody an operator, whatever its scopes are', async () => {
  const { accountId } = await operator(scene, 'viewer');
  const by: Actor = { kind: 'key', name: 'key:1', scopes: ['operators:write'] };
  for (const [act, input] of [
    ['operators.link', { body: { role: 'admin' } }],
    ['operators.set-role', { params: { id: accountId }, body: { role: 'admin' } }],
  ] as const) {
    await expect(scene.bed.app.perform(actNamed(act), input, by)).rejects.toMatchObject({
      code: 'forbidden',
    });
  }
  expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'viewer' });
});

describe('[PL-20] the last admin', () => {
  it('stays also where another one is blocked: nobody would be left who can sign in', async () => {
    const { operators, accounts } = scene.records;
    const left = await operator(scene);
    const blocked = await operator(scene);
    for (const { accountId } of await operators.list()) {
      if (![left.accountId, blocked.accountId].includes(accountId))
        await operators.remove(accountId);
    }
    await accounts.setStatus(blocked.accountId, 'blocked');
    expect(await operators.remove(left.accountId)).toMatchObject({ change: 'last_admin' });
    expect(await operators.setRole(left.accountId, 'viewer')).toMatchObject({
      change: 'last_admin',
    });
    await accounts.setStatus(blocked.accountId, 'active');
    expect(await operators.setRole(left.accountId, 'viewer')).toMatchObject({ change: 'done' });
  });
});

it.each(['constructor', 'toString', '__proto__'])(
  '[PL-20] "%s", which every object has, is no operator',
  async (id) => {
    const { operators } = scene.records;
    const before = await operators.list();
    expect(await operators.find(id)).toBeUndefined();
    expect(await operators.setRole(id, 'admin')).toMatchObject({ change: 'unknown' });
    expect(await operators.remove(id)).toMatchObject({ change: 'unknown' });
    expect(await operators.list()).toEqual(before);
  },
);
