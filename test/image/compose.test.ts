import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBrowser, createParty, press, settle, whileWaiting } from '../support/login.ts';
import { type Stack, canary, docker, providerImage, startStack } from './stack.ts';

interface Container {
  Name: string;
  State: { Status: string; Health?: { Status: string } };
  Config: { User: string; Env: string[]; Labels: Record<string, string> };
  HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; SecurityOpt: string[] };
}

const services = ['demo', 'network', 'provider-1', 'provider-2', 'proxy', 'redis'];

let stack: Stack | undefined;
beforeAll(async () => {
  stack = await startStack();
  await healthy(stack);
});
afterAll(() => stack?.stop());

test('[PL-23] everything in docker-compose.yml comes up, and is healthy', async () => {
  const found = await containers(stack!);
  expect([...found.keys()].sort()).toEqual(services);
  const states = [...found].map(([name, { State: it }]) => [name, it.Health?.Status ?? it.Status]);
  expect(Object.fromEntries(states)).toEqual({
    ...Object.fromEntries(services.map((name) => [name, 'healthy'])),
    network: 'running',
  });
});

test.each(services)(
  '[PL-23] %s runs without root, without capabilities, on a root that it cannot write',
  async (name) => {
    const it = (await containers(stack!)).get(name)!;
    const status = await inside(it, 'cat /proc/1/status');
    const field = (key: string): string =>
      new RegExp(`^${key}:\\s+(.+)$`, 'm').exec(status)?.[1]?.split('\t')[0] ?? '';
    expect(Number(field('Uid'))).toBeGreaterThan(0);
    expect(Number(field('Gid'))).toBeGreaterThan(0);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      expect(BigInt(`0x${field(set)}`), set).toBe(0n);
    }
    expect(field('NoNewPrivs')).toBe('1');
    expect(await inside(it, 'touch /here 2>&1; touch /usr/bin/here 2>&1; true')).toMatch(
      /Read-only file system[^]*Read-only file system/,
    );
    expect(it.HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
  },
);

test('the proxy leads to both providers, and goes on with one', async () => {
  const { issuer } = stack!;
  const discovery = `${issuer}/.well-known/openid-configuration`;
  const metadata = (await (await fetch(discovery)).json()) as { issuer: string };
  expect(metadata.issuer).toBe(issuer);
  const clear = await fetch(stack!.clearUrl);
  // Another host than the issuer's: a provider that answers so is a provider that was reached.
  expect(clear.status).toBe(421);
  await stack!.compose('stop', '--timeout', '12', 'provider-1');
  for (let at = 0; at < 20; at += 1) expect((await fetch(discovery)).status).toBe(200);
  await stack!.compose('start', 'provider-1');
});

test('operators reach the management listener from this machine, and people do not reach it', async () => {
  const { issuer, consolePort } = stack!;
  const alive = await fetch(`http://127.0.0.1:${consolePort}/healthz`);
  expect([alive.status, await alive.json()]).toEqual([200, { status: 'alive' }]);
  expect((await fetch(`http://127.0.0.1:${consolePort}/metrics`)).status).toBe(200);
  for (const path of ['/healthz', '/readyz', '/metrics', '/console']) {
    expect((await fetch(issuer + path)).status, path).toBe(404);
  }
});

test('somebody signs in with a selfie, through the proxy, whichever provider answers', async () => {
  const { issuer, clientSecret, didit } = stack!;
  const request = await (await createParty({ issuer, clientSecret })).begin();
  const browser = createBrowser();
  const identify = await settle(browser, await browser.get(request.url));
  const identifier = 'ana@example.com';
  const context = await settle(browser, await press(browser, identify, 'identify', { identifier }));
  const away = await browser.follow(await press(browser, context, 'selfie'), (url) =>
    url.startsWith(didit.url),
  );
  // The name that containers know Didit by is not known here.
  const hosted = away.location!.replace(didit.url, didit.plainUrl);
  const taken = await browser.post(hosted, { outcome: 'approve' });
  const back = await settle(browser, await browser.get(taken.location!));
  const ready = await whileWaiting(browser, back);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  const tokens = await request.finish(done.location!);
  expect(tokens.claims()).toMatchObject({
    iss: issuer,
    acr: 'urn:didit-oidc:acr:selfie',
    amr: ['face'],
  });
});

