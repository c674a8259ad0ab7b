/**
 * `npm run bench`: what this program costs, beside the bare library, on one core. About ninety seconds; nothing else
 * should run meanwhile. Slow figures are figures; the exit status tells of errors only.
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
import { startRedisServer } from '../support/redis-servers.ts';
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
  const startOn = (name: 'bare' | 'stubbed' | 'whole', database: number): Promise<Server> =>
    startServer(name, { ...settings, storeUrl: `${redis.url}/${database}` });

  const machine = `Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? ''}`;
  print(`${machine}, ${isPinned ? 'servers on one of their own' : 'NOT PINNED: no taskset'}`);
  try {
    const { decisionUs } = measureDecision();
    owed.push({
      what: 'a policy of 50 rules decides',
      unit: ' µs',
      atMost: 50,
      measured: decisionUs,
    });
    const { readyMs, idleMiB } = await measureStartUp();
    owed.push({ what: 'ready after the start', unit: ' ms', atMost: 1000, measured: readyMs });
    owed.push({ what: 'memory when idle', unit: ' MiB', atMost: 120, measured: idleMiB });

    print(`\n${figureHeader}`);
    const [bare, ours] = [await startOn('bare', 0), await startOn('stubbed', 1)];
    await besideTheBareLibrary(ours, bare);
    await Promise.all([bare.stop(), ours.stop()]);

    const whole = await startOn('whole', 2);
    await throughDidit(whole, simulator);
    await whole.stop();

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
