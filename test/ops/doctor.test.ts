/** `didit-oidc doctor`, against a provider, a store and a Didit that are healthy, and that are not. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { resolveConfig } from '../../src/config/load.ts';
import { checkDidit } from '../../src/ops/doctor/didit.ts';
import type { Finding } from '../../src/ops/doctor/finding.ts';
import { checkFaces, checkIssuer, checkStore } from '../../src/ops/doctor/house.ts';
import type { SimulatedWorkflow, SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { developmentEnv } from '../config/support.ts';
import { type Deployment, prepareDeployment, spawnMain } from '../e2e/deployment.ts';
import { createWatcher, visit } from '../faults/people.ts';
import { createParty } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const apiKey = 'test-api-key-0123456789';
const issuer = 'http://127.0.0.1:3000';

interface Said {
  status: number | null;
  stdout: string;
}

/** The command as it is typed, with nothing in its environment but what is given. */
async function doctor(args: string[], env: Record<string, string> = {}): Promise<Said> {
  const child = spawnMain(['doctor', ...args], env);
  let stdout = '';
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout };
}

const statesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    (JSON.parse(text) as { checks: Finding[] }).checks.map(({ name, state }) => [name, state]),
  );

describe('[WH-22] the doctor, asked on the command line', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await prepareDeployment({
      storeUrl: 'sqlite:{directory}/store.sqlite',
      windowless: { people: 3 },
    });
  });
  afterAll(() => deployment.close());

  it('finds a house that was never opened fit to be', async () => {
    const { status, stdout } = await doctor(['--json', '--config', deployment.configFile]);
    expect(statesOf(stdout)).toEqual({
      ...{
        configuration: 'ok',
        store: 'ok',
        clock: 'ok',
        workflow: 'ok',
        webhook: 'ok',
        mail: 'ok',
      },
      ...{ 'unknown names': 'warning', 'reference face': 'ok', issuer: 'warning' },
    });
    expect(status).toBe(0);
  });

  it('sees that it answers, that Didit rings, and by which formula', async () => {
    const running = await deployment.start();
    onTestFinished(() => void running.end('SIGTERM'));
    const party = await createParty(deployment);
    const person = deployment.person();
    expect(await visit(party, person, { browser: createWatcher() })).toMatchObject({
      email: person,
    });
    const { status, stdout } = await doctor(['--config', deployment.configFile]);
    expect(stdout).toMatch(/^ok +issuer +http:\/\/127\.0\.0\.1:\d+ answers as itself$/m);
    expect(stdout).toMatch(/^ok +last ring +was answered with 200$/m);
    expect(stdout).toMatch(
      /^ok +delivery +X-Signature over the raw body, and X-Signature-V2 over the canonical body, by the first secret$/m,
    );
    expect(status).toBe(0);
    for (const secret of [webhookSecret, person]) expect(stdout).not.toContain(secret);
  });

  it('says what to do when the key is wrong, and leaves with status 1', async () => {
    const env = { DIDIT_API_KEY: 'another-key-0123456789' };
    const { status, stdout } = await doctor(['--config', deployment.configFile], env);
    expect(stdout).toMatch(
      /^problem +workflow +Didit does not accept the key\n +→ Set DIDIT_API_KEY/m,
    );
    expect(stdout).not.toContain(env.DIDIT_API_KEY);
    expect(status).toBe(1);
  });

  it('names everything that is wrong with a configuration', async () => {
    const { status, stdout } = await doctor(['--json'], { ISSUER: 'no address' });
    expect(statesOf(stdout)).toMatchObject({ issuer: 'problem', 'didit.apiKey': 'problem' });
    expect(status).toBe(1);
  });
});

function configOf(env: Record<string, string>) {
  const resolved = resolveConfig({
    env: {
      ...{ ...developmentEnv, ISSUER: issuer, DIDIT_ENVIRONMENT: 'sandbox' },
      ...{ DIDIT_API_KEY: apiKey, DIDIT_WEBHOOK_SECRETS: webhookSecret },
      ...{ DIDIT_WORKFLOW_PASSIVE: workflowId },
      ...env,
    },
    readFile: () => 'a file',
  });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  return resolved.config;
}

