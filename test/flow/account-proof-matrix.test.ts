/** Every action of the person's own page against every session that there can be: what opens it, and nothing else. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { mayChange as isEnoughToChange } from '../../src/account/proof.ts';
import { createAccountRoutes } from '../../src/account/routes.ts';
import type { AccountTools } from '../../src/account/room.ts';
import type { AccountSession } from '../../src/account/session.ts';
import { acr, acrName } from '../../src/domain/assurance.ts';
import { type Scene, bySelfie, minute, openScene, recordOf, somebody } from '../support/account.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import { tokenOn } from '../support/enrol.ts';
import { heading } from '../support/login.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());

/** As the router has them, so that an action that is added stands here by itself. */
function allActions(): string[] {
  const routes = createAccountRoutes({ issuer: 'http://localhost' } as unknown as AccountTools);
  const { stack } = (
    routes as unknown as { router: { stack: { methods: string[]; path: string }[] } }
  ).router;
  return stack
    .filter(({ methods }) => methods.includes('POST'))
    .map(({ path }) => path.replace('/account/', ''));
}

/** What takes no proof from just now, and why that opens nothing to whoever borrowed a session. */
const open: Readonly<Record<string, string>> = {
  back: 'shows the page',
  'end-one': 'takes a session away',
  'end-all': 'takes sessions away',
  disavow: 'takes sessions away',
  'revoke-app': 'takes from an app what it was allowed',
  'prove-passkey': 'is how a proof is shown',
  'prove-selfie': 'is how a proof is shown',
  'prove-code': 'is how a proof is shown',
  'prove-again': 'is how a proof is shown',
  recover: 'takes a selfie and a wait of days, which is announced by mail',
  'recover-code': 'is a part of that',
  'recover-finish': 'is the end of that wait',
  'recover-cancel': 'ends such a wait',
  keep: 'calls an erasure off',
  'selfie-off': 'closes a way in',
};

const gated = allActions().filter((name) => !(name in open));
const erasures = gated.filter((name) => name.startsWith('erase'));
const changes = gated.filter((name) => !name.startsWith('erase'));

test('[AS-06] the matrix has all actions that there are, each once', () => {
  expect(allActions()).toEqual(expect.arrayContaining(Object.keys(open)));
  expect(new Set(gated).size).toBe(gated.length);
  expect(changes.length).toBeGreaterThanOrEqual(14);
  expect(erasures).toHaveLength(4);
});

test('[AS-06] a face that has taken the place of another counts for nothing for a while, nor do its keys', () => {
  const nowMs = 1_800_000_000_000;
  const enrolment = {
    id: 'new',
    vendorData: 'new',
    isReplacement: true,
    enrolledAtMs: nowMs,
  } as const;
  const may = (name: keyof typeof acr, atMs: number): boolean =>
    isEnoughToChange({
      session: {
        ...{ schema: 1, accountId: 'a', oidcSessionUid: 'o', acr: acr[name] },
        ...{ authTime: atMs / 1000, confirmedAtMs: atMs },
      },
      ...{ account: { enrolment }, cooldownSeconds: 86_400, nowMs: atMs, environment: 'live' },
    });
  const byFace = ['selfie', 'selfieDevice', 'selfieActive'] as const;
  expect(byFace.map((name) => may(name, nowMs + 86_399_000))).toEqual([false, false, false]);
  expect(byFace.map((name) => may(name, nowMs + 86_400_000))).toEqual([true, true, true]);
  expect(may('passkey', nowMs)).toBe(true);
});

type Has = 'nothing' | 'codes' | 'passkey';
type Age = 'now' | 'almost old' | 'old';

interface Case {
  has: Has;
  name: keyof typeof acr;
  /** The device key was there long before this sign-in. */
  hasOldKey?: true;
  signedIn: Age;
  /** When a code was typed besides. */
  code: Age | 'never';
}

const secondsAgo = { now: 0, 'almost old': 4 * minute + 30, old: 5 * minute + 1 };
const isRecent = (age: Age | 'never'): boolean => age === 'now' || age === 'almost old';

/** Said a second time, in other words than the code has. */
function mayChange({ name, signedIn, code, hasOldKey }: Case): boolean {
  if (!isRecent(signedIn)) return false;
  const withDevice = ['selfieDevice', 'selfieActive'].includes(name);
  if (name === 'passkey' || (withDevice && hasOldKey)) return true;
  return (withDevice || name === 'selfie') && isRecent(code);
}

function mayErase({ has, name, signedIn, code }: Case): boolean {
  if (has === 'passkey') return name === 'passkey' && isRecent(signedIn);
  return has === 'codes' ? isRecent(code) : isRecent(signedIn);
}

const names = Object.keys(acr) as (keyof typeof acr)[];
const cases: Case[] = (['nothing', 'codes', 'passkey'] as const).flatMap((has) =>
  names.flatMap((name) =>
    (['now', 'almost old', 'old'] as const).flatMap((signedIn) =>
      (['never', 'now', 'old'] as const).flatMap((code) => [
        { has, name, signedIn, code },
        ...(['selfieDevice', 'selfieActive'].includes(name)
          ? [{ has, name, signedIn, code, hasOldKey: true as const }]
          : []),
      ]),
    ),
  ),
);

interface Visit {
  accountId: string;
  browser: TestBrowser;
  page: Answer;
}

