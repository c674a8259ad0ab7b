import { describe, expect, test } from 'vitest';
import {
  developmentEnv,
  filesOf,
  problemsOf,
  productionEnv,
  resolve,
  resolved,
} from './support.ts';

describe('precedence', () => {
  const fileText = 'port: 4001\nhost: 10.0.0.1\n';

  test('a default is in force when nobody says anything', () => {
    expect(resolved({})).toMatchObject({ mode: 'production', port: 3000, host: '127.0.0.1' });
  });

  test('the file wins over the default, the environment over the file, a flag over all', () => {
    expect(resolved({ fileText }).port).toBe(4001);
    const env = { ...productionEnv, PORT: '4002' };
    expect(resolved({ fileText, env })).toMatchObject({ port: 4002, host: '10.0.0.1' });
    expect(resolved({ fileText, env, flags: { port: 4003 } }).port).toBe(4003);
  });

  test('a value is read from the file that NAME_FILE names, without its last newline', () => {
    const readFile = filesOf({
      '/run/issuer': 'https://other.example.com\n',
      '/keys/jwks.json': '',
    });
    const env = { ...developmentEnv, ISSUER: '', ISSUER_FILE: '/run/issuer' };
    expect(resolved({ env, readFile }).issuer).toBe('https://other.example.com');
  });

  test('only one newline is taken off the end of a NAME_FILE', () => {
    const readFile = filesOf({ '/run/name': ' Name \n\n' });
    const env = { ...developmentEnv, OPERATOR_NAME_FILE: '/run/name' };
    expect(resolved({ env, readFile }).operator.name).toBe(' Name \n');
  });

  test('NAME and NAME_FILE together are a problem', () => {
    const env = { ...productionEnv, ISSUER_FILE: '/run/issuer' };
    expect(problemsOf({ env })).toMatchObject([
      { key: 'issuer', from: 'environment ISSUER and ISSUER_FILE' },
    ]);
  });

  test('a NAME_FILE that cannot be read is a problem that names the file', () => {
    const env = { ...productionEnv, COOKIE_KEYS: undefined, COOKIE_KEYS_FILE: '/run/keys' };
    expect(problemsOf({ env })).toMatchObject([
      {
        key: 'cookies.keys',
        from: 'COOKIE_KEYS_FILE /run/keys',
        message: expect.stringMatching(/ENOENT/) as string,
      },
    ]);
  });

  test('an empty variable counts as absent', () => {
    expect(resolved({ env: { ...productionEnv, PORT: '', PORT_FILE: '' } }).port).toBe(3000);
  });

  test('REDIS_URL is taken when STORE_URL is absent', () => {
    const redis = { ...productionEnv, REDIS_URL: 'redis://localhost:6379' };
    expect(resolved({ env: redis }).store.url).toBe('redis://localhost:6379');
    const both = { ...redis, STORE_URL: 'sqlite:a.sqlite' };
    expect(resolved({ env: both }).store.url).toBe('sqlite:a.sqlite');
  });

  test('the place that each value came from is remembered', () => {
    const result = resolve({ fileText, fileName: 'c.yaml', flags: { log: { level: 'debug' } } });
    const origins = result.ok ? result.origins : new Map<string, string>();
    expect(origins.get('port')).toBe('c.yaml:1');
    expect(origins.get('issuer')).toBe('environment ISSUER');
    expect(origins.get('log.level')).toBe('command line');
    expect(origins.get('pkce.required')).toBe('default');
  });
});

