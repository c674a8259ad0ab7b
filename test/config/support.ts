import { readFileSync } from 'node:fs';
import { resolveConfig } from '../../src/config/load.ts';
import type { ConfigSources } from '../../src/config/load.ts';
import { randomKey } from '../../src/config/keys.ts';

export const privateJwks = JSON.stringify({ keys: [{ kid: 'a', kty: 'EC', d: 'private' }] });

/** The smallest environment that production starts with. */
export const productionEnv = {
  ISSUER: 'https://login.example.com',
  COOKIE_KEYS: randomKey(),
  STORE_ENCRYPTION_KEYS: randomKey(),
  JWKS_FILE: '/keys/jwks.json',
  DIDIT_API_KEY: randomKey(),
  DIDIT_WEBHOOK_SECRETS: randomKey(),
  DIDIT_WORKFLOW_PASSIVE: 'workflow',
};

/** The smallest environment that development starts with. */
export const developmentEnv = {
  MODE: 'development',
  ISSUER: 'http://127.0.0.1:3000',
  STORE_URL: 'sqlite::memory:',
  DIDIT_API_KEY: randomKey(),
  DIDIT_WEBHOOK_SECRETS: randomKey(),
  DIDIT_WORKFLOW_PASSIVE: 'workflow',
};

/** Files by name, as a `readFile` that knows no others. */
export function filesOf(files: Record<string, string>) {
  return (name: string): string => {
    const text = files[name];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
}

export function resolve(sources: Partial<ConfigSources>) {
  const readFile = filesOf({ '/keys/jwks.json': privateJwks });
  return resolveConfig({ env: productionEnv, readFile, ...sources });
}

/** The configuration, or a failure that shows what was wrong. */
export function resolved(sources: Partial<ConfigSources>) {
  const result = resolve(sources);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2));
  return result.config;
}

/** What is wrong; none when the configuration is right. */
export function problemsOf(sources: Partial<ConfigSources>) {
  const result = resolve(sources);
  return result.ok ? [] : result.problems;
}

export function projectFile(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
