/** Headers that say who forwarded a request, by somebody whom nobody trusts: nothing of the provider believes them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLog, overhear } from '../didit/support.ts';
import { createBrowser, createParty, isCallback, signIn } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { withoutIds } from '../support/words.ts';

const forged: Record<string, string> = {
  forwarded: 'for=192.0.2.66;host=evil.example;proto=https',
  'x-forwarded-for': '192.0.2.66, 127.0.0.1',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '443',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-ssl': 'on',
  'x-real-ip': '192.0.2.66',
  'x-original-url': '/reg',
  'x-rewrite-url': '/reg',
  'x-http-method-override': 'DELETE',
};

const overheard = overhear();
const log = keepLog();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({
    fetch: overheard.fetch,
    log: log.write,
    flags: { limits: { authorizationsPerMinute: 12 } },
  });
});
afterAll(() => bed.close());

const ask = (path: string, headers: Record<string, string>): Promise<Response> =>
  fetch(bed.issuer + path, { redirect: 'manual', headers: { accept: 'text/html', ...headers } });

describe('[PL-17] forwarded headers of somebody whom nobody trusts are not believed', () => {
  it('about the addresses that are published', async () => {
    const path = '/.well-known/openid-configuration';
    const [plain, told] = [await ask(path, {}), await ask(path, forged)];
    expect(await told.json()).toEqual(await plain.json());
  });

  it('about where a login leads and what its cookies are', async () => {
    const url = (await (await createParty(bed)).begin()).url.replace(bed.issuer, '');
    const [plain, told] = [await ask(url, {}), await ask(url, forged)];
    expect(told.headers.get('location')).toMatch(/^\/interaction\//);
    const shape = (response: Response): string[] =>
      response.headers
        .getSetCookie()
        .map((cookie) => cookie.replaceAll(/[\w-]{20,}/g, 'ID').replace(/expires=[^;]+/, ''));
    expect(shape(told)).toEqual(shape(plain));
    expect(shape(told).join().toLowerCase()).not.toMatch(/secure|evil/);
  });

  it('about the way back, the issuer and the visitor of a whole login', async () => {
    const browser = createBrowser();
    const { request: send } = browser;
    const told: typeof browser = {
      ...browser,
      get: (address) => send(address, { headers: forged }),
      post: (address, fields) => browser.post(address, fields),
    };
    const request = await (await createParty(bed)).begin();
    const callback = await signIn(told, request);
    expect(isCallback(callback)).toBe(true);
    expect(new URL(callback).searchParams.get('iss')).toBe(bed.issuer);
    const { body } = overheard.latest();
    expect(body.callback.startsWith(`${bed.issuer}/interaction/`)).toBe(true);
    expect((await request.finish(callback)).claims()?.iss).toBe(bed.issuer);
    expect(withoutIds(log.text())).not.toMatch(/192\.0\.2\.66|evil/);
  });

  it('about whose requests they are that are counted', async () => {
    const path = (await (await createParty(bed)).begin()).url.replace(bed.issuer, '');
    const statuses: number[] = [];
    for (let at = 0; at < 20; at += 1) {
      const address = `192.0.${at}.66`;
      const { status } = await ask(path, { ...forged, 'x-forwarded-for': address });
      statuses.push(status);
    }
    expect(statuses).toContain(429);
  });
});