describe('values', () => {
  test('lists are comma-separated in the environment', () => {
    const env = { ...productionEnv, DIDIT_HOSTED_ORIGINS: 'https://a.example, https://b.example' };
    expect(resolved({ env }).didit.hostedOrigins).toEqual([
      'https://a.example',
      'https://b.example',
    ]);
  });

  test('durations are seconds or carry a unit', () => {
    const env = { ...productionEnv, SESSION_TTL: '90m', SESSION_MAX_AGE: '7200' };
    expect(resolved({ env }).session).toEqual({ ttlSeconds: 5400, maxAgeSeconds: 7200 });
    expect(resolved({}).session).toEqual({ ttlSeconds: 28_800, maxAgeSeconds: 1_209_600 });
  });

  test('nobody counts as away for longer than it is noted who came', () => {
    const env = (away: string) => ({ ...productionEnv, PEOPLE_INACTIVE: away });
    expect(resolved({ env: env('390d') }).people.inactiveSeconds).toBe(390 * 86_400);
    expect(problemsOf({ env: env('391d') })).toMatchObject([{ key: 'people.inactiveSeconds' }]);
  });

  test.each([
    ['false', false],
    ['2', 2],
    ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
  ])('TRUST_PROXY=%s is understood', (text, expected) => {
    const env = { ...productionEnv, TRUST_PROXY: text };
    expect(resolved({ env }).trustProxy).toEqual(expected);
  });

  test.each(['true', '0', '-1', 'everyone'])('TRUST_PROXY=%s is refused', (text) => {
    const env = { ...productionEnv, TRUST_PROXY: text };
    expect(problemsOf({ env })).toMatchObject([{ key: 'trustProxy' }]);
  });

  test.each([
    'https://login.example.com/',
    'https://login.example.com/path',
    'https://user@login.example.com',
    'https://LOGIN.example.com',
    'https://login.example.com:443',
    'ftp://login.example.com',
    'login.example.com',
  ])('the issuer %s is refused, since clients compare it byte for byte', (issuer) => {
    const env = { ...productionEnv, ISSUER: issuer };
    expect(problemsOf({ env })).toMatchObject([{ key: 'issuer' }]);
  });

  test.each([
    ['PORT', 'port', '65536'],
    ['PORT', 'port', '0x50'],
    ['PKCE_REQUIRED', 'pkce.required', 'yes'],
    ['SESSION_TTL', 'session.ttlSeconds', '0s'],
    ['LOG_LEVEL', 'log.level', 'loud'],
    ['STORE_URL', 'store.url', 'mysql://host'],
    ['STORE_ENCRYPTION_KEYS', 'store.encryptionKeys', 'c2hvcnQ'],
    ['OPERATOR_COLOUR', 'operator.colour', 'red'],
    ['DIDIT_MINIMUM_LIVENESS_SCORE', 'didit.minimumLivenessScore', '101'],
    ['SMTP_URL', 'mail.smtpUrl', 'mail.example.com:587'],
    ['SMTP_URL', 'mail.smtpUrl', 'smtp://'],
    ['SMTP_URL', 'mail.smtpUrl', 'smtps://mail.example.com?tls.rejectUnauthorized=false'],
    ['SMTP_URL', 'mail.smtpUrl', 'smtp://mail.example.com/?ignoreTLS=true'],
    ['MAIL_FROM', 'mail.from', 'Login <login@example.com>\r\nBcc: eve@example.com'],
    ['MAIL_FROM', 'mail.from', 'login@example.com, eve@example.com'],
  ])('%s: %s refuses %s', (name, key, value) => {
    expect(problemsOf({ env: { ...productionEnv, [name]: value } })).toMatchObject([
      { key, from: `environment ${name}` },
    ]);
  });

  test('files named in the configuration file lie beside it, those in variables do not', () => {
    const fileText =
      'jwksFile: jwks.json\nclientsFile: /abs/clients.yaml\nstore: {url: "sqlite:a.db"}';
    const readFile = filesOf({
      'conf/jwks.json': '{"keys":[{"d":"x"}]}',
      '/abs/clients.yaml': '',
      'accounts.yaml': '',
    });
    const env = { ...productionEnv, JWKS_FILE: undefined, ACCOUNTS_FILE: 'accounts.yaml' };
    expect(resolved({ fileText, fileName: 'conf/c.yaml', readFile, env })).toMatchObject({
      jwksFile: 'conf/jwks.json',
      clientsFile: '/abs/clients.yaml',
      accountsFile: 'accounts.yaml',
      store: { url: 'sqlite:conf/a.db' },
    });
  });

  test('a named file that cannot be read is a problem', () => {
    expect(problemsOf({ env: { ...productionEnv, CLIENTS_FILE: 'none.yaml' } })).toMatchObject([
      {
        key: 'clientsFile',
        from: 'environment CLIENTS_FILE',
        message: expect.stringMatching(/none\.yaml .*ENOENT/) as string,
      },
    ]);
  });
});

