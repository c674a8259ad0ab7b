/** The audit log for operators and keys: a page of it, one sign-in, and the check. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditEntry } from '../../src/domain/audit.ts';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed, acts } from '../../src/ops/acts/index.ts';
import { dayOf, isoDay } from '../../src/store/by-day.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { createBrowser, createParty, signIn } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const authTime = Math.floor(Date.now() / 1000);
const admin: Actor = { kind: 'operator', name: 'sub-1', role: 'admin', authTime };
const viewer: Actor = { ...admin, role: 'viewer' };

let bed: Testbed;
let sub: string;
let reference: string;

beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis() });
  const request = await (await createParty(bed)).begin();
  const tokens = await request.finish(await signIn(createBrowser(), request, 'ana@example.com'));
  sub = tokens.claims()!.sub;
  reference = bed.events.find(({ event }) => event === 'login.completed')!.reference!;
  // Acts are written before they are answered, and all that was recorded earlier with them.
  await perform('clients.add', admin, {
    body: { client_name: 'App', redirect_uris: ['https://app.example/cb'] },
  });
});
afterAll(() => bed.close());

function perform(
  id: string,
  by = viewer,
  input: Parameters<typeof bed.app.perform>[1] = {},
): Promise<Record<string, unknown>> {
  return bed.app.perform(actNamed(id), input, by);
}

const pageOf = async (query: Record<string, string> = {}) =>
  (await perform('audit.page', viewer, { query })) as { entries: AuditEntry[]; next?: string };

const namesOf = (entries: readonly AuditEntry[]) => entries.map(({ event }) => event);

describe('[PL-26] audit.page', () => {
  test('has what operators did first, and who did it', async () => {
    const { entries } = await pageOf({ limit: '1' });
    expect(entries).toMatchObject([
      { event: 'operator.acted', act: 'clients.add', operators: ['sub-1'] },
    ]);
  });

  test('finds by person, app, event and time, a page at a time', async () => {
    const ofAna = (await pageOf({ account: 'ana@example.com' })).entries;
    expect((await pageOf({ account: sub })).entries).toEqual(ofAna);
    expect(namesOf(ofAna)).toEqual(expect.arrayContaining(['login.completed', 'verdict.received']));
    expect((await pageOf({ client: 'second' })).entries).toEqual([]);
    expect((await pageOf({ until: '2026-01-01T00:00:00Z' })).entries).toEqual([]);
    const first = await pageOf({ event: 'login', limit: '2' });
    const second = await pageOf({ event: 'login', limit: '2', cursor: first.next! });
    expect(namesOf([...first.entries, ...second.entries])).toEqual([
      ...['login.completed', 'login.decided', 'login.started'],
    ]);
  });

  test('takes no cursor and no time of somebody’s own making', async () => {
    for (const query of [{ cursor: 'x' }, { since: 'yesterday' }]) {
      await expect(pageOf(query)).rejects.toMatchObject({ code: 'invalid' });
    }
  });
});

describe('[PL-26] whoever looks one person up', () => {
  const lookedAt = { event: 'operator.acted', operators: ['sub-1'] };

  test.each([
    ['people', 'accounts.list', 'named'],
    ['the log', 'audit.page', 'account'],
  ])(
    'stands in the log, among %s, by whatever name they were looked up',
    async (_, act, member) => {
      for (const name of ['ana@example.com', sub]) {
        const before = bed.events.length;
        await perform(act, viewer, { query: { [member]: name } });
        expect(bed.events.slice(before)).toMatchObject([
          { ...lookedAt, act, object: sub, account: sub },
        ]);
      }
    },
  );

  test.each(acts.filter(({ method, path }) => method === 'GET' && path.includes('accounts/:id')))(
    'stands in the log also where it is a part of them: $id',
    async ({ id: act }) => {
      const before = bed.events.length;
      await perform(act, viewer, { params: { id: sub } });
      expect(bed.events.slice(before)).toMatchObject([
        { ...lookedAt, act, object: sub, account: sub },
      ]);
    },
  );

  test('stands in the log also where it was by the reference of a sign-in', async () => {
    const before = bed.events.length;
    await perform('audit.show', viewer, { params: { reference: reference.toLowerCase() } });
    expect(bed.events.slice(before)).toMatchObject([
      { ...lookedAt, act: 'audit.show', object: reference, account: sub },
    ]);
  });

  test('leaves nothing that was typed there, where nobody has that name, nor where many are listed', async () => {
    const before = bed.events.length;
    await perform('accounts.list', viewer, { query: { named: 'nobody@example.com' } });
    await perform('audit.page', viewer, { query: { account: 'nobody@example.com' } });
    await perform('accounts.list', viewer);
    await perform('audit.page', viewer, { query: { event: 'login' } });
    expect(bed.events.slice(before)).toEqual([]);
  });
});

describe('[PL-26] what an operator did', () => {
  test('to one person names them, whatever came of it', async () => {
    const params = { id: sub };
    const stop = perform('recoveries.stop', { ...admin, role: 'reviewer' }, { params });
    await expect(stop).rejects.toMatchObject({ code: 'conflict' });
    const told = { act: 'recoveries.stop', account: sub, operators: ['sub-1'] };
    expect(bed.events.at(-1)).toMatchObject({ ...told, reason: 'conflict' });
    await expect(perform('recoveries.stop', viewer, { params })).rejects.toThrow();
    expect(bed.events.at(-1)).toMatchObject({ ...told, event: 'operator.refused' });
  });

  test.each([
    ['was done', () => admin],
    ['was refused', () => viewer],
  ])('is written before they are answered: what %s', async (_, by) => {
    const store = await bed.openStore();
    const blocks = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { value } of store.scan('audit')) found.push(value);
      return found;
    };
    try {
      const before = await blocks();
      const body = { client_name: 'App', redirect_uris: ['https://app.example/cb'] };
      await perform('clients.add', by(), { body }).catch(() => undefined);
      const written = (await blocks()).filter((one) => !before.includes(one)).join();
      expect(written).toContain('clients.add');
    } finally {
      await store.close();
    }
  });

  test('says which secret of an app was taken away', async () => {
    const body = { client_name: 'App', redirect_uris: ['https://app.example/cb'] };
    const added = await perform('clients.add', admin, { body });
    const params = { id: String(added.client_id) };
    const ifVersion = String(added.version);
    const more = await perform('clients.add-secret', admin, { params, ifVersion });
    const [{ id = '' } = {}] = added.secrets as { id?: string }[];
    const input = { params: { ...params, secret: id }, ifVersion: String(more.version) };
    await perform('clients.remove-secret', admin, input);
    expect(bed.events.at(-1)).toMatchObject({ act: 'clients.remove-secret', reason: id });
  });
});

describe('audit.show', () => {
  test('is one sign-in from its beginning to its end, and why it went so', async () => {
    const params = { reference: reference.toLowerCase() };
    const shown = await perform('audit.show', viewer, { params });
    expect(namesOf(shown.entries as AuditEntry[]).at(0)).toBe('login.started');
    expect(namesOf(shown.entries as AuditEntry[]).at(-1)).toBe('login.completed');
    expect(shown.plainly).toEqual([expect.stringContaining('was signed in with') as string]);
    const unknown = { params: { reference: 'NONE-SUCH' } };
    await expect(perform('audit.show', viewer, unknown)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('[EN-10] audit.verify', () => {
  const intact = async (): Promise<string[]> => {
    const served = await (await fetch(`${bed.managementUrl}/metrics`)).text();
    return served.match(/^audit_(intact|verified_timestamp_seconds) .*/gm) ?? [];
  };

  test('is for keys that have its own scope: what viewers may read is not enough', async () => {
    const status = async (scope: string): Promise<number> =>
      (await apiOf(bed, await makeKey(bed, [scope]))('GET', '/audit/verification')).status;
    expect(await status('audit:read')).toBe(403);
  });

  test('says that all is there, with an anchor, and that something is not; the metrics say it too', async () => {
    expect(await intact()).toEqual([]);
    const whole = await perform('audit.verify', admin);
    expect(whole).toMatchObject({ ok: true, first_seq: 1, problems: [] });
    const [isIntact, atSeconds] = await intact();
    expect(isIntact).toBe('audit_intact 1');
    expect(Date.now() / 1000 - Number(atSeconds?.split(' ')[1])).toBeLessThan(60);
    const query = { anchor: String(whole.anchor) };
    expect(await perform('audit.verify', admin, { query })).toMatchObject({ ok: true });
    // Whose anchor that is nobody knows: whoever asked hears it, and the alarm does not.
    const wrong = { anchor: `1:${'A'.repeat(43)}` };
    expect(await perform('audit.verify', admin, { query: wrong })).toMatchObject({ ok: false });
    expect((await intact())[0]).toBe('audit_intact 1');
    const store = await bed.openStore();
    await store.delete('audit:1');
    await store.close();
    expect(await perform('audit.verify', admin)).toMatchObject({
      ok: false,
      problems: [expect.stringMatching(/^block 1 is missing/) as string],
    });
    expect((await intact())[0]).toBe('audit_intact 0');
    expect(await perform('audit.verify', admin, { query })).toMatchObject({ ok: false });
    expect((await intact())[0]).toBe('audit_intact 0');
  });
});

