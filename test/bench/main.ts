/**
 * `npm run bench`: what this program costs, beside the bare library, on one core. About three minutes; nothing else
 * should run meanwhile. `npm run bench -- operators` runs one part: policy, start, requests, didit or operators. Slow
 * figures are figures; the exit status tells of errors only.
 *
 * Read on with measure.ts (how), loads.ts (what) and servers/ (of whom).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { createParty } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { startRedisServer } from '../support/redis-servers.ts';
import { measureAudit } from './audit.ts';
import { fillHouse, measureConsole } from './console.ts';
import {
  type Decision,
  lastDecision,
  startSimulator,
  webhookOf,
  withholdWebhooks,
} from './didit.ts';
import { expect, loads } from './loads.ts';
import { type Figures, compare, oneRound, quantile } from './measure.ts';
import { measureDecision } from './policy.ts';
import { type Server, isPinned, startServer } from './process.ts';
import { type Owed, figureHeader, figureLine, owedLine } from './report.ts';
import { closeConnections, send } from './requests.ts';
import { measureStartUp } from './start-up.ts';
import {
  type WaitingPage,
  bringVerdict,
  openWaitingPage,
  personOf,
  wholeLogin,
} from './whole-login.ts';

const people = 200;
const verdictsPerSecond = 40;
const workers = 8;
const wholeLoginTurns = 400;
const webhookTurns = 3_000;

const rows: { name: string; figures: Figures }[] = [];
const owed: Owed[] = [];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function report(name: string, figures: Figures): void {
  rows.push({ name, figures });
  print(figureLine(name, figures));
}

async function besideTheBareLibrary(ours: Server, bare: Server): Promise<void> {
  for (const [name, load] of Object.entries(loads)) {
    const figures = await compare(load, { bare, ours });
    report(`${name}, bare library`, figures.bare);
    report(`${name}, didit-oidc`, figures.ours);
    const ratio = figures.ours.cpuMsEach / figures.bare.cpuMsEach;
    print(`${''.padEnd(46)}${`× ${ratio.toFixed(2)}`.padStart(10)}`);
    if (load !== loads['login, five requests']) continue;
    const what = 'CPU of a login beside the bare library';
    owed.push({ what, unit: ' times', atMost: 1.4, measured: ratio });
  }
}

async function throughDidit(whole: Server, simulator: Simulator): Promise<void> {
  const party = await createParty(whole);
  simulator.sendWebhooksTo(`${whole.issuer}/webhooks/didit`);
  const logins = Array.from({ length: workers }, (_, number) => wholeLogin(party, number));
  await oneRound(whole, logins, { turns: wholeLoginTurns / 4 });
  report('login with selfie', await oneRound(whole, logins, { turns: wholeLoginTurns }));
  const over = await lastDecision(simulator);

  await withholdWebhooks(simulator);
  const pages: WaitingPage[] = [];
  for (let number = 0; number < people; number += 1) {
    pages.push(await openWaitingPage(party, simulator, number));
  }
  await bringVerdicts(whole, simulator, pages);
  await ringInVain(whole, over);
}

/** Evenly spaced: how long one waits for one's own verdict, and not in a queue that the benchmark made. */
async function bringVerdicts(
  whole: Server,
  simulator: Simulator,
  pages: readonly WaitingPage[],
): Promise<void> {
  const verdicts = pages.map((page, number) => async () => {
    await sleep((number * 1000) / verdictsPerSecond);
    await bringVerdict(whole, simulator, page);
  });
  const { cpuMsEach, perSecond } = await oneRound(whole, verdicts, { turns: pages.length });
  const latenciesMs = await whole.latenciesMs();
  if (latenciesMs.length < pages.length) print(`only ${latenciesMs.length} pages rung by webhook`);
  const [p50Ms, p99Ms] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
  report('webhook that settles, to the event', { cpuMsEach, perSecond, p50Ms, p99Ms });
  const what = `verdict to browser, p99, ${pages.length} pages`;
  owed.push({ what, unit: ' ms', atMost: 50, measured: p99Ms });
}

async function ringInVain(whole: Server, over: Decision): Promise<void> {
  const url = `${whole.issuer}/webhooks/didit`;
  for (const [name, status] of [
    ['webhook of a login that is over', 'Approved'],
    ['webhook of a selfie that is not finished', 'In Progress'],
  ] as const) {
    const webhook = webhookOf(over, status);
    const ring = async (): Promise<void> =>
      expect(await send(url, { method: 'POST', ...webhook }), 200, 'received');
    const works = Array.from({ length: workers }, () => ring);
    report(name, await oneRound(whole, works, { turns: webhookTurns }));
  }
}

function policy(): void {
  const { decisionUs: measured } = measureDecision();
  owed.push({ what: 'a policy of 50 rules decides', unit: ' µs', atMost: 50, measured });
}