describe('[WH-22] the doctor, of Didit', () => {
  async function ask(options: Partial<SimulatorOptions> = {}, clock = Date.now) {
    const simulator = await createSimulator({
      ...{ apiKeys: { sandbox: [apiKey] }, webhookSecret },
      ...{ webhookUrl: `${issuer}/webhooks/didit` },
      ...options,
    });
    onTestFinished(() => simulator.close());
    const url = await simulator.listen(0, '127.0.0.1');
    return {
      url,
      findings: (env: Record<string, string> = {}) =>
        checkDidit(configOf({ DIDIT_API_BASE_URL: url, ...env }), { fetch, clock }),
    };
  }
  const workflow: Omit<SimulatedWorkflow, 'features'> = {
    ...{ id: workflowId, label: 'login', version: 1, livenessMethod: 'PASSIVE', ttlSeconds: 600 },
  };
  const found = (findings: Finding[], name: string): string | undefined => {
    const finding = findings.find((one) => one.name === name);
    return finding && `${finding.state}: ${finding.found}`;
  };

  it.each([
    [['LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'], 'ok: liveness, face match and IP analysis'],
    [['LIVENESS', 'IP_ANALYSIS'], 'problem: lacks FACE_MATCH: no selfie can open the door'],
    [['ID_VERIFICATION'], 'problem: lacks LIVENESS and FACE_MATCH: no selfie can open the door'],
    [['LIVENESS', 'FACE_MATCH'], expect.stringMatching(/^warning: lacks IP_ANALYSIS/)],
  ] as const)('a workflow with %j', async (features, expected) => {
    const { findings } = await ask({ workflows: [{ ...workflow, features }] });
    expect(found(await findings(), 'workflow')).toEqual(expected);
  });

  it.each([
    ['ACTIVE_3D', 'problem: its liveness is ACTIVE_3D: no selfie can open the door'],
    ['FLASHING', 'problem: its liveness is FLASHING: no selfie can open the door'],
  ] as const)('a workflow whose liveness is %s', async (livenessMethod, expected) => {
    const features = ['LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'] as const;
    const { findings } = await ask({ workflows: [{ ...workflow, features, livenessMethod }] });
    expect(found(await findings(), 'workflow')).toBe(expected);
  });

  const enrolment = { ...workflow, id: 'kyc' };
  const withKyc = { DIDIT_WORKFLOW_KYC: 'kyc' };

  it.each([
    [
      ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'],
      'ok: document, liveness, face match and IP analysis',
    ],
    [['ID_VERIFICATION', 'LIVENESS', 'IP_ANALYSIS'], 'problem: lacks FACE_MATCH: nobody can enrol'],
    [['LIVENESS', 'FACE_MATCH'], 'problem: lacks OCR: nobody can enrol'],
    [['IP_ANALYSIS'], 'problem: lacks OCR and LIVENESS and FACE_MATCH: nobody can enrol'],
    [
      ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH'],
      expect.stringMatching(/^warning: lacks IP_ANALYSIS/),
    ],
  ] as const)('[EN-06] an enrolment workflow with %j', async (features, expected) => {
    const { findings } = await ask({ workflows: [{ ...enrolment, features }] });
    expect(found(await findings(withKyc), 'enrolment')).toEqual(expected);
    expect(found(await findings(), 'enrolment')).toBeUndefined();
  });

  it('an enrolment workflow that does not exist', async () => {
    const { findings } = await ask();
    expect(found(await findings(withKyc), 'enrolment')).toBe(
      'problem: Didit has none with this id',
    );
  });

  it('[AX-05] an enrolment by flashes of light, that nobody allowed', async () => {
    const features = ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'] as const;
    const flashing = { ...enrolment, features, livenessMethod: 'FLASHING' } as const;
    const { findings } = await ask({ workflows: [flashing] });
    expect(found(await findings(withKyc), 'enrolment')).toMatch(
      /^problem: its liveness is FLASHING/,
    );
    const allowed = await findings({ ...withKyc, DIDIT_ALLOW_FLASHING: 'true' });
    expect(found(allowed, 'enrolment')).toMatch(/^ok: /);
  });

  it('a workflow that does not exist', async () => {
    const { findings } = await ask({ workflows: [] });
    expect(found(await findings(), 'workflow')).toBe('problem: Didit has none with this id');
  });

  it.each([
    [0, "ok: agrees with Didit's"],
    [20, "ok: 20 seconds ahead of Didit's"],
    [-45, "warning: 45 seconds behind Didit's"],
    [400, "problem: 7 minutes ahead of Didit's"],
  ])('a clock that is %d seconds ahead', async (seconds, expected) => {
    // Didit tells its clock in whole seconds, none of which ends meanwhile: both clocks stand still.
    const didit = Date.UTC(2026, 10, 30, 12);
    const { url } = await ask();
    const told: typeof fetch = async (input, init) => {
      const { status, headers, body } = await fetch(input, init);
      const dated = new Headers(headers);
      dated.set('date', new Date(didit).toUTCString());
      return new Response(body, { status, headers: dated });
    };
    const tools = { fetch: told, clock: () => didit + 500 + seconds * 1000 };
    const findings = await checkDidit(configOf({ DIDIT_API_BASE_URL: url }), tools);
    expect(found(findings, 'clock')).toBe(expected);
  });

  it.each([
    ['is elsewhere', { url: 'http://127.0.0.1:1/elsewhere' }, /^warning: Didit has no destination/],
    ['is switched off', { enabled: false }, /^warning: the destination is switched off/],
    [
      'hears of other things',
      { subscribed_events: ['user.data.updated'] },
      /^warning: .* status\.updated$/,
    ],
    ['sends an older version', { webhook_version: 'v2' }, /^warning: .* version v2$/],
  ])('a destination that %s', async (_name, change, expected) => {
    const { url, findings } = await ask();
    const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' };
    const root = `${url}/v3/webhook/destinations/`;
    const { results } = (await (await fetch(root, { headers })).json()) as {
      results: [{ uuid: string }];
    };
    const body = JSON.stringify(change);
    await fetch(`${root}${results[0].uuid}/`, { method: 'PATCH', headers, body });
    expect(found(await findings(), 'webhook')).toMatch(expected);
  });

  it('a destination with another secret', async () => {
    const { findings } = await ask({ webhookSecret: 'the-secret-of-somebody-else-0123' });
    expect(found(await findings(), 'webhook')).toMatch(
      /^problem: the secret at Didit is none of ours/,
    );
  });

  it.each([
    [
      'is over here',
      `another-secret-0123456789,${webhookSecret} until 2026-01-01T00:00:00Z`,
      'problem: the secret at Didit is over here since 2026-01-01T00:00:00.000Z: every ring is refused',
    ],
    [
      'still counts here',
      `another-secret-0123456789,${webhookSecret} until 2099-01-01T00:00:00Z`,
      'warning: the secret at Didit counts until 2099-01-01T00:00:00.000Z, then every ring is refused',
    ],
    [
      'is over here and counts in another place',
      `${webhookSecret} until 2026-01-01T00:00:00Z,${webhookSecret}`,
      'ok: the destination is there, and has our secret',
    ],
  ])('a destination whose secret %s', async (_name, secrets, expected) => {
    const { findings } = await ask();
    expect(found(await findings({ DIDIT_WEBHOOK_SECRETS: secrets }), 'webhook')).toBe(expected);
  });

  it('that it cannot be reached', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const findings = await checkDidit(configOf({ DIDIT_API_BASE_URL: url }), {
      ...{ fetch, clock: Date.now },
    });
    expect(findings.map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['clock problem', 'workflow problem', 'webhook problem'],
    ]);
  });
});

