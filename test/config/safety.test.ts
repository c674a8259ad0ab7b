import { describe, expect, test } from 'vitest';
import { rules } from '../../src/config/safety-rules.ts';
import { developmentEnv, filesOf, problemsOf, productionEnv, resolved } from './support.ts';

const mailEnv = { SMTP_URL: 'smtp://mail.example.com', MAIL_FROM: 'Login <login@example.com>' };

/** One unsafe boot a row: production unless MODE says otherwise. */
const unsafe: { setting: string; message: RegExp; env: Record<string, string | undefined> }[] = [
  { setting: 'issuer', message: /https issuer/, env: { ISSUER: 'http://login.example.com' } },
  {
    setting: 'issuer',
    message: /loopback host only/,
    env: { ...developmentEnv, ISSUER: 'http://login.example.com' },
  },
  {
    setting: 'management.origin',
    message: /over plain http/,
    env: { MANAGEMENT_ORIGIN: 'http://operations.example.com' },
  },
  {
    setting: 'management.origin',
    message: /address of the sign-in/,
    env: { MANAGEMENT_ORIGIN: 'https://login.example.com', ISSUER: 'https://login.example.com' },
  },
  { setting: 'cookies.keys', message: /needs keys/, env: { COOKIE_KEYS: undefined } },
  { setting: 'cookies.keys', message: /shorter than 32/, env: { COOKIE_KEYS: 'Zx8-kQ2_v7' } },
  {
    setting: 'cookies.keys',
    message: /others know/,
    env: { COOKIE_KEYS: 'and also the old rotated away some secret key' },
  },
  { setting: 'cookies.keys', message: /others know/, env: { COOKIE_KEYS: 'a'.repeat(40) } },
  {
    setting: 'cookies.keys',
    message: /has an end/,
    env: { COOKIE_KEYS: 'mLR-qu3v9_Tg7Kx2zWcYb5Hd8JfNs0Pe until 2026-12-01T00:00:00Z' },
  },
  {
    setting: 'didit.webhookSecrets',
    message: /has an end/,
    env: { DIDIT_WEBHOOK_SECRETS: 'a-secret-of-some-length until 2026-12-01T00:00:00Z' },
  },
  { setting: 'jwksFile', message: /needs a file/, env: { JWKS_FILE: undefined } },
  { setting: 'jwksFile', message: /private key/, env: { JWKS_FILE: '/keys/public.json' } },
  { setting: 'jwksFile', message: /private key/, env: { JWKS_FILE: '/keys/no.json' } },
  { setting: 'jwksFile', message: /published/, env: { JWKS_FILE: '/keys/published.json' } },
  { setting: 'jwksFile', message: /published/, env: { JWKS_FILE: '/keys/renamed.json' } },
  { setting: 'store.url', message: /in memory/, env: { STORE_URL: 'sqlite::memory:' } },
  { setting: 'store.url', message: /in memory/, env: { STORE_URL: 'sqlite:file::memory:' } },
  { setting: 'store.url', message: /needs TLS/, env: { STORE_URL: 'redis://u:p@redis:6379' } },
  {
    setting: 'store.url',
    message: /needs TLS/,
    env: { STORE_URL: 'redis+cluster://u:p@localhost:1,redis:2' },
  },
  {
    setting: 'store.url',
    message: /needs TLS/,
    env: { STORE_URL: 'redis://u:p@localhost.example.com' },
  },
  { setting: 'store.url', message: /needs a password/, env: { STORE_URL: 'rediss://redis:6379' } },
  { setting: 'store.url', message: /needs a password/, env: { STORE_URL: 'rediss://u:@redis' } },
  {
    setting: 'store.encryptionKeys',
    message: /sealed/,
    env: { STORE_ENCRYPTION_KEYS: undefined },
  },
  {
    setting: 'store.encryptionKeys',
    message: /sealed/,
    env: { ...developmentEnv, STORE_URL: 'sqlite:a.sqlite', STORE_ENCRYPTION_KEYS: undefined },
  },
  {
    setting: 'session.ttlSeconds',
    message: /idle/,
    env: { SESSION_TTL: '2h', SESSION_MAX_AGE: '1h' },
  },
  {
    setting: 'didit.webhookSecrets',
    message: /others know/,
    env: { DIDIT_WEBHOOK_SECRETS: 'changeme-changeme-changeme' },
  },
  {
    setting: 'didit.apiBaseUrl',
    message: /https/,
    env: { DIDIT_API_BASE_URL: 'http://127.0.0.1:3001' },
  },
  {
    setting: 'didit.hostedOrigins',
    message: /https/,
    env: { DIDIT_HOSTED_ORIGINS: 'https://verify.didit.me,http://verify.example.com' },
  },
  {
    setting: 'didit.mediaOrigins',
    message: /https/,
    env: { DIDIT_MEDIA_ORIGINS: 'https://media.example.com,http://media.example.com' },
  },
  {
    setting: 'outgoing.allowPrivateNetworks',
    message: /inside your network/,
    env: { OUTGOING_ALLOW_PRIVATE_NETWORKS: 'true' },
  },
  { setting: 'pkce.required', message: /PKCE/, env: { PKCE_REQUIRED: 'false' } },
  {
    setting: 'dynamicRegistration.initialAccessToken',
    message: /open to everybody/,
    env: { DYNAMIC_REGISTRATION_ENABLED: 'true' },
  },
  {
    setting: 'mail.from',
    message: /sender/,
    env: { SMTP_URL: 'smtps://user:password@mail.example.com' },
  },
  {
    setting: 'mail.from',
    message: /sender/,
    env: { ...developmentEnv, SMTP_URL: 'smtp://127.0.0.1:1025' },
  },
  ...['invite', 'open'].flatMap((registration) => [
    {
      setting: 'registration',
      message: /no mail server/,
      env: { REGISTRATION: registration, DIDIT_WORKFLOW_KYC: 'workflow' },
    },
    {
      setting: 'registration',
      message: /no workflow/,
      env: { ...mailEnv, REGISTRATION: registration },
    },
  ]),
];

