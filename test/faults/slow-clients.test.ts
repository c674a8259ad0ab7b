/** Five thousand connections that say their request a byte at a time, and people who want to sign in meanwhile. */
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { prepareDeployment } from '../e2e/deployment.ts';
import { createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { visit } from './people.ts';

const slow = 5_000;
const logins = 40;

it('[PL-16] slow clients keep nobody out, and are let go of', async () => {
  const deployment = await prepareDeployment({
    storeUrl: await freshRedis(),
    windowless: { people: logins },
  });
  const open = new Set<Socket>();
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await deployment.close();
  });
  const { managementUrl } = await deployment.start({ DIDIT_CREATE_FLOOR_MS: '0' });
  const party = await createParty(deployment);

  const heads = [
    'GET / HTTP/1.1\r\nHost: ',
    `POST /webhooks/didit HTTP/1.1\r\nHost: 127.0.0.1:${deployment.port}\r\ncontent-type: application/json\r\ncontent-length: 9000\r\n\r\n`,
    `POST /token HTTP/1.1\r\nHost: 127.0.0.1:${deployment.port}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 900\r\n\r\n`,
  ];
  for (let at = 0; at < slow; at += 1) {
    // From an address of their own: what one address may do at the bell is another limit.
    const socket = connect({ port: deployment.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
    socket.write(heads[at % heads.length] ?? '');
    if (at % 250 === 0) await sleep(5);
  }
  const drip = setInterval(() => {
    for (const socket of open) socket.write('x');
  }, 1_000);
  onTestFinished(() => clearInterval(drip));
  await sleep(500);
  expect(open.size).toBeGreaterThan(slow / 2);

  const health: number[] = [];
  const took: number[] = [];
  for (let at = 0; at < logins; at += 1) {
    const askedMs = performance.now();
    expect((await fetch(`${managementUrl}/healthz`)).status).toBe(200);
    health.push(performance.now() - askedMs);
    const person = deployment.person();
    const ended = await visit(party, person);
    expect(ended).toMatchObject({ email: person });
    took.push(ended.ms);
  }
  const largest = (list: number[]): number => list.toSorted((a, b) => a - b).at(-2) ?? Infinity;
  expect(largest(health)).toBeLessThan(100);
  expect(largest(took)).toBeLessThan(1_000);

  // Headers have ten seconds, bodies thirty, and every two it is looked whether they are over.
  await expect.poll(() => open.size, { timeout: 40_000, interval: 500 }).toBe(0);
}, 120_000);
