/** What an erasure means at the door, while the provider runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { apiKey, overhear } from '../didit/support.ts';
import { openLeaving, startFaces } from '../support/leaving.ts';
import {
  createBrowser,
  createParty,
  isCallback,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';

async function begin() {
  const [storeUrl, encryptionKeys, overheard] = [await freshRedis(), [randomKey()], overhear()];
  const flags = { store: { url: storeUrl, encryptionKeys } };
  const bed = await startTestbed({ flags, fetch: overheard.fetch });
  const { simulatorUrl } = bed;
  const faces = await startFaces();
  const leaving = await openLeaving({
    ...{ storeUrl, encryptionKeys, simulatorUrl, apiKey, facesUrl: faces.url },
  });
  onTestFinished(async () => {
    await Promise.all([leaving.close(), bed.close(), faces.close()]);
  });
  const id = (await leaving.accounts.idOf('ana@example.com'))!;
  const finished = async (): Promise<void> => {
    leaving.people.start();
    while ((await leaving.erasure.report(id))?.finishedAtMs === undefined) await sleep(50);
  };
  return { bed, leaving, overheard, id, finished, party: await createParty(bed) };
}

it('[BD-08] whose face was erased is let in by no selfie, and nothing of the earlier ones is at Didit', async () => {
  const { bed, leaving, overheard, id, finished, party } = await begin();
  const browser = createBrowser();
  const request = await party.begin();
  await request.finish(await signIn(browser, request));
  // A second selfie is taken, and nobody let in by it yet, when it happens.
  const [other, interrupted] = [createBrowser(), await party.begin()];
  const didit = await toSelfie(other, interrupted);
  const back = await settle(other, await takeSelfie(other, didit, 'approve'));
  const ready = await whileWaiting(other, back);
  // A third is under way, and taken after it.
  const [slow, begun] = [createBrowser(), await party.begin()];
  const open = await toSelfie(slow, begun);
  const before = overheard.creates.map(({ diditSessionId }) => diditSessionId);
  expect(before).toHaveLength(3);

  await leaving.erasure.eraseFace(id);
  const { location = '' } = await settle(other, await press(other, ready, 'resume'));
  expect(isCallback(location)).toBe(false);
  // What erases goes on beside it, and tells things of its own.
  const denied = () => bed.events.filter(({ event }) => event === 'login.denied').at(-1);
  expect(denied()).toMatchObject({ reason: 'changed' });
  // Didit's session of it may be gone by then, as the face is.
  const late = await settle(slow, await takeSelfie(slow, open, 'approve'));
  const shown = late.url.startsWith(bed.issuer) ? await whileWaiting(slow, late) : late;
  const last = shown.text.includes('/resume"')
    ? await settle(slow, await press(slow, shown, 'resume'))
    : shown;
  expect(isCallback(last.location ?? '')).toBe(false);

  await finished();
  for (const session of before) {
    const path = `${bed.simulatorUrl}/v3/session/${session}/decision/`;
    expect((await fetch(path, { headers: { 'x-api-key': apiKey } })).status).toBe(404);
  }
  // The next one is a decoy's, which is never approved, whatever Didit says.
  const [third, again] = [createBrowser(), await party.begin()];
  const page = await toSelfie(third, again);
  const answer = await settle(third, await takeSelfie(third, page, 'approve'));
  await whileWaiting(third, answer);
  expect(denied()).toMatchObject({
    claimed: id,
    reason: expect.not.stringMatching('changed') as string,
  });
  expect(bed.events.filter(({ event }) => event === 'login.completed')).toHaveLength(1);
}, 40_000);

it('[BD-08] [PR-27] whoever is erased is nobody at once, and somebody new when they come back', async () => {
  const { bed, leaving, id, finished, party } = await begin();
  const browser = createBrowser();
  const request = await party.begin({ scope: 'openid email offline_access', prompt: 'consent' });
  const tokens = await request.finish(await signIn(browser, request));
  const me = (token: string) =>
    fetch(`${bed.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
  expect(await (await me(tokens.access_token)).json()).toMatchObject({ sub: id });
  const unused = await party.begin();
  const { location: code = '' } = await settle(browser, await browser.get(unused.url));
  expect(isCallback(code)).toBe(true);

  await leaving.erasure.eraseAccount(id);
  expect((await me(tokens.access_token)).status).toBe(401);
  await expect(unused.finish(code)).rejects.toThrow();
  const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
  expect(silent.location).toContain('error=login_required');

  await finished();
  await sleep(1_500);
  const fields = { email: 'ana@example.com', groups: [] };
  const again = (await leaving.accounts.add(fields))!;
  expect(again.id).not.toBe(id);
  expect([again.email, again.username]).not.toContain(again.id);
  expect((await me(tokens.access_token)).status).toBe(401);
  expect(await leaving.accounts.find(id)).toMatchObject({ status: 'erased' });
}, 40_000);
