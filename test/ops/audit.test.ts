/** `didit-oidc audit …` beside a running provider, and what the other commands leave in the log. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser, createParty, signIn } from '../support/login.ts';
import { hireOperators } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

/** Commands are processes, and a busy machine takes its time to start them. */
const timeoutMs = 90_000;

let bed: Testbed;
let operators: ReturnType<typeof hireOperators>;
let sub: string;
let reference: string;

beforeAll(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl });
  operators = hireOperators(bed, storeUrl);
  const request = await (await createParty(bed)).begin();
  const tokens = await request.finish(await signIn(createBrowser(), request, 'ana@example.com'));
  sub = tokens.claims()!.sub;
  reference = bed.events.find(({ event }) => event === 'login.completed')!.reference!;
  const store = await bed.openStore();
  await soon(async () => expect(await store.get('audit:1')).toBeDefined());
  await store.close();
}, timeoutMs);
afterAll(async () => {
  operators.dismiss();
  await bed.close();
});

interface Entry {
  event: string;
  time: string;
  seq: number;
  account?: string;
  reason?: string;
}

async function entriesOf(...args: string[]): Promise<Entry[]> {
  const { status, stdout, stderr } = await operators.audit(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return (JSON.parse(stdout) as { entries: Entry[] }).entries;
}

describe('audit list', () => {
  it(
    'finds entries by person, reference, app, event and time, the newest first',
    async () => {
      const all = await entriesOf('list');
      expect(all.map(({ event }) => event).at(-1)).toBe('login.started');
      const ofAna = await entriesOf('list', '--account', 'ana@example.com');
      expect(ofAna.map(({ event }) => event)).toContain('account.portrait_opened');
      expect(await entriesOf('list', '--account', sub, '--event', 'login.completed')).toHaveLength(
        1,
      );
      const ofLogin = await entriesOf('list', '--reference', reference.toLowerCase());
      expect(ofLogin.map(({ event }) => event)).toEqual(expect.arrayContaining(['login.started']));
      expect(await entriesOf('list', '--client', 'second')).toEqual([]);
      expect(await entriesOf('list', '--since', '1h', '--limit', '2')).toHaveLength(2);
      expect(await entriesOf('list', '--until', '2026-01-01')).toEqual([]);
      const wrong = await operators.audit('list', '--since', 'yesterday');
      expect(wrong).toMatchObject({ status: 1, stdout: '' });
    },
    timeoutMs,
  );
});

describe('audit show', () => {
  it(
    'tells one sign-in from its beginning, and why it went so',
    async () => {
      const { stdout, status } = await operators.audit('show', reference);
      expect(status).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines[0]).toMatch(
        /^Somebody who came to First was asked for a selfie .* was signed in/,
      );
      expect(lines[1]).toMatch(/^2\d{3}-\S+Z {2}login\.started/);
      expect(lines.at(-1)).toContain(`login.completed    ${reference}  account=${sub}`);
      expect(await operators.audit('show', 'NONE-SUCH')).toMatchObject({ status: 1, stdout: '' });
    },
    timeoutMs,
  );
});

describe('[EN-10] what operators do from the command line', () => {
  it(
    'stands in the chain when the command ends',
    async () => {
      await operators.json('block', 'ben@example.com');
      const [acted, changed] = await entriesOf('list', '--account', 'ben@example.com');
      expect(acted).toMatchObject({ event: 'operator.acted', act: 'accounts.block' });
      expect(changed).toMatchObject({ event: 'account.changed', reason: 'blocked' });
      await operators.json('unblock', 'ben@example.com');
      await operators.json('erase', 'ben@example.com', '--face');
      const told = (await entriesOf('list', '--account', 'ben@example.com')).map((one) => [
        one.event,
        one.reason,
      ]);
      expect(told).toEqual(
        expect.arrayContaining([
          ['account.erasure_planned', 'face'],
          ['account.changed', 'active'],
        ]),
      );
      const invited = await operators.json('invite', 'dora@example.com');
      const [invitation] = await entriesOf('list', '--event', 'account.invited');
      expect(invitation).toMatchObject({ account: invited['sub'] });
    },
    timeoutMs,
  );
});

describe('audit export', () => {
  it(
    'writes all of a time, the oldest first, a line each, with ids and no names',
    async () => {
      const { stdout, status } = await operators.audit('export');
      expect(status).toBe(0);
      const entries = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Entry);
      expect(entries[0]?.event).toBe('login.started');
      expect(entries.map(({ seq }) => seq)).toEqual(
        entries.map(({ seq }) => seq).toSorted((a, b) => a - b),
      );
      expect(stdout).not.toMatch(/@|example/);
      const later = await operators.audit('export', '--since', '2999-01-01T00:00:00Z');
      expect(later).toMatchObject({ status: 0, stdout: '' });
    },
    timeoutMs,
  );
});

describe('[PL-26] audit verify', () => {
  it(
    'says that all is there, gives an anchor, and ends with status 1 where something is not',
    async () => {
      const whole = await operators.audit('verify');
      expect(whole.status).toBe(0);
      const [, anchor] = /^anchor (\d+:[\w-]{43})$/m.exec(whole.stdout)!;
      expect((await operators.audit('verify', '--anchor', anchor!)).status).toBe(0);
      const [seq] = anchor!.split(':');
      const forged = `${seq}:${'A'.repeat(43)}`;
      const other = await operators.audit('verify', '--anchor', forged);
      expect(other.status).toBe(1);
      expect(other.stdout).toContain(`block ${seq} is not the one of the anchor`);

      const store = await bed.openStore();
      await store.delete('audit:2');
      await store.close();
      const broken = await operators.audit('verify', '--json');
      expect(broken.status).toBe(1);
      expect(JSON.parse(broken.stdout)).toMatchObject({
        ok: false,
        problems: [expect.stringContaining('block 2 is missing, and 2 was to be kept until')],
      });
      expect((await operators.audit('verify', '--anchor', 'x')).stderr).toContain('SEQ:HASH');
    },
    timeoutMs,
  );
});
