/** People sign in at two processes on one Redis, without end, while a key is changed below them. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as jose from 'jose';
import { type Deployment, prepareDeployment } from '../e2e/deployment.ts';
import { type Proxy, startProxy } from '../e2e/proxy.ts';
import { visit } from '../faults/people.ts';
import { type Party, createParty } from './login.ts';
import { freshRedis } from './redis.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = promisify(execFile);

/** A new signing key is fetched by relying parties, a new key of ours read by both processes, within these. */
export const pace = { publishedForSeconds: 10, spreadForSeconds: 8, lookEverySeconds: 1 };
const startEveryMs = 700;

export interface RotationBed {
  deployment: Deployment;
  party: Party;
  managementUrls: string[];
  /** `didit-oidc keys …` @returns what it printed, as JSON. */
  keys(...args: string[]): Promise<Record<string, unknown>>;
  /** Signs people in until `work` is done, and for a moment more. */
  during(work: () => Promise<void>): Promise<Load>;
  close(): Promise<void>;
}

export interface Load {
  /** Those who did not end up signed in, and what became of them. */
  failed: { person: string; ended: unknown }[];
  logins: number;
  /** The keys that signed the ID tokens, each verified by a relying party that keeps the key set for two seconds. */
  kids: string[];
}

export async function startRotationBed(people: number): Promise<RotationBed> {
  const deployment = await prepareDeployment({
    storeUrl: await freshRedis(),
    windowless: { people },
    config: { keys: pace },
  });
  const ports: number[] = [];
  let turn = 0;
  const proxy: Proxy = await startProxy(deployment.port, () => ports[turn++ % ports.length]!);
  const processes = await Promise.all(
    [1, 2].map(() => deployment.start({ PORT: '0', TRUST_PROXY: '1' })),
  );
  ports.push(...processes.map(({ publicPort }) => publicPort));
  const party = await createParty(deployment);
  const keySet = jose.createRemoteJWKSet(new URL(`${deployment.issuer}/jwks`), {
    cacheMaxAge: 2_000,
    // An unknown key is no reason to look again: it has to be there before it signs.
    cooldownDuration: 3_600_000,
  });

  async function during(work: () => Promise<void>): Promise<Load> {
    const kids: string[] = [];
    const visits: Promise<{ person: string; ended: unknown }>[] = [];
    const state = { isDone: false };
    const working = work().finally(() => (state.isDone = true));
    // Told below, once nobody is under way any more.
    working.catch(() => undefined);
    for (let after = 0; after < 3; after += state.isDone ? 1 : 0) {
      const person = deployment.person();
      const got = async (idToken: string): Promise<void> => {
        const { protectedHeader } = await jose.jwtVerify(idToken, keySet, {
          issuer: deployment.issuer,
        });
        kids.push(protectedHeader.kid ?? '');
      };
      visits.push(
        visit(party, person, { got }).then(
          (ended) => ({ person, ended }),
          (error: unknown) => ({ person, ended: String(error) }),
        ),
      );
      await sleep(startEveryMs);
    }
    const all = await Promise.all(visits);
    await working;
    const failed = all.filter(
      ({ person, ended }) => (ended as { email?: unknown }).email !== person,
    );
    return { failed, logins: all.length, kids: [...new Set(kids)] };
  }

  return {
    ...{ deployment, party, during },
    managementUrls: processes.map(({ managementUrl }) => managementUrl),
    keys: (...args) => runKeys(deployment, args),
    async close() {
      await proxy.close();
      await deployment.close();
    },
  };
}

async function runKeys(
  { configFile }: Deployment,
  args: string[],
): Promise<Record<string, unknown>> {
  const { stdout } = await run(
    process.execPath,
    [mainFile, 'keys', ...args, '--config', configFile, '--json'],
    { env: {} },
  );
  return JSON.parse(stdout) as Record<string, unknown>;
}