const sandbox: typeof unsafe = [
  {
    setting: 'didit.environment',
    message: /^in the sandbox no face is checked$/,
    env: { DIDIT_ENVIRONMENT: 'sandbox' },
  },
  {
    setting: 'didit.environment',
    message: /loopback/,
    env: { ...developmentEnv, DIDIT_ENVIRONMENT: 'sandbox', ISSUER: 'https://login.example.com' },
  },
];

/** The very key that the library signs with when it is given none, read from the library. */
const library = new URL('../../node_modules/oidc-provider/lib/', import.meta.url);
const keystore = (await import(new URL('consts/dev_keystore.js', library).href)) as {
  default: { keys: [Record<string, string>] };
};
const [publishedKey] = keystore.default.keys;
const readFile = filesOf({
  '/keys/jwks.json': '{"keys":[{"kty":"EC","d":"private"}]}',
  '/keys/public.json': '{"keys":[{"kty":"EC"}]}',
  '/keys/no.json': 'no key set',
  '/keys/published.json': JSON.stringify({ keys: [{ kid: 'own', d: 'x' }, publishedKey] }),
  '/keys/renamed.json': JSON.stringify({ keys: [{ ...publishedKey, kid: 'mine' }] }),
});

function problemsIn(env: Record<string, string | undefined>) {
  return problemsOf({ env: { ...productionEnv, ...env }, readFile });
}