describe('[WH-22] the doctor, of our own side', () => {
  it('a store that does not answer', async () => {
    const config = configOf({
      STORE_URL: `redis://127.0.0.1:${await freePort()}`,
      STORE_ENCRYPTION_KEYS: randomKey(),
    });
    expect(await checkStore(config, Date.now)).toMatchObject([{ name: 'store', state: 'problem' }]);
  });

  it.each([
    ['another issuer', 200, JSON.stringify({ issuer: 'https://else.example' }), 'problem'],
    ['nothing of the kind', 404, 'no', 'problem'],
    ['no JSON', 200, '<html>', 'warning'],
    ['itself', 200, JSON.stringify({ issuer: 'SELF' }), 'ok'],
  ])('an issuer where there is %s', async (_name, status, body, state) => {
    let own = '';
    const server = createServer((_req, res) => {
      res.writeHead(status).end(body.replace('SELF', own));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await checkIssuer(own, fetch)).toMatchObject({ name: 'issuer', state });
  });

  it('a proxy before a provider that does not run', async () => {
    const server = createServer((_req, res) => res.writeHead(503).end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { advice } = await checkIssuer(own, fetch);
    expect(advice).toMatch(/^Is the provider running\?/);
  });

  it.each([
    [{}, ['warning', 'ok']],
    [{ DIDIT_DECOY_PORTRAIT_FILE: 'decoy.png' }, ['ok', 'ok']],
    [{ DIDIT_DECOY_PORTRAIT_FILE: 'decoy.png', DIDIT_CREATE_FLOOR_MS: '0' }, ['warning', 'ok']],
    [{ DIDIT_FACE_REFERENCE: 'stored' }, ['warning', 'warning']],
  ])('what names and faces give away with %j', (env, states) => {
    const { didit } = configOf(env);
    expect(checkFaces(didit).map(({ state }) => state)).toEqual(states);
  });
});
