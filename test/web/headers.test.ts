import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { securityHeaders } from '../../src/web/headers.ts';
import { serve } from './http.ts';

async function headersOf(
  path: string,
  { issuer = 'https://login.example.com', status = 200 } = {},
) {
  const app = new Koa();
  app.use(securityHeaders(issuer));
  app.use((ctx) => {
    ctx.status = status;
    ctx.body = 'a page';
  });
  const handler = app.callback();
  const served = await serve((req, res) => void handler(req, res));
  return (await served.ask({ path })).headers;
}

const policyOf = async (path: string): Promise<string[]> =>
  String((await headersOf(path))['content-security-policy']).split('; ');

const leadAway = [
  '/auth',
  '/auth/uid',
  '/interaction/uid',
  '/interaction/uid/waiting',
  '/session/end',
];
const stay = [
  '/',
  '/account',
  '/token',
  '/authority',
  '/interactions',
  '/assets/site.css',
  '/enrol/1',
];

describe('every answer', () => {
  test.each([...leadAway, ...stay])('[PL-10] of %s cannot be framed', async (path) => {
    expect(await policyOf(path)).toContain("frame-ancestors 'none'");
    expect((await headersOf(path))['x-frame-options']).toBe('DENY');
  });

  test.each([...leadAway, ...stay])('[PL-14] of %s runs scripts of our own alone', async (path) => {
    const policy = await policyOf(path);
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "base-uri 'none'"]),
    );
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
    expect((await headersOf(path))['x-content-type-options']).toBe('nosniff');
  });

  test('[PL-12] keeps the referer at home, where own forms need it', async () => {
    expect((await headersOf('/interaction/uid'))['referrer-policy']).toBe('same-origin');
  });

  test.each([...leadAway, ...stay])(
    '[PL-09] of %s uses no camera, but for the page that says whether there is one',
    async (path) => {
      const camera = path === '/interaction/uid' ? '(self)' : '()';
      const policy = `camera=${camera}, microphone=(), geolocation=()`;
      expect((await headersOf(path))['permissions-policy']).toBe(policy);
    },
  );

  test('asks for TLS where the issuer has it, and only there', async () => {
    const name = 'strict-transport-security';
    expect((await headersOf('/'))[name]).toBe('max-age=31536000; includeSubDomains');
    const plain = await headersOf('/', { issuer: 'http://127.0.0.1:3000' });
    expect(plain).not.toHaveProperty(name);
  });
});

describe('the pages that lead to Didit, to a relying party or back to an opener', () => {
  test.each(leadAway)('%s may post on, and keeps its opener', async (path) => {
    expect((await policyOf(path)).join()).not.toContain('form-action');
    expect(await headersOf(path)).not.toHaveProperty('cross-origin-opener-policy');
  });

  test.each(stay)('[XD-20] %s is none of them', async (path) => {
    expect(await policyOf(path)).toContain("form-action 'self'");
    expect((await headersOf(path))['cross-origin-opener-policy']).toBe('same-origin');
  });
});

describe('caches', () => {
  test.each(['/jwks', '/.well-known/openid-configuration'])('keep %s for a while', async (path) => {
    expect((await headersOf(path))['cache-control']).toBe('public, max-age=300');
  });

  test('keep no error, and nothing that is somebody’s', async () => {
    expect((await headersOf('/jwks', { status: 503 }))['cache-control']).toBe('no-store');
    for (const path of [...leadAway, ...stay, '/me', '/account/.well-known/']) {
      expect((await headersOf(path))['cache-control'], path).toBe('no-store');
    }
  });
});
