/** Five thousand connections that say their request a byte at a time, and people who want to sign in meanwhile. */
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { prepareDeployment } from '../e2e/deployment.ts';
import { createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { visit } from './people.ts';

/** Of the bell one address has a share of 128; whoever has more is sent away and costs nothing. */
const slow = { form: 4_500, headers: 400, webhook: 100 };
const logins = 100;

const headOf = (path: string, type: string, port: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\ncontent-type: ${type}\r\ncontent-length: 9000\r\n\r\n`;

/** So many sockets at once, none of which gets to the end of its request, and a new one for each that is let go of. */
async function attack(port: number, sends: keyof typeof slow) {
  const head = {
    headers: 'GET / HTTP/1.1\r\nHost: ',
    form: headOf('/token', 'application/x-www-form-urlencoded', port),
    webhook: headOf('/webhooks/didit', 'application/json', port),
  }[sends];
  const open = new Set<Socket>();
  let wanted = slow[sends];

  function begin(): void {
    // From an address of their own: what one address may do is another limit.
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.once('connect', () => socket.write(head));
    socket.once('close', () => {
      open.delete(socket);
      if (open.size < wanted) begin();
    });
  }

  const drip = setInterval(() => {
    for (const socket of open) socket.write('x');
  }, 1_000);
  const giveUp = (): void => void (wanted = 0);
  onTestFinished(() => {
    clearInterval(drip);
    giveUp();
    for (const socket of open) socket.destroy();
  });
  for (let at = 1; at <= wanted; at += 1) {
    begin();
    if (at % 250 === 0) await sleep(5);
  }
  return { open, giveUp };
}

/** All but one in a hundred are no larger. */
const p99 = (list: number[]): number =>
  list.toSorted((a, b) => a - b)[Math.ceil(list.length * 0.99) - 1] ?? Infinity;

it('[PL-16] with 5,000 slow connections 99 of 100 logins take less than a second each, and health less than 100 ms', async () => {
  const deployment = await prepareDeployment({
    storeUrl: await freshRedis(),
    windowless: { people: logins },
  });
  onTestFinished(() => deployment.close());
  const { managementUrl } = await deployment.start({ DIDIT_CREATE_FLOOR_MS: '0' });
  const party = await createParty(deployment);
  const attacks = [
    await attack(deployment.port, 'form'),
    await attack(deployment.port, 'headers'),
    await attack(deployment.port, 'webhook'),
  ];
  const opened = (): number => attacks.reduce((sum, { open }) => sum + open.size, 0);

  const health: number[] = [];
  const took: number[] = [];
  let fewest = Infinity;
  for (let at = 0; at < logins; at += 1) {
    fewest = Math.min(fewest, opened());
    const askedMs = performance.now();
    expect((await fetch(`${managementUrl}/healthz`)).status).toBe(200);
    health.push(performance.now() - askedMs);
    const person = deployment.person();
    const ended = await visit(party, person);
    expect(ended).toMatchObject({ email: person });
    took.push(ended.ms);
  }
  expect(fewest).toBeGreaterThan(4_900);
  expect(p99(health)).toBeLessThan(100);
  expect(p99(took)).toBeLessThan(1_000);

  // Headers have ten seconds, bodies thirty, and every two it is looked whether they are over.
  for (const { giveUp } of attacks) giveUp();
  await expect.poll(opened, { timeout: 40_000, interval: 500 }).toBe(0);
}, 180_000);