async function openVisit(has: Has): Promise<Visit> {
  // Limits count by the quarter of an hour, and all browsers of a test share an address.
  scene.pass(16 * minute);
  const { address, accountId } = await somebody(
    scene,
    has === 'nothing' ? [] : ['totp', 'recovery'],
  );
  if (has === 'passkey') await givePasskey(accountId);
  return { accountId, ...(await bySelfie(scene, address)) };
}

async function givePasskey(accountId: string): Promise<void> {
  const { value = '{}' } = (await scene.store.get(`factors:${accountId}`)) ?? {};
  const key = { id: 'a-key', publicKey: '', counter: 0, transports: [], isSynced: false };
  const passkeys = [{ ...key, name: 'Laptop', createdAtMs: 1 }];
  const factors = { ...(JSON.parse(value) as object), passkeys };
  await scene.store.put(`factors:${accountId}`, JSON.stringify(factors));
}

/** The session becomes one that such a sign-in would have begun. */
async function become(
  { browser }: Visit,
  { name, signedIn, code, hasOldKey }: Omit<Case, 'has'>,
  environment: 'live' | 'sandbox' = 'sandbox',
): Promise<void> {
  const cookies = await browser.jar.getCookies(scene.bed.issuer);
  const { value: id = '' } = cookies.find(({ key }) => key === '_account') ?? {};
  const key = `account-session:${createHash('sha256').update(id).digest('base64url')}`;
  const { value = '' } = (await scene.store.get(key)) ?? {};
  const before = JSON.parse(value) as AccountSession;
  const { confirmedAtMs: _, hasOldKey: __, ...session } = before;
  const nowMs = Date.now();
  const changed: AccountSession = {
    ...session,
    acr: acrName(acr[name], environment),
    ...(hasOldKey ? { hasOldKey } : {}),
    authTime: Math.floor(nowMs / 1000) - secondsAgo[signedIn],
    ...(code === 'never' ? {} : { confirmedAtMs: nowMs - secondsAgo[code] * 1000 }),
  };
  await scene.store.put(key, JSON.stringify(changed), { ttlSeconds: 3_600 });
}

async function post({ browser, page }: Visit, action: string): Promise<Answer> {
  const address = new URL(`/account/${action}`, page.url).href;
  return browser.post(address, { ...tokenOn(page), address: 'thief@example.net', name: 'Mine' });
}

/** Everything of a person that must be as it was. */
async function stateOf(accountId: string): Promise<unknown> {
  const [factors, erasure] = await Promise.all([
    scene.store.get(`factors:${accountId}`),
    scene.store.get(`erasure:${accountId}`),
  ]);
  return { account: await recordOf(scene.store, accountId), factors, erasure };
}

const isAskedForProof = (answer: Answer): boolean =>
  answer.status === 403 && heading(answer) === 'Show that it is you';

async function askedForProof(visit: Visit, actions: readonly string[]): Promise<string[]> {
  const asked: string[] = [];
  for (const action of actions) if (isAskedForProof(await post(visit, action))) asked.push(action);
  return asked;
}

describe.each<Has>(['nothing', 'codes', 'passkey'])('[AS-06] somebody with %s', (has) => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await openVisit(has);
  });

  it.each(cases.filter((one) => one.has === has))(
    'in a session by $name, signed in $signedIn, a code $code, an old key $hasOldKey',
    async (one) => {
      const before = await stateOf(visit.accountId);
      await become(visit, one);
      // Of what is let through, one is tried that does nothing yet.
      const changing = mayChange(one) ? ['passkey-name'] : changes;
      expect(await askedForProof(visit, changing)).toEqual(mayChange(one) ? [] : changes);
      const erasing = mayErase(one) ? ['erase-face', 'erase-account'] : erasures;
      expect(await askedForProof(visit, erasing)).toEqual(mayErase(one) ? [] : erasures);
      expect(await stateOf(visit.accountId)).toEqual(before);
    },
  );

  it.each(names)('in a session of another environment by %s', async (name) => {
    await become(visit, { name, signedIn: 'now', code: 'now' }, 'live');
    expect(await askedForProof(visit, changes)).toEqual(changes);
    const erasing = has === 'passkey' ? erasures : [];
    expect(await askedForProof(visit, has === 'passkey' ? erasures : ['erase-face'])).toEqual(
      erasing,
    );
  });
});

it('[AS-06] every one of the actions is let through with enough', async () => {
  for (const action of gated) {
    const visit = await openVisit('codes');
    await become(visit, { name: 'selfie', signedIn: 'now', code: 'now' });
    const done = await post(visit, action);
    expect([action, isAskedForProof(done), done.status < 500]).toEqual([action, false, true]);
  }
});

it.each<[Has, keyof typeof acr, 'never' | 'now']>([
  ['nothing', 'selfie', 'never'],
  ['codes', 'fallback', 'now'],
  ['passkey', 'passkey', 'never'],
])(
  '[AS-06] erasing by somebody with %s is planned, not done, and can be called off',
  async (has, name, code) => {
    const visit = await openVisit(has);
    const before = await recordOf(scene.store, visit.accountId);
    await become(visit, { name, signedIn: 'now', code });
    expect((await post(visit, 'erase-account-now')).location).toContain('done=erasure_planned');
    expect(await recordOf(scene.store, visit.accountId)).toEqual(before);
    expect((await post(visit, 'keep')).location).toContain('done=erasure_cancelled');
    expect(await recordOf(scene.store, visit.accountId)).toEqual(before);
  },
);
