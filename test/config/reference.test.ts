import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { renderReference } from '../../src/config/reference.ts';
import { policyPath } from '../../src/config/policies.ts';
import { settings } from '../../src/config/settings.ts';
import {
  developmentEnv,
  filesOf,
  problemsOf,
  productionEnv,
  projectFile,
  resolved,
} from './support.ts';

const secrets = { ...productionEnv, ISSUER: undefined, DIDIT_WORKFLOW_PASSIVE: undefined };

describe('generated files', () => {
  test.each([...renderReference()])('%s is what the schema says', (name, text) => {
    expect(projectFile(name)).toBe(text);
  });

  test('docs/configuration.md has a row for every setting, with its environment variable', () => {
    const rows = projectFile('docs/configuration.md').split('\n');
    for (const { key, env } of settings) {
      const own = rows.filter((row) => row.startsWith(`| \`${key}\` | \`${env}\``));
      expect(own, key).toHaveLength(1);
    }
  });

  test('no two settings share an environment variable', () => {
    const names = settings.flatMap(({ env }) => [env, `${env}_FILE`]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('config/schema.json knows every key and no other', () => {
    const schema: unknown = JSON.parse(projectFile('config/schema.json'));
    for (const { path } of settings) {
      const steps = path.flatMap((name) => ['properties', name]);
      expect(schema).toHaveProperty(steps);
    }
    expect(schema).toHaveProperty('additionalProperties', false);
  });
});

describe('config/example.yaml', () => {
  const example = projectFile('config/example.yaml');

  test('starts production as it stands, once the secrets are there', () => {
    const config = resolved({ fileText: example, env: secrets });
    expect(config).toMatchObject({ mode: 'production', issuer: 'https://login.example.com' });
  });

  test('mentions every key, and every commented line is right once uncommented', () => {
    const fileText = example.replaceAll(/^( *)#(?=\S)/gm, '$1').replace('mode: production', '');
    const readFile = filesOf({
      'jwks.json': '{"keys":[{"d":"x"}]}',
      'clients.yaml': '',
      'accounts.yaml': '',
      'logo.png': '',
      'decoy.png': '',
      [policyPath('standard')]: projectFile('config/policy/standard.yaml'),
      [policyPath('strict')]: projectFile('config/policy/strict.yaml'),
    });
    const env = { MODE: 'development', STORE_URL: 'sqlite::memory:' };
    expect(problemsOf({ fileText, env, readFile })).toEqual([]);
    const document = parseDocument(`${fileText}\nmode: production`);
    for (const { key, path } of settings) expect(document.hasIn(path), key).toBe(true);
  });
});

describe('profiles', () => {
  const { DIDIT_API_KEY, DIDIT_WEBHOOK_SECRETS } = developmentEnv;
  const diditSecrets = { DIDIT_API_KEY, DIDIT_WEBHOOK_SECRETS };

  test('config/demo.yaml needs nothing but the secrets that the demo makes up', () => {
    const flags = { didit: { apiKey: DIDIT_API_KEY, webhookSecrets: [DIDIT_WEBHOOK_SECRETS] } };
    const fileText = projectFile('config/demo.yaml');
    const readFile = filesOf({
      'config/demo/accounts.yaml': 'accounts: []',
      'config/demo/decoy.png': '',
    });
    const fileName = 'config/demo.yaml';
    const config = resolved({ fileText, fileName, readFile, env: {}, flags });
    expect(config).toMatchObject({ mode: 'development', host: '127.0.0.1' });
  });

  test('config/conformance.yaml starts in development and is refused by production', () => {
    const fileText = projectFile('config/conformance.yaml');
    const sources = {
      fileText,
      fileName: 'config/conformance.yaml',
      readFile: filesOf({
        'config/conformance-clients.yaml': projectFile('config/conformance-clients.yaml'),
        '/keys/jwks.json': '{"keys":[{"d":"x"}]}',
      }),
    };
    expect(resolved({ ...sources, env: diditSecrets }).pkce.required).toBe(false);
    const env = { ...productionEnv, ISSUER: undefined, MODE: 'production' };
    const refused = problemsOf({ ...sources, env }).map(({ key }) => key);
    expect(refused).toEqual(
      expect.arrayContaining(['store.url', 'pkce.required', 'outgoing.allowPrivateNetworks']),
    );
  });
});
