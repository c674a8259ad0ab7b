/** What is kept of a login, and what of the face it was compared with. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openStore } from '../../src/store/open.ts';
import { callDidit, overhear } from '../didit/support.ts';
import { dumpRedis } from '../support/dump.ts';
import {
  createBrowser,
  createParty,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const elsewhere = '203.0.113.77';

/** A provider, and its store once more, so that everything in it can be read. */
async function begin() {
  const [url, overheard, encryptionKeys] = [await freshRedis(), overhear(), [randomKey()]];
  const bed = await startTestbed({
    ...{ flags: { store: { url, encryptionKeys } }, fetch: overheard.fetch },
  });
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  return {
    ...{ bed, store, overheard, party: await createParty(bed) },
    /** All records, unsealed. */
    read: async (): Promise<string> => {
      const kinds = (await dumpRedis(url)).matchAll(/^didit-oidc:record:([\w-]+):/gm);
      const lines: string[] = [];
      for (const kind of new Set([...kinds].map(([, name = '']) => name))) {
        if (kind === 'sealed') continue;
        for await (const { key, value } of store.scan(kind)) lines.push(key, value);
      }
      return lines.join('\n');
    },
    close: async (): Promise<void> => {
      await bed.close();
      await store.close();
    },
  };
}

/** Every place in a record that has a value, without what numbers the items of lists. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    pathsOf(inner, Array.isArray(value) ? `${path}[]` : path === '' ? key : `${path}.${key}`),
  );
}

/** Of the decision: which session it was about, whether it passed and why not, where, and when. */
const ofTheDecision = [
  ...['capture.diditSessionId', 'capture.expectation.diditSessionId'],
  ...['capture.expectation.workflowVersion'],
  ...['verdict.reason', 'verdict.decidedAtMs', 'verdict.locality', 'reason'],
  ...['proof.accountId', 'proof.acr', 'proof.amr[]', 'proof.provenAtMs'],
];

describe('[BD-05] of what Didit decides', () => {
  let paths: Set<string>;
  let dumps: string[];
  let decisions: unknown[];

  beforeAll(async () => {
    [paths, dumps, decisions] = [new Set(), [], []];
    const { bed, store, overheard, party, read, close } = await begin();
    const look = async (): Promise<void> => {
      dumps.push(await read());
      for await (const { value } of store.scan('attempt')) {
        for (const path of pathsOf(JSON.parse(value))) paths.add(path);
      }
    };
    for (const outcome of ['approve', 'decline', 'review', 'spoof', 'low-score'] as const) {
      const [browser, request] = [createBrowser(), await party.begin()];
      const didit = await toSelfie(browser, request, 'ana@example.com');
      const back = await settle(browser, await takeSelfie(browser, didit, outcome));
      await look();
      const page = await whileWaiting(browser, back);
      await look();
      if (outcome === 'approve') {
        const done = await settle(browser, await press(browser, page, 'resume'));
        await request.finish(done.location ?? '');
        await look();
      }
      const { diditSessionId } = overheard.latest();
      decisions.push(await decisionOf(bed, diditSessionId));
    }
    // Here everybody has the same address; this selfie comes from another one.
    await toSelfie(createBrowser(), await party.begin(), 'ben@example.com');
    const { diditSessionId } = overheard.latest();
    const ended = { outcome: 'approve', ipAddress: elsewhere };
    await bed.control(`sessions/${diditSessionId}/outcome`, ended);
    const isDenied = () => bed.events.some(({ reason }) => reason === 'elsewhere');
    await vi.waitFor(() => expect(isDenied()).toBe(true), 5_000);
    await look();
    decisions.push(await decisionOf(bed, diditSessionId));
    await close();
  }, 60_000);

  it('an attempt keeps the reason, the time and the place, and no field besides', () => {
    // That it is the record of a login, so that finding nothing else means something.
    for (const path of ['verdict.reason', 'proof.acr', 'capture.diditSessionId']) {
      expect([...paths]).toContain(path);
    }
    const before = [
      ...['schema', 'id', 'kind', 'interactionUid', 'reference', 'phase', 'createdAtMs'],
      ...['expiresAtMs', 'endedAtMs', 'returnedAtMs', 'client.id', 'client.name', 'client.host'],
      ...['identity.identifier', 'identity.accountId', 'request.loginHint', 'request.uiLocales'],
      // What the policy decided; and when the verdict came, or why it was a no, which outlive it.
      ...['decision.action', 'decision.policy', 'decision.rule', 'decision.atMs'],
      ...['decidedAtMs', 'because'],
      // Of one that people have to look at: their case can be made from it when whoever ended it died over that.
      'locality',
    ];
    const asked =
      /^(decision\.signals\.\w+|capture\.(callbackNonceHash|enrolmentId|(place|device|expectation)\.\w+(\[\])?))$/;
    const others = [...paths].filter(
      (path) => !ofTheDecision.includes(path) && !before.includes(path) && !asked.test(path),
    );
    expect(others).toEqual([]);
  });

  it('no score, picture, address or person’s data is anywhere in the store', () => {
    const text = dumps.join('\n');
    const told = decisions
      .flatMap((decision) => leavesOf(decision))
      .filter(([, value]) => value !== '127.0.0.1');
    expect(told.length).toBeGreaterThan(100);
    expect(told.map(([, value]) => value)).toContain(elsewhere);
    const kept = new Set(told.filter(([, value]) => text.includes(value)).map(([path]) => path));
    // What we had told Didit ourselves, and the name that it gave to the session.
    expect([...kept].sort()).toEqual([
      ...['face_matches[].source_image_session_id', 'session_id', 'vendor_data', 'workflow_id'],
    ]);
  });
});

async function decisionOf(bed: Testbed, diditSessionId: string): Promise<unknown> {
  return (await callDidit(bed, 'GET', `/v3/session/${diditSessionId}/decision/`)).json();
}

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

it('[EN-07] logins leave the reference as it was enrolled, byte for byte', async () => {
  const { bed, store, party, close } = await begin();
  onTestFinished(close);
  const enrolment = async () => {
    const id = (await store.get('identifier:ana@example.com'))?.value ?? '';
    const account = JSON.parse((await store.get(`account:${id}`))?.value ?? '{}') as {
      enrolment: { id: string };
    };
    const picture = await store.get(`portrait:${account.enrolment.id}`);
    return { enrolment: account.enrolment, picture };
  };
  const before = await enrolment();
  expect(before.picture?.value.length).toBeGreaterThan(1_000);
  for (let logins = 0; logins < 3; logins += 1) {
    const [browser, request] = [createBrowser(), await party.begin()];
    await request.finish(await signIn(browser, request));
  }
  expect(bed.events.filter(({ event }) => event === 'login.completed')).toHaveLength(3);
  expect(await enrolment()).toEqual(before);
});

it('[BD-11] each login opens one face, and says whose and what for; a name that is nobody’s opens none', async () => {
  const { bed, store, party, close } = await begin();
  onTestFinished(close);
  const browser = createBrowser();
  const request = await party.begin();
  await request.finish(await signIn(browser, request));
  const opened = () => bed.events.filter(({ event }) => event === 'account.portrait_opened');
  const account = (await store.get('identifier:ana@example.com'))?.value;
  const enrolment = expect.stringMatching(/^[\w-]{22}$/) as string;
  expect(opened()).toMatchObject([{ account, enrolment, reason: 'sign_in' }]);
  await toSelfie(createBrowser(), await party.begin(), 'nobody@example.com');
  expect(opened()).toHaveLength(1);
});
