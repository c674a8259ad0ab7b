/** The acts in process: who may, with what, what is written down. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Act, type Actor, roles } from '../../src/ops/acts/act.ts';
import { actNamed, acts } from '../../src/ops/acts/index.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
const nowSeconds = Math.floor(Date.now() / 1000);
const admin: Actor = { kind: 'operator', name: 'sub-1', role: 'admin', authTime: nowSeconds };

beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(() => bed.close());

function perform(
  id: string,
  input: Parameters<typeof bed.app.perform>[1] = {},
  by = admin,
): Promise<Record<string, unknown>> {
  return bed.app.perform(actNamed(id), input, by);
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => ({ code: 'done' }),
    (thrown: unknown) => thrown as { code: string },
  );
  return error.code;
};

const anyParams = (act: Act): Record<string, string> =>
  Object.fromEntries([...act.path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, 'none']));

describe('the table', () => {
  test('has each id, and each method of a path, once', () => {
    const ids = acts.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const routes = acts.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`);
    expect(new Set(routes).size).toBe(routes.length);
  });

  test.each(acts.map((act) => [act.id, act] as const))('%s is described alike', (_, act) => {
    const named = [...act.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    expect(Object.keys(act.params?.shape ?? {})).toEqual(named);
    expect(act.scope.endsWith(act.method === 'GET' ? ':read' : ':write')).toBe(true);
    if (act.method === 'GET') expect(act.body).toBeUndefined();
  });
});

describe('[PL-20] [EN-10] who may', () => {
  const lower = acts.flatMap((act) =>
    roles.slice(0, roles.indexOf(act.role)).map((role) => [act.id, role, act] as const),
  );

  test.each(lower)('%s is refused to the role %s', async (_, role, act) => {
    const by: Actor = { ...admin, role };
    expect(await refusal(bed.app.perform(act, { params: anyParams(act) }, by))).toBe('forbidden');
    const last = bed.events.at(-1);
    expect(last).toMatchObject({
      ...{ event: 'operator.refused', act: act.id, operators: ['sub-1'], reason: 'forbidden' },
    });
  });

  test.each(acts.map((act) => [act.id, act] as const))(
    '%s is refused to a key with every scope but its own',
    async (_, act) => {
      const scopes = [...new Set(acts.map(({ scope }) => scope))].filter(
        (one) => one !== act.scope,
      );
      const by: Actor = { kind: 'key', name: 'key:1', scopes };
      expect(await refusal(bed.app.perform(act, { params: anyParams(act) }, by))).toBe('forbidden');
    },
  );

  test.each(acts.filter(({ isDangerous }) => isDangerous).map((act) => [act.id, act] as const))(
    '%s wants a fresh sign-in at the console',
    async (_, act) => {
      const by: Actor = { ...admin, authTime: nowSeconds - 400 };
      expect(await refusal(bed.app.perform(act, { params: anyParams(act) }, by))).toBe(
        'sign_in_again',
      );
    },
  );
});

describe('what is sent', () => {
  test('is refused whole for one member that is not known', async () => {
    const body = { client_name: 'App', redirect_uris: ['https://app.example/cb'], admin: true };
    expect(await refusal(perform('clients.add', { body }))).toBe('invalid');
    const { clients } = await perform('clients.list');
    expect((clients as { metadata: object }[]).map(({ metadata }) => metadata)).not.toContainEqual(
      expect.objectContaining({ client_name: 'App' }),
    );
  });
});

describe('accounts', () => {
  test('are listed a page at a time, each once, the newest first', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: '1', ...(cursor === undefined ? {} : { cursor }) };
      const page = (await perform('accounts.list', { query })) as {
        accounts: { sub: string }[];
        next?: string;
      };
      seen.push(...page.accounts.map(({ sub }) => sub));
      cursor = page.next;
    } while (cursor !== undefined);
    const { accounts } = (await perform('accounts.list')) as { accounts: { sub: string }[] };
    expect(seen).toEqual(accounts.map(({ sub }) => sub));
    expect(new Set(seen).size).toBe(3);
  });

  test('are found by exactly their address and by nothing less', async () => {
    const named = async (name: string) =>
      ((await perform('accounts.list', { query: { named: name } })).accounts as object[]).length;
    const { accounts } = await perform('accounts.list');
    const [{ email = '', sub = '' } = {}] = accounts as { email?: string; sub?: string }[];
    expect([await named(` ${email.toUpperCase()}`), await named(sub)]).toEqual([1, 1]);
    expect(await named(email.slice(0, -1))).toBe(0);
  });
});

describe('clients', () => {
  test('are added, changed, and removed, each only in the version that was read', async () => {
    const body = { client_name: 'App', redirect_uris: ['https://app.example/cb'] };
    const added = await perform('clients.add', { body });
    const id = String(added.client_id);
    expect(added).toMatchObject({
      source: 'operator',
      secret: { value: expect.any(String) as string },
    });
    const params = { id };
    const change = { ...body, client_name: 'Other' };
    expect(await refusal(perform('clients.change', { params, body: change }))).toBe(
      'version_required',
    );
    const ifVersion = String(added.version);
    const changed = await perform('clients.change', { params, body: change, ifVersion });
    expect(changed).toMatchObject({ metadata: { client_name: 'Other' } });
    expect(await refusal(perform('clients.remove', { params, ifVersion }))).toBe(
      'changed_meanwhile',
    );
    await perform('clients.remove', { params, ifVersion: String(changed.version) });
    expect(await refusal(perform('clients.get', { params }))).toBe('not_found');
    const told = { event: 'operator.acted', act: 'clients.remove', object: id };
    expect(bed.events.slice(-2)).toMatchObject([{ ...told, reason: 'changed_meanwhile' }, told]);
  });

  test('of the file are read only', async () => {
    const params = { id: 'first' };
    const body = { client_name: 'Mine' };
    expect(await refusal(perform('clients.change', { params, body, ifVersion: '1' }))).toBe(
      'conflict',
    );
  });
});

describe('[PL-20] what belongs to a page that is told', () => {
  const part = { isPart: true };
  const list = actNamed('devices.list');

  test('is not told again', async () => {
    const { accounts } = (await perform('accounts.list')) as { accounts: { sub: string }[] };
    const id = accounts[0]?.sub;
    const before = bed.events.length;
    await bed.app.perform(list, { params: { id } }, admin);
    await bed.app.perform(list, { params: { id } }, admin, part);
    expect(bed.events.slice(before)).toMatchObject([{ act: 'devices.list', object: id }]);
  });

  test('is told when it is refused', async () => {
    const before = bed.events.length;
    const by: Actor = { kind: 'key', name: 'key:1', scopes: [] };
    await expect(bed.app.perform(list, { params: { id: 'x' } }, by, part)).rejects.toThrow();
    expect(bed.events.slice(before)).toMatchObject([{ event: 'operator.refused' }]);
  });

  test('is told when it changes anything', async () => {
    const body = { client_name: 'App', redirect_uris: ['https://app.example/cb'] };
    const before = bed.events.length;
    await bed.app.perform(actNamed('clients.add'), { body }, admin, part);
    expect(bed.events.slice(before)).toMatchObject([{ act: 'clients.add' }]);
  });
});
