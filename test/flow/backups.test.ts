/** Whoever carries a backup away has nothing of anybody: neither in the snapshot nor in the log of writes. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { openLeaving, settleIn, simulatorKey, startFaces } from '../support/leaving.ts';
import { startRedisServer, withRedis } from '../support/redis.ts';
import { webhookSecret } from '../support/testbed.ts';

/** The snapshot, and everything that was ever written, of a Redis that two people were on and one has left. */
async function backupsOf(encryptionKeys: string[]) {
  const server = await startRedisServer({
    args: ['--appendonly', 'yes', '--appendfsync', 'always'],
  });
  const simulator = await createSimulator({
    ...{ apiKeys: { sandbox: [simulatorKey] }, webhookSecret },
  });
  const [simulatorUrl, faces] = [await simulator.listen(0, '127.0.0.1'), await startFaces()];
  const places = { storeUrl: server.url, simulatorUrl, facesUrl: faces.url };
  const leaving = await openLeaving({ ...places, encryptionKeys });
  onTestFinished(async () => {
    await leaving.close();
    await Promise.all([server.stop(), simulator.close(), faces.close()]);
  });
  const [ana, ben] = [
    await settleIn(leaving, places, 'ana'),
    await settleIn(leaving, places, 'ben'),
  ];
  await withRedis(server.url, async (client) => {
    // Else the file holds its strings compressed, and a thief would have to unpack it first.
    await client.config('SET', 'rdbcompression', 'no');
    await client.save();
  });
  await leaving.erasure.eraseAccount(ben.account.id);
  leaving.people.start();
  while ((await leaving.erasure.report(ben.account.id))?.finishedAtMs === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const read = (name: string): string => readFileSync(join(server.directory, name), 'latin1');
  const log = readdirSync(join(server.directory, 'appendonlydir'));
  return {
    snapshot: read('dump.rdb'),
    log: log.map((name) => read(join('appendonlydir', name))).join('\n'),
    people: [ana, ben],
  };
}

it('[BD-14] a backup holds what is sealed, and nothing else of anybody', async () => {
  const { snapshot, log, people } = await backupsOf([randomKey()]);
  expect(snapshot.length).toBeGreaterThan(3_000);
  expect(log.length).toBeGreaterThan(10_000);
  for (const { canaries, picture, account } of people) {
    for (const canary of [...canaries, picture, account.id]) {
      for (const form of [canary, Buffer.from(canary).toString('base64').replace(/=+$/, '')]) {
        expect(snapshot).not.toContain(form);
        expect(log).not.toContain(form);
      }
    }
  }
}, 60_000);

it('[BD-14] without the seal the same search finds everything but the picture', async () => {
  const { snapshot, log, people } = await backupsOf([]);
  const [ana, ben] = people;
  for (const canary of ana!.canaries) expect(snapshot).toContain(canary);
  // What was erased since is in the log of writes until that is written anew.
  for (const canary of ben!.canaries) expect(log).toContain(canary);
  for (const { picture } of people) {
    expect(snapshot).not.toContain(picture);
    expect(log).not.toContain(picture);
  }
}, 60_000);
