/** What is kept of an enrolment, and what of the face. */
import { expect, it, onTestFinished } from 'vitest';
import { callDidit } from '../didit/support.ts';
import { createBrowser } from '../support/browser.ts';
import { openToAll, signUp } from '../support/enrol.ts';
import { signIn } from '../support/login.ts';
import { type Newcomers, startNewcomers } from '../support/newcomers.ts';
import { withRedis } from '../support/redis.ts';

const address = 'kept@example.com';
/** What stands in a record of the store, by its path; lists count as one place. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    pathsOf(inner, Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`),
  );
}

/** All records, unsealed, by the kinds that their keys begin with. */
async function readAll({ store, storeUrl }: Newcomers): Promise<Map<string, string[]>> {
  const keys = await withRedis(storeUrl, (redis) => redis.keys('*'));
  const kinds = keys.map((key) => /^didit-oidc:record:([\w-]+):/.exec(key)?.[1]);
  const records = new Map<string, string[]>();
  for (const kind of new Set(kinds)) {
    if (kind === undefined || kind === 'sealed') continue;
    for await (const { key, value } of store.scan(kind)) {
      records.set(kind, [...(records.get(kind) ?? []), `${key} ${value}`]);
    }
  }
  return records;
}

/** Somebody enrols and signs in elsewhere. @returns the store's text, once while it happens and once after it. */
async function enrolAndSignIn(flags: NonNullable<Parameters<typeof startNewcomers>[0]>['flags']) {
  const newcomers = await startNewcomers({ flags: { ...flags } });
  onTestFinished(() => newcomers.close());
  const request = await newcomers.party.begin();
  const { location } = await signUp(newcomers.bed, createBrowser(), request, address);
  const during = await readAll(newcomers);
  await request.finish(location);
  const again = await newcomers.party.begin();
  await again.finish(await signIn(createBrowser(), again, address));
  const after = await readAll(newcomers);
  const { calls } = await newcomers.bed.log();
  const [enrolment] = newcomers.overheard.creates;
  const path = `/v3/session/${enrolment?.diditSessionId ?? ''}/decision/`;
  const decision = (await (await callDidit(newcomers.bed, 'GET', path)).json()) as {
    liveness_checks: { reference_image: string }[];
  };
  const text = [...during.values(), ...after.values()].flat().join('\n');
  return { newcomers, decision, after, calls, text };
}

it('[BD-01] where Didit has the faces, none is fetched, sent or kept here', async () => {
  const { newcomers, decision, after, calls, text } = await enrolAndSignIn({
    didit: { ...openToAll.didit, faceReference: 'stored' },
  });
  expect(after.get('account')?.join('\n')).toContain(address);
  expect(after.has('portrait')).toBe(true);
  const { id = '', enrolment } = (await newcomers.account(address)) ?? {};
  expect(enrolment).toBeDefined();
  expect(enrolment).not.toHaveProperty('portraitKey');
  expect(enrolment).not.toHaveProperty('portraitHash');
  // The people of the demo came with pictures; this one has none.
  expect(await newcomers.store.get(`portrait:${enrolment?.id ?? ''}`)).toBeUndefined();
  const own = text.split('\n').filter((line) => !line.startsWith('portrait:'));
  const picture = await (await fetch(decision.liveness_checks[0]?.reference_image ?? '')).bytes();
  expect(picture.length).toBeGreaterThan(100);
  const middle = Buffer.from(picture).subarray(30, 90).toString('base64');
  for (const bytes of ['iVBORw0KGgo', '/9j/', middle]) expect(own.join('\n')).not.toContain(bytes);
  expect(newcomers.overheard.creates.some(({ body }) => body.portrait_image)).toBe(false);
  expect(calls.map(({ operation }) => operation)).toContain('decision');
  expect(calls.map(({ operation }) => operation)).not.toContain('media');
  const opened = newcomers.bed.events.filter(({ event }) => event === 'account.portrait_opened');
  expect(opened.filter(({ account }) => account === id)).toEqual([]);
});

it('[BD-05] of an enrolment stay the names, keyed hashes, ids and times, and nothing else', async () => {
  const { newcomers, decision, text } = await enrolAndSignIn({});
  const account = await newcomers.account(address);
  expect(account?.enrolment).toBeDefined();
  expect(pathsOf(account).sort()).toEqual(
    [
      ...['schema', 'id', 'status', 'email', 'emailVerified', 'givenName', 'familyName'],
      ...['locale', 'createdAtMs', 'updatedAtMs', 'consent.version', 'consent.atMs'],
      ...['enrolment.id', 'enrolment.vendorData', 'enrolment.portraitKey'],
      ...['enrolment.portraitHash', 'enrolment.diditSessionId', 'enrolment.enrolledAtMs'],
      ...['enrolment.identity.person', 'enrolment.identity.document'],
    ]
      .filter((path) => path !== 'locale' || account?.locale !== undefined)
      .sort(),
  );
  // Everybody's address here, and a word of our own for what a face is compared with.
  const told = leavesOf(decision).filter(([, value]) => !['127.0.0.1', 'document'].includes(value));
  expect(told.length).toBeGreaterThan(20);
  expect(told.map(([, value]) => value)).toContain('1991-05-17');
  const kept = new Set(told.filter(([, value]) => text.includes(value)).map(([path]) => path));
  // What we had told Didit ourselves, and the name that it gave to the session.
  const allowed = ['callback', 'session_id', 'vendor_data', 'workflow_id', 'metadata.purpose'];
  expect([...kept].filter((path) => !allowed.includes(path))).toEqual([]);
});

/** Values that are long enough to be told from chance, with where they stand. */
function leavesOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) =>
      leavesOf(inner, Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`),
    );
  }
  const text = String(value);
  return text.length >= 8 ? [[path, text]] : [];
}