describe('a boot that is unsafe', () => {
  test.each(unsafe)('[PL-01] is refused: $setting, $message ($env)', (row) => {
    const [problem, ...others] = problemsIn(row.env);
    expect(problem?.key).toBe(row.setting);
    expect(problem?.message).toMatch(row.message);
    expect(others).toEqual([]);
  });

  test.each(sandbox)('[PL-01] [VD-11] is refused: $setting, $message', (row) => {
    const [problem, ...others] = problemsIn(row.env);
    expect(problem?.key).toBe(row.setting);
    expect(problem?.message).toMatch(row.message);
    expect(others).toEqual([]);
  });

  test('[PL-01] every rule is shown to refuse something', () => {
    const shown = [...unsafe, ...sandbox].flatMap(({ env }) => problemsIn(env));
    const messages = new Set(shown.map(({ message }) => message));
    expect(rules.map(({ message }) => message).filter((it) => !messages.has(it))).toEqual([]);
  });

  test('[PL-01] a refusal names the setting and never the value', () => {
    for (const { env } of unsafe) {
      const text = JSON.stringify(problemsIn(env).map(({ message, fix }) => message + fix));
      const own = Object.values(env).filter((value) => value !== undefined && value.length > 12);
      for (const value of own) expect(text).not.toContain(value);
    }
  });

  test.each([productionEnv, developmentEnv])(
    '[WH-07] an absent, empty or short webhook secret or API key is refused in $MODE',
    (env) => {
      for (const secret of [undefined, '', 'fifteen-letters', ' , ']) {
        const keys = problemsOf({
          env: { ...env, DIDIT_WEBHOOK_SECRETS: secret, DIDIT_API_KEY: secret },
        }).map(({ key }) => key);
        expect(keys).toEqual(['didit.apiKey', 'didit.webhookSecrets']);
      }
    },
  );

  test('[WH-07] one empty secret beside a good one is refused', () => {
    for (const list of ['good-secret-of-twenty-four,', ',good-secret-of-twenty-four']) {
      expect(problemsIn({ DIDIT_WEBHOOK_SECRETS: list })).toMatchObject([
        { key: 'didit.webhookSecrets' },
      ]);
    }
  });

  test('[WH-07] an empty NAME_FILE is an empty secret and refused', () => {
    const env = { ...productionEnv, DIDIT_API_KEY: undefined, DIDIT_API_KEY_FILE: '/run/empty' };
    const files = filesOf({ '/run/empty': '\n', '/keys/jwks.json': '{"keys":[{"d":"x"}]}' });
    expect(problemsOf({ env, readFile: files })).toMatchObject([{ key: 'didit.apiKey' }]);
  });

  test.each(['initiator', 'both'])(
    '[XD-04] the callback method cannot be configured, so %s is an unknown key',
    (method) => {
      const fileText = `didit:\n  callbackMethod: ${method}\n`;
      expect(problemsOf({ fileText })).toMatchObject([
        { key: 'didit.callbackMethod', message: 'there is no such key' },
      ]);
    },
  );
});

describe('a boot that is safe', () => {
  test.each([
    'redis://localhost:6379',
    'redis://[::1]:6379',
    'redis+cluster://127.0.0.1:7000,127.0.0.2:7001',
    'rediss://user:password@redis.example.com:6380/0',
    'rediss+sentinel://:password@a.example.com:1,b.example.com:2/master',
    'sqlite:/var/lib/didit-oidc/data.sqlite',
  ])('production keeps its records in %s', (url) => {
    expect(resolved({ env: { ...productionEnv, STORE_URL: url } }).store.url).toBe(url);
  });

  test.each(['invite', 'open'] as const)(
    'people may enrol (%s) where they can be checked and written to',
    (registration) => {
      const whole = { ...mailEnv, DIDIT_WORKFLOW_KYC: 'workflow', REGISTRATION: registration };
      expect(resolved({ env: { ...productionEnv, ...whole } })).toMatchObject({ registration });
    },
  );

  test('people may enrol in development without either', () => {
    const env = { ...developmentEnv, REGISTRATION: 'open' };
    expect(resolved({ env })).toMatchObject({ registration: 'open', mail: {} });
  });

  test.each([productionEnv, developmentEnv])(
    '[AX-05] flashes of light are allowed by nobody but the operator, in $MODE',
    (env) => {
      expect(resolved({ env }).didit.allowFlashing).toBe(false);
      const allowed = resolved({ env: { ...env, DIDIT_ALLOW_FLASHING: 'true' } });
      expect(allowed.didit.allowFlashing).toBe(true);
    },
  );

  test('registration with a random initial access token is allowed in production', () => {
    const env = {
      ...productionEnv,
      DYNAMIC_REGISTRATION_ENABLED: 'true',
      DYNAMIC_REGISTRATION_INITIAL_ACCESS_TOKEN: 'k3J9-xQ7_mZ2pL5vR8wT',
    };
    expect(resolved({ env }).dynamicRegistration.enabled).toBe(true);
  });

  test.each(['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000'])(
    'development in the sandbox starts on the loopback issuer %s without any key of its own',
    (issuer) => {
      const env = { ...developmentEnv, ISSUER: issuer, DIDIT_ENVIRONMENT: 'sandbox' };
      expect(resolved({ env })).toMatchObject({ issuer, cookies: { keys: [] } });
    },
  );
});
