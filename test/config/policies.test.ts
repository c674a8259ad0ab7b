import { describe, expect, test } from 'vitest';
import { type Policies, createPolicies, policyPath } from '../../src/config/policies.ts';
import {
  filesOf,
  problemsOf,
  productionEnv,
  privateJwks,
  projectFile,
  resolved,
} from './support.ts';

const own = `before: [{ name: everybody, then: selfie }]
afterwards: [{ name: approved, then: accept }]
`;
const wrong = own.replace('then: selfie', 'then: skip');
const files = {
  '/keys/jwks.json': privateJwks,
  '/etc/login/own.yaml': own,
  '/etc/login/wrong.yaml': wrong,
  '/etc/other/own.yaml': own,
  [policyPath('standard')]: projectFile('config/policy/standard.yaml'),
  [policyPath('strict')]: projectFile('config/policy/strict.yaml'),
};
const readFile = filesOf(files);
const withEnv = (env: Record<string, string>) => ({ env: { ...productionEnv, ...env }, readFile });

describe('the settings', () => {
  test('have the standard policy and no shadow when nobody says anything', () => {
    expect(resolved({})).toMatchObject({ policyFile: 'standard' });
    expect(resolved({}).policyShadowFile).toBeUndefined();
  });

  test('take a shipped policy by its name and a file from beside the configuration', () => {
    const fileText = 'policyFile: own.yaml\npolicyShadowFile: strict\n';
    const config = resolved({ fileText, fileName: '/etc/login/config.yaml', readFile });
    expect(config).toMatchObject({
      policyFile: '/etc/login/own.yaml',
      policyShadowFile: 'strict',
    });
  });

  test.each(['policyFile', 'policyShadowFile'])(
    '%s is read at start, and its mistakes stand with all others',
    (key) => {
      const env = key === 'policyFile' ? 'POLICY_FILE' : 'POLICY_SHADOW_FILE';
      const named = problemsOf(withEnv({ [env]: '/etc/login/wrong.yaml', PORT: 'x' }));
      expect(named).toMatchObject([
        { key: 'port' },
        { key, from: '/etc/login/wrong.yaml:1', message: expect.stringMatching(/skips/) as string },
      ]);
      const missing = problemsOf(withEnv({ [env]: '/etc/login/none.yaml' }));
      expect(missing).toMatchObject([{ key, message: expect.stringMatching(/ENOENT/) as string }]);
    },
  );

  test('[XD-08] strict does not start with a reference face of Didit’s choice', () => {
    const stored = { DIDIT_FACE_REFERENCE: 'stored' };
    expect(problemsOf(withEnv({ ...stored, POLICY_FILE: 'strict' }))).toMatchObject([
      { key: 'policyFile', message: expect.stringMatching(/send ourselves/) as string },
    ]);
    expect(problemsOf(withEnv({ ...stored, POLICY_FILE: 'standard' }))).toEqual([]);
    // What has no effect does no harm.
    expect(problemsOf(withEnv({ ...stored, POLICY_SHADOW_FILE: 'strict' }))).toEqual([]);
  });
});

describe('the policies of a provider', () => {
  const clientsFile = '/etc/login/clients.yaml';
  const create = (
    env: Record<string, string>,
    clients: { client_id: string; policy?: unknown }[],
  ) => createPolicies({ ...resolved(withEnv(env)), clientsFile }, clients, readFile);

  const namesOf = ({ list }: Policies) => list.map(({ name }) => name);

  test('are the one for all, those of apps and the shadow, each once', () => {
    const policies = create({ POLICY_SHADOW_FILE: '/etc/login/own.yaml' }, [
      { client_id: 'wiki' },
      { client_id: 'payroll', policy: 'strict' },
      { client_id: 'vault', policy: 'strict' },
      { client_id: 'lab', policy: 'own.yaml' },
    ]);
    expect(namesOf(policies)).toEqual(['standard', 'strict', 'own']);
    const of = (id: string) => policies.forClient({ id }).name;
    expect(['wiki', 'payroll', 'vault', 'lab', 'registered-itself'].map(of)).toEqual([
      ...['standard', 'strict', 'strict', 'own', 'standard'],
    ]);
    expect(policies.shadow?.name).toBe('own');
    expect(create({}, []).shadow).toBeUndefined();
  });

  test('are refused together, each with its app', () => {
    const clients = [
      { client_id: 'wiki', policy: 'wrong.yaml' },
      { client_id: 'lab', policy: 'none.yaml' },
      { client_id: 'vault', policy: 'strict' },
    ];
    const make = () => create({ DIDIT_FACE_REFERENCE: 'stored' }, clients);
    expect(make).toThrow(/3 problems/);
    expect(make).toThrow(/client "wiki" \(\/etc\/login\/wrong\.yaml:1\): "everybody": skips/);
    expect(make).toThrow(/client "lab" \(\/etc\/login\/none\.yaml\): .*ENOENT/);
    expect(make).toThrow(/client "vault" \(didit\.faceReference: stored\)/);
  });

  test('have different names, so that a decision says which of them it was', () => {
    const clients = [{ client_id: 'wiki', policy: '/etc/other/own.yaml' }];
    const make = () => create({ POLICY_FILE: '/etc/login/own.yaml' }, clients);
    expect(make).toThrow(/\/etc\/login\/own\.yaml has the same name/);
  });
});
