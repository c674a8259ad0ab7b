import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openLeaving, settleIn, simulatorKey, startFaces } from '../support/leaving.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Commands are processes, and a busy machine takes its time to start them. */
const timeoutMs = 60_000;

let directory: string;
let simulator: Awaited<ReturnType<typeof createSimulator>>;
let faces: Awaited<ReturnType<typeof startFaces>>;
let simulatorUrl: string;
let places: { storeUrl: string; encryptionKeys: string[]; simulatorUrl: string; facesUrl: string };

beforeAll(async () => {
  simulator = await createSimulator({ apiKeys: { sandbox: [simulatorKey] }, webhookSecret });
  [simulatorUrl, faces] = [await simulator.listen(0, '127.0.0.1'), await startFaces()];
});
afterAll(async () => {
  await Promise.all([simulator.close(), faces.close()]);
});

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-accounts-'));
  const encryptionKeys = [randomKey()];
  const storeUrl = `sqlite:${join(directory, 'store.sqlite')}`;
  places = { storeUrl, encryptionKeys, simulatorUrl, facesUrl: faces.url };
  writeFileSync(
    join(directory, 'config.yaml'),
    JSON.stringify({
      ...{ mode: 'development', issuer: 'http://127.0.0.1:3000' },
      store: { url: storeUrl, encryptionKeys },
      didit: {
        ...{ apiKey: simulatorKey, webhookSecrets: [webhookSecret], environment: 'sandbox' },
        workflows: { passive: workflowId },
      },
    }),
  );
  return () => rmSync(directory, { recursive: true });
});

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A process of its own, without a terminal. */
function accounts(...args: string[]): Promise<Outcome> {
  const env = { CONFIG_FILE: join(directory, 'config.yaml') };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [mainFile, 'accounts', ...args],
      { env },
      (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** What is printed is JSON and nothing else. */
async function json(...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await accounts(...args, '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** What the provider would do meanwhile, and what a test prepares. */
async function withPeople<T>(work: (of: Awaited<ReturnType<typeof openLeaving>>) => Promise<T>) {
  const leaving = await openLeaving(places);
  try {
    return await work(leaving);
  } finally {
    await leaving.close();
  }
}

describe('didit-oidc accounts', () => {
  test(
    'imports, lists, shows and exports people',
    async () => {
      const file = join(directory, 'people.csv');
      writeFileSync(file, 'email,username,groups\nana@example.com,ana,staff\n,ben,\n');
      expect((await accounts('import', file, '--dry-run')).stdout).toBe(
        '2 people would be added\n',
      );
      expect(await json('list')).toEqual({ accounts: [] });
      expect(await json('import', file)).toEqual({ people: 2, added: 2, skipped: 0, refused: [] });
      const again = await accounts('import', file, '--skip-existing');
      expect(again.stdout).toBe('0 people added\n2 are there already\n');

      const { stdout } = await accounts('list');
      expect(stdout).toMatch(/^\S{22} {2}active {3}no face {2}ana@example\.com, ana$/m);
      const shown = (await json('show', 'ANA@example.com')) as { sub: string };
      expect(shown).toMatchObject({ email: 'ana@example.com', username: 'ana', groups: ['staff'] });
      expect(await json('show', shown.sub)).toEqual(shown);
      expect((await accounts('show', 'ana')).stdout).toMatch(/^email {11}ana@example\.com$/m);

      const exported = await accounts('export');
      const lines = exported.stdout.trim().split('\n');
      const people = lines.map((line) => JSON.parse(line) as { username: string });
      expect(people.map(({ username }) => username).sort()).toEqual(['ana', 'ben']);
      expect(people).toContainEqual({
        ...shown,
        factors: { passkeys: 0, totp: false, recovery_codes: 0 },
      });
    },
    timeoutMs,
  );

  test(
    'says line by line what is wrong with a file, and adds nobody',
    async () => {
      const file = join(directory, 'people.ndjson');
      writeFileSync(file, '{"username":"ana"}\n{"username":"ben","role":"admin"}\n');
      const outcome = await accounts('import', file);
      expect(outcome).toMatchObject({ status: 1, stdout: '' });
      expect(outcome.stderr).toContain(`nobody was added from ${file}:`);
      expect(outcome.stderr).toContain('  line 2: Unrecognized key: "role"');
      const { status, stdout } = await accounts('import', file, '--json');
      expect({ status, answer: JSON.parse(stdout) as unknown }).toEqual({
        status: 1,
        answer: { added: 0, problems: [{ line: 2, problem: 'Unrecognized key: "role"' }] },
      });
      expect(await json('list')).toEqual({ accounts: [] });
    },
    timeoutMs,
  );

  test(
    'blocks and lets in again, and lets nobody in who was never let out',
    async () => {
      const [id, held] = await withPeople(async (people) => {
        const one = await people.accounts.add({ username: 'ana', groups: [] });
        const other = await people.accounts.add({ username: 'ben', status: 'held', groups: [] });
        return [one!.id, other!.id];
      });
      expect(await json('block', 'ana')).toEqual({ sub: id, status: 'blocked' });
      expect((await accounts('unblock', id)).stdout).toBe(`${id} is active\n`);
      const invited = await withPeople((people) =>
        people.accounts.add({
          ...{ email: 'cleo@example.com', emailVerified: false, groups: [] },
          status: 'invited',
        }),
      );
      await accounts('block', 'cleo@example.com');
      expect((await accounts('unblock', 'cleo@example.com')).stdout).toBe(
        `${invited!.id} is invited\n`,
      );
      const outcome = await accounts('unblock', 'ben');
      expect(outcome).toMatchObject({ status: 1, stdout: '' });
      expect(outcome.stderr).toContain(`${held} is held, and stays so`);
      expect(await accounts('block', 'nobody')).toMatchObject({
        ...{ status: 1, stderr: 'didit-oidc: nobody signs in as "nobody"\n' },
      });
    },
    timeoutMs,
  );

  test(
    '[BD-08] erases, which counts at once, and shows what was done about it',
    async () => {
      const person = await withPeople((people) => settleIn(people, places, 'ana', 1));
      faces.kept.add(person.enrolment.vendorData);
      const { id } = person.account;
      const erased = await accounts('erase', 'ana@example.com');
      expect(erased).toMatchObject({ status: 0, stderr: '' });
      expect(erased.stdout).toContain(`the account of ${id} counts for nothing any more`);
      expect(await json('show', id)).toMatchObject({ sub: id, status: 'erased' });
      expect(await json('erasure')).toMatchObject({ unfinished: [{ sub: id, steps: [] }] });
      expect((await accounts('erasure', id)).stdout).toContain('not complete after 0 tries');
      expect((await accounts('erase', id)).stderr).toContain('was erased before');

      await withPeople(async (people) => {
        people.people.start();
        while ((await people.erasure.report(id))?.finishedAtMs === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      });
      const report = await accounts('erasure', id);
      expect(report.stdout).toMatch(/^ {2}\S{24} {2}didit_sessions, 2, 1 tries$/m);
      expect(report.stdout).toMatch(/^ {2}complete 2\S+Z$/m);
      expect(person.canaries.filter((canary) => report.stdout.includes(canary))).toEqual([]);
      expect(await json('erasure')).toEqual({ unfinished: [] });
      const time = expect.stringMatching(/^2\d{3}-\d\d-\d\dT[\d:.]+Z$/) as string;
      const { steps, ...all } = (await json('erasure', id)) as { steps: object[] };
      expect(all).toEqual({
        ...{ sub: id, scope: 'account', asked_at: time, finished_at: time, tries: 1 },
      });
      const sessions = { step: 'didit_sessions', count: 2, tries: 1, done_at: time };
      expect(steps).toContainEqual(sessions);
      expect([...faces.kept]).toEqual([]);
    },
    timeoutMs,
  );

  test(
    '[BD-08] erases a face alone',
    async () => {
      const { account } = await withPeople((people) => settleIn(people, places, 'ana', 0));
      expect(await json('erase', 'ana-name', '--face')).toEqual({
        ...{ sub: account.id, erasing: 'face' },
      });
      expect(await json('show', 'ana-name')).toMatchObject({ status: 'active', enrolled: false });
    },
    timeoutMs,
  );
});