describe('problems', () => {
  test('an unknown key is refused with its line and the key that was meant', () => {
    const fileText = 'log:\n  levle: info\napiKey: x\nPORT: 1\ncompletely_different: 1\n';
    expect(problemsOf({ fileText, fileName: 'c.yaml' })).toMatchObject([
      { key: 'log.levle', from: 'c.yaml:2', fix: 'Did you mean "log.level"?' },
      { key: 'apiKey', from: 'c.yaml:3', fix: 'Did you mean "didit.apiKey"?' },
      { key: 'PORT', from: 'c.yaml:4', fix: 'Did you mean "port"?' },
      { key: 'completely_different', from: 'c.yaml:5', fix: 'Remove it.' },
    ]);
  });

  test('all problems of all sources come at once', () => {
    const env = { MODE: 'production', PORT: 'x', DIDIT_ENVIRONMENT: 'sandbox' };
    const keys = problemsOf({ env, fileText: 'nonsense: 1' }).map(({ key }) => key);
    expect(keys).toEqual([
      'nonsense',
      'issuer',
      'port',
      'didit.apiKey',
      'didit.webhookSecrets',
      'didit.workflows.passive',
      'cookies.keys',
      'jwksFile',
      'store.encryptionKeys',
      'didit.environment',
    ]);
  });

  test('a problem says what was expected, what was found and what to do', () => {
    expect(problemsOf({ env: { ...productionEnv, PORT: 'http' } })).toEqual([
      {
        key: 'port',
        from: 'environment PORT',
        message: 'expected a port number, 0 to 65535 (0 takes any free one); found "http"',
        fix: 'Set port in the file or PORT in the environment, such as 3000.',
      },
    ]);
  });

  test('a secret is never quoted, whatever is wrong with it', () => {
    const canary = 'cAnArY';
    const fileText = [
      'didit:',
      `  apiKey: ${canary}`,
      `  webhookSecrets: [${canary}]`,
      'store:',
      `  url: mysql://user:${canary}@host`,
      `  encryptionKeys: [${canary}]`,
      'cookies:',
      `  keys: [${canary}]`,
      'dynamicRegistration:',
      `  initialAccessToken: ${canary}`,
    ].join('\n');
    const env = { ISSUER: productionEnv.ISSUER, DIDIT_WORKFLOW_PASSIVE: 'w' };
    const problems = problemsOf({ fileText, env });
    expect(new Set(problems.map(({ key }) => key))).toEqual(
      new Set([
        'didit.apiKey',
        'didit.webhookSecrets',
        'store.url',
        'store.encryptionKeys',
        'cookies.keys',
        'dynamicRegistration.initialAccessToken',
        'jwksFile',
      ]),
    );
    expect(JSON.stringify(problems)).not.toContain(canary);
  });

  test.each([
    'didit:\n  apiKey: "cAnArY',
    'didit:\n  apiKey: @cAnArY',
    'didit:\n  apiKey: *cAnArY',
    'didit:\n  apiKey: {cAnArY',
    'didit:\n  apiKey: !cAnArY cAnArY',
    'cAnArY',
  ])('a file that is no YAML is refused without quoting it: %j', (fileText) => {
    const env = { ...productionEnv, DIDIT_API_KEY: undefined };
    const problems = problemsOf({ fileText, fileName: 'c.yaml', env });
    expect(problems).toMatchObject([{ from: expect.stringMatching(/^c\.yaml:[123]$/) as string }]);
    expect(JSON.stringify(problems)).not.toContain('cAnArY');
  });

  test('a broken file is the only problem reported, since what it says is unknown', () => {
    const problems = problemsOf({ fileText: 'port: 1\nport: 2', fileName: 'c.yaml', env: {} });
    expect(problems).toMatchObject([
      { from: 'c.yaml:2', message: expect.stringMatching(/duplicate key/) as string },
    ]);
  });

  test('aliases that unfold without end are refused and not unfolded', () => {
    const fileText = `
cookies: &a {keys: [x, x, x, x, x, x, x, x]}
store: &b {encryptionKeys: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]}
didit: {hostedOrigins: [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]}`;
    const keys = problemsOf({ fileText, env: developmentEnv }).map(({ key }) => key);
    expect(keys).toContain('didit.hostedOrigins');
  });

  test('a group without settings is absent, a group with a value is refused', () => {
    expect(resolved({ fileText: 'operator:\nlog: {}\n' }).operator).toEqual({});
    expect(problemsOf({ fileText: 'operator: Name' })).toMatchObject([{ key: 'operator' }]);
  });

  test.each(['__proto__: {port: 1}', 'constructor: 1', 'didit: {__proto__: {a: 1}}'])(
    'a name that objects have by nature is an unknown key: %s',
    (fileText) => {
      expect(problemsOf({ fileText })).toMatchObject([{ message: 'there is no such key' }]);
      expect({}).not.toHaveProperty('port');
    },
  );
});
