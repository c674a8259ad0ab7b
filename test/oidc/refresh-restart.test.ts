/** What was used up stays used up, though the provider and its database were both away in between (CVE-2026-9802). */
import * as oidc from 'openid-client';
import { expect, it, onTestFinished } from 'vitest';
import { createParty } from '../support/login.ts';
import { startRedisServer } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';
import { signedIn, tokensOf, userinfo } from './support.ts';

const invalidGrant = { error: 'invalid_grant' };

it('[PR-14] refresh tokens: a new one is good after a restart of everything, an old one ends the family', async () => {
  const redis = await startRedisServer({
    args: ['--appendonly', 'yes', '--appendfsync', 'always'],
  });
  onTestFinished(() => redis.stop());
  const bed = await startTestbed({ storeUrl: redis.url });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const refresh = (token = ''): ReturnType<typeof oidc.refreshTokenGrant> =>
    oidc.refreshTokenGrant(party.config, token);
  const restartAll = (): Promise<void> =>
    bed.restart(async () => {
      await redis.kill();
      await redis.restart();
    });

  const browser = await signedIn(bed);
  const first = await tokensOf(browser, await party.begin());
  const second = await refresh(first.refresh_token);
  await restartAll();
  // Whoever is honest has the newest, and goes on.
  const third = await refresh(second.refresh_token);
  expect((await userinfo(bed, third.access_token)).status).toBe(200);
  await restartAll();
  for (const old of [first, second]) {
    await expect(refresh(old.refresh_token)).rejects.toMatchObject(invalidGrant);
  }
  await expect(refresh(third.refresh_token)).rejects.toMatchObject(invalidGrant);
  for (const { access_token: token } of [second, third]) {
    expect((await userinfo(bed, token)).status).toBe(401);
    expect((await oidc.tokenIntrospection(party.config, token)).active).toBe(false);
  }
  // And it stays so.
  await restartAll();
  await expect(refresh(third.refresh_token)).rejects.toMatchObject(invalidGrant);
  expect((await userinfo(bed, third.access_token)).status).toBe(401);
});
