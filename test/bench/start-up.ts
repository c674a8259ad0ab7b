/** The compiled program: how soon it is ready, and what it holds when it has nothing to do. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/ports.ts';
import { quantile } from './measure.ts';
import { end, spawnNode } from './process.ts';

const starts = 5;
const idleMs = 5_000;
const giveUpAfterMs = 20_000;

export async function measureStartUp(): Promise<{ readyMs: number; idleMiB: number }> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], {
    stdio: ['ignore', 2, 2],
  });
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-bench-'));
  try {
    const readyMs: number[] = [];
    for (let start = 1; start < starts; start += 1) {
      readyMs.push((await startOnce(root, directory, 0)).readyMs);
    }
    const last = await startOnce(root, directory, idleMs);
    return { readyMs: quantile([...readyMs, last.readyMs], 0.5), idleMiB: last.residentMiB };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function startOnce(root: string, directory: string, restMs: number) {
  const [port, managementPort] = [await freePort(), await freePort()];
  const config = join(directory, 'config.yaml');
  writeFileSync(config, configuration(port, managementPort));
  const beginMs = performance.now();
  // Nothing of our own environment: it might configure the program.
  const child = spawnNode([join(root, 'dist/main.js'), 'serve', '--config', config], { env: {} });
  try {
    await untilReady(`http://127.0.0.1:${managementPort}/readyz`);
    const readyMs = performance.now() - beginMs;
    await sleep(restMs);
    const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
    return { readyMs, residentMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } finally {
    await end(child);
  }
}

async function untilReady(url: string): Promise<void> {
  const deadlineMs = performance.now() + giveUpAfterMs;
  while (performance.now() < deadlineMs) {
    const isReady = await fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) return;
    await sleep(5);
  }
  throw new Error('the compiled program does not become ready');
}

function configuration(port: number, managementPort: number): string {
  return `
mode: development
issuer: http://127.0.0.1:${port}
port: ${port}
management:
  port: ${managementPort}
store:
  url: 'sqlite::memory:'
didit:
  apiKey: benchmark-api-key-0123456789
  webhookSecrets: [benchmark-webhook-secret-0123456789]
  workflows:
    passive: 0b6f2f0a-5f0d-4a57-8f65-000000000001
`;
}
