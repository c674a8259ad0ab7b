/** People who leave, before a Didit that fails on demand, in a time that passes when the test says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { ErasureReport } from '../../src/enrol/erasure-job.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import {
  type Leaving,
  type LeavingOptions,
  openLeaving,
  settleIn,
  simulatorKey,
  startFaces,
} from '../support/leaving.ts';
import { webhookSecret } from '../support/testbed.ts';

export const startMs = Date.UTC(2026, 10, 22);

type SceneOptions = Partial<Pick<LeavingOptions, 'storeUrl'>> & Pick<LeavingOptions, 'settings'>;

export async function scene({ storeUrl = 'sqlite::memory:', settings }: SceneOptions = {}) {
  const time = { nowMs: startMs };
  const clock = (): number => time.nowMs;
  const simulator = await createSimulator({
    ...{ apiKeys: { sandbox: [simulatorKey] }, webhookSecret, clock },
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const faces = await startFaces();
  const places = { simulatorUrl, facesUrl: faces.url };
  const open = async (): Promise<Leaving> => {
    const leaving = await openLeaving({
      ...{ ...places, storeUrl, clock },
      ...(settings ? { settings } : {}),
    });
    onTestFinished(() => leaving.close());
    return leaving;
  };
  const leaving = await open();
  onTestFinished(async () => {
    await Promise.all([simulator.close(), faces.close()]);
  });
  const ask = (method: string, path: string) =>
    fetch(simulatorUrl + path, { method, headers: { 'x-api-key': simulatorKey } });
  const didit = {
    fails: (operation: string, times: number) =>
      fetch(`${simulatorUrl}/control/faults`, {
        method: 'POST',
        body: JSON.stringify({ api: { operation, mode: 503, times } }),
      }),
    hasSession: async (id: string) => (await ask('GET', `/v3/session/${id}/decision/`)).ok,
    hasUser: async (vendorData: string) => (await ask('GET', `/v3/users/${vendorData}/`)).ok,
    async calls(operation: string): Promise<string[]> {
      const log = (await (await fetch(`${simulatorUrl}/control/log`)).json()) as {
        calls: { operation: string; method: string; path: string; status: number }[];
      };
      const ok = log.calls.filter((call) => call.operation === operation && call.status === 200);
      return ok.map(({ path }) => path);
    },
  };
  async function settle(name: string, sessions?: number) {
    const settled = await settleIn(leaving, places, name, sessions);
    faces.kept.add(settled.enrolment.vendorData);
    return settled;
  }
  /** Lets time pass in such steps until it is so. */
  async function until(isSo: () => Promise<boolean>, stepMs = 1_000): Promise<void> {
    for (let steps = 0; !(await isSo()); steps += 1) {
      expect(steps, 'it does not come to be so').toBeLessThan(400);
      time.nowMs += stepMs;
      await sleep(25);
    }
  }
  async function finished(accountId: string, stepMs?: number): Promise<ErasureReport> {
    const report = () => leaving.erasure.report(accountId);
    await until(async () => (await report())?.finishedAtMs !== undefined, stepMs);
    return (await report())!;
  }
  return { ...leaving, leaving, open, time, faces, didit, settle, until, finished };
}