test('Redis keeps what it has, and drops nothing', async () => {
  const redis = (await containers(stack!)).get('redis')!;
  expect(await inside(redis, 'redis-cli config get appendonly')).toContain('yes');
  expect(await inside(redis, 'redis-cli config get maxmemory-policy')).toContain('noeviction');
  expect(await inside(redis, 'ls /data/appendonlydir')).toContain('appendonly.aof');
});

test('[PL-02] no layer of the image holds what lay about when it was built', async () => {
  const found = await countInImage(providerImage, [canary, 'node_modules/koa/package.json']);
  expect(found.get(canary)).toBe(0);
  // The search finds what is there.
  expect(found.get('node_modules/koa/package.json')).toBeGreaterThan(0);
});

test('[PL-02] no secret stands in the image’s own description, nor in what is logged', async () => {
  const description = await docker('image', 'inspect', providerImage);
  expect(description).not.toMatch(/COOKIE_KEYS|ENCRYPTION_KEYS|API_KEY|WEBHOOK_SECRETS/);
  const { stdout } = await stack!.compose('logs', '--no-color');
  const provider = (await containers(stack!)).get('provider-1')!;
  const files = provider.Config.Env.filter((line) =>
    /^(COOKIE_KEYS|STORE_ENCRYPTION_KEYS|DIDIT_API_KEY|DIDIT_WEBHOOK_SECRETS)_FILE=/.test(line),
  ).map((line) => line.replace(/^\w+=/, ''));
  const secrets = (
    await inside(provider, `for file in ${files.join(' ')}; do cat $file; echo; done`)
  )
    .trim()
    .split(/\s+/);
  expect(new Set(secrets).size).toBe(4);
  expect(stdout).toContain('"message":"ready"');
  for (const secret of secrets) expect(stdout).not.toContain(secret);
});

/** Waits until every service says that it is, or nothing changes any more. */
async function healthy(of: Stack): Promise<void> {
  const untilMs = Date.now() + 90_000;
  for (;;) {
    const found = [...(await containers(of)).values()];
    const waits = found.filter(
      ({ State: { Status, Health } }) =>
        Status !== 'running' || (Health !== undefined && Health.Status !== 'healthy'),
    );
    if (found.length === services.length && waits.length === 0) return;
    if (Date.now() > untilMs) {
      const { stdout } = await of.compose('logs', '--no-color', '--tail', '20');
      throw new Error(
        `${waits.map(({ Name }) => Name).join(', ')} did not become healthy:\n${stdout}`,
      );
    }
    await sleep(250);
  }
}

/** By the name of their service. */
async function containers({ project }: Stack): Promise<Map<string, Container>> {
  const label = `label=com.docker.compose.project=${project}`;
  const ids = (await docker('ps', '--all', '--quiet', '--filter', label)).trim().split('\n');
  const found = JSON.parse(await docker('inspect', ...ids)) as Container[];
  return new Map(found.map((it) => [it.Config.Labels['com.docker.compose.service'] ?? '', it]));
}

function inside({ Name }: Container, command: string): Promise<string> {
  return docker('exec', Name.slice(1), 'sh', '-c', command);
}

/** How often each text occurs in the image as it would be sent elsewhere: layers, names of files, history. */
async function countInImage(image: string, texts: readonly string[]): Promise<Map<string, number>> {
  const child = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  const counts = new Map(texts.map((text) => [text, 0]));
  const longest = Math.max(...texts.map(({ length }) => length));
  let rest = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const piece = Buffer.concat([rest, chunk]);
    for (const text of texts) {
      if (piece.includes(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    rest = piece.subarray(-(longest - 1));
  }
  return counts;
}
