import Koa from 'koa';
import { expect, test } from 'vitest';
import { createSecurityTxt } from '../../src/web/security-txt.ts';
import { startTestbed } from '../support/testbed.ts';
import { serve } from './http.ts';

const atMs = Date.UTC(2026, 10, 28, 21, 30);

async function ask(path: string, contact?: string, method = 'GET') {
  const app = new Koa();
  const settings = { issuer: 'https://login.example.com', contact };
  app.use(createSecurityTxt(settings, () => atMs));
  const handler = app.callback();
  return (await serve((req, res) => void handler(req, res))).ask({ path, method });
}

test('[RL-12] security.txt says where to report, until when that counts, and where it belongs', async () => {
  const { status, headers, body } = await ask('/.well-known/security.txt', 'help@example.com');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(body).toBe(
    [
      'Contact: mailto:help@example.com',
      'Expires: 2027-05-27T00:00:00.000Z',
      'Canonical: https://login.example.com/.well-known/security.txt',
      '',
    ].join('\n'),
  );
  // RFC 9116 advises less than a year.
  const expires = Date.parse(/^Expires: (.+)$/m.exec(body)?.[1] ?? '');
  expect(expires - atMs).toBeGreaterThan(0);
  expect(expires - atMs).toBeLessThan(365 * 86_400_000);
});

test('without an address there is none, and nothing else is answered', async () => {
  expect((await ask('/.well-known/security.txt')).status).toBe(404);
  expect((await ask('/.well-known/security', 'help@example.com')).status).toBe(404);
  expect((await ask('/.well-known/security.txt', 'help@example.com', 'POST')).status).toBe(404);
});

test('[RL-12] a provider serves it with the address of the settings', async () => {
  const operator = { supportAddress: 'help@example.com', securityContact: 'security@example.com' };
  const bed = await startTestbed({ flags: { operator } });
  try {
    const answer = await fetch(`${bed.issuer}/.well-known/security.txt`);
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answer.text()).toMatch(/^Contact: mailto:security@example\.com$/m);
  } finally {
    await bed.close();
  }
});