describe('audit.sign_ins', () => {
  test('counts by day how they ended, and answers for days of which nothing is known', async () => {
    const { atMs } = bed.events.find(({ event }) => event === 'login.completed')!;
    const [today, yesterday] = [atMs, atMs - 86_400_000].map((ms) => isoDay(dayOf(ms)));
    const counted = { completed: 1, denied: 0, foreign: 0, expired: 0 };
    await vi.waitFor(
      async () =>
        expect(await perform('audit.sign_ins', viewer, { query: { to: today } })).toEqual({
          days: [{ day: today, ...counted }],
        }),
      { timeout: 10_000 },
    );
    expect((await perform('audit.sign_ins')).days).toMatchObject([
      { day: isoDay(dayOf(Date.now())) },
    ]);
    const query = { from: yesterday, to: today };
    expect(await perform('audit.sign_ins', viewer, { query })).toEqual({
      days: [
        { day: yesterday, ...counted, completed: 0 },
        { day: today, ...counted },
      ],
    });
  });

  test.each([
    { from: '2026-01-02', to: '2026-01-01' },
    { from: '2024-01-01', to: '2026-01-01' },
    { from: 'yesterday' },
  ])('refuses %o', async (query) => {
    await expect(perform('audit.sign_ins', viewer, { query })).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});