async function startUp(): Promise<void> {
  const { readyMs, idleMiB } = await measureStartUp();
  owed.push({ what: 'ready after the start', unit: ' ms', atMost: 1000, measured: readyMs });
  owed.push({ what: 'memory when idle', unit: ' MiB', atMost: 120, measured: idleMiB });
}

async function searchAudit(url: string, encryptionKey: string): Promise<void> {
  const figures = await measureAudit(url, encryptionKey);
  const { entries, filledInSeconds, checkedInSeconds, searches } = figures;
  const filled = `filled in ${filledInSeconds.toFixed(0)} s`;
  print(
    `\naudit log of ${entries} entries: ${filled}, checked in ${checkedInSeconds.toFixed(0)} s`,
  );
  for (const { by, p50Ms, p99Ms } of searches) {
    print(
      `${`a page of it by ${by}`.padEnd(46)}${''.padEnd(18)}${p50Ms.toFixed(1).padStart(9)}${p99Ms.toFixed(1).padStart(9)}`,
    );
    const what = `audit log, a page by ${by}, p99`;
    owed.push({ what, unit: ' ms', atMost: 100, measured: p99Ms });
  }
}

type StartWhole = (managementPort: number) => Promise<Server>;

/** On the store whose audit log has been searched. */
async function openConsole(url: string, encryptionKey: string, start: StartWhole): Promise<void> {
  const house = await fillHouse(url, encryptionKey);
  const managementPort = await freePort();
  const whole = await start(managementPort);
  print(`\nconsole, ${house.people} people, filled in ${house.filledInSeconds.toFixed(0)} s`);
  const pages = await measureConsole(`http://127.0.0.1:${managementPort}`, house, personOf(0));
  await whole.stop();
  for (const { page, p50Ms, p99Ms, kib } of pages) {
    const figures = `${p50Ms.toFixed(1).padStart(9)}${p99Ms.toFixed(1).padStart(9)}`;
    print(`${`console: ${page}`.padEnd(64)}${figures}${kib.toFixed(0).padStart(6)} KiB`);
  }
  const [p99Ms, kib] = [pages.map((one) => one.p99Ms), pages.map((one) => one.kib)];
  const what = 'console, the slowest page, p99';
  owed.push({ what, unit: ' ms', atMost: 100, measured: Math.max(...p99Ms) });
  const long = 'console, the longest page';
  owed.push({ what: long, unit: ' KiB', atMost: 100, measured: Math.max(...kib) });
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-bench-'));
  const redis = await startRedisServer();
  const simulator = await startSimulator();
  const accountsFile = join(directory, 'accounts.json');
  const portrait = fileURLToPath(new URL('../../config/demo/ana.png', import.meta.url));
  const accounts = Array.from({ length: people }, (_, number) => ({
    email: personOf(number),
    portrait,
  }));
  writeFileSync(accountsFile, JSON.stringify({ accounts }));
  const settings = {
    jwks: await generateJwks(),
    cookieKey: randomKey(),
    encryptionKey: randomKey(),
    clientSecret: randomKey(),
    accountsFile,
    simulatorUrl: simulator.url,
  };
  const startOn = (
    name: 'bare' | 'stubbed' | 'whole',
    database: number,
    more: { managementPort?: number } = {},
  ): Promise<Server> =>
    startServer(name, { ...settings, storeUrl: `${redis.url}/${database}`, ...more });

  const machine = `Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? ''}`;
  print(`${machine}, ${isPinned ? 'servers on one of their own' : 'NOT PINNED: no taskset'}`);
  const parts: Record<string, () => Promise<void> | void> = {
    policy,
    start: startUp,
    async requests() {
      print(`\n${figureHeader}`);
      const [bare, ours] = [await startOn('bare', 0), await startOn('stubbed', 1)];
      await besideTheBareLibrary(ours, bare);
      await Promise.all([bare.stop(), ours.stop()]);
    },
    async didit() {
      const whole = await startOn('whole', 2);
      await throughDidit(whole, simulator);
      await whole.stop();
    },
    async operators() {
      await searchAudit(`${redis.url}/3`, settings.encryptionKey);
      await openConsole(`${redis.url}/3`, settings.encryptionKey, (managementPort) =>
        startOn('whole', 3, { managementPort }),
      );
    },
  };
  const wanted = process.argv.slice(2);
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (wanted.length === 0 || wanted.includes(name)) await part();
    }

    print('');
    for (const figure of owed) print(owedLine(figure));
    const result = { machine, isPinned, rows, owed };
    writeFileSync('bench.json', `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    await closeConnections();
    await simulator.close();
    await redis.stop();
    rmSync(directory, { recursive: true });
  }
}

await main();
