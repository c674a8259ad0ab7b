import { gzipSync } from 'node:zlib';
import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';
import { readForm, requireSameOrigin } from '../../src/web/forms.ts';
import { type Asked, serve } from './http.ts';

const own = 'https://login.example.com';
const formType = { 'content-type': 'application/x-www-form-urlencoded' };

type Handled = { fields: [string, string][] } | { problem: string };

/** What a route that takes forms makes of a request. */
async function post(asked: Asked, step: (ctx: Koa.Context) => unknown): Promise<Handled> {
  const app = new Koa();
  app.use(async (ctx) => {
    try {
      const fields = await step(ctx);
      ctx.body = { fields: fields instanceof Map ? [...(fields as Map<string, string>)] : [] };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      ctx.body = { problem: error.code };
    }
  });
  const handler = app.callback();
  const served = await serve((req, res) => void handler(req, res));
  const { status, body } = await served.ask({ method: 'POST', ...asked });
  expect(status).toBe(200);
  return JSON.parse(body) as Handled;
}

const read = (asked: Asked) => post(asked, (ctx) => readForm(ctx));
const readText = (body: string | Buffer) => read({ headers: formType, body });

describe('where a form comes from', () => {
  const isOwn = async (headers: Record<string, string>): Promise<boolean> => {
    const handled = await post({ headers }, (ctx) => requireSameOrigin(ctx, own));
    if ('problem' in handled) expect(handled.problem).toBe('cross_site');
    return !('problem' in handled);
  };
  const site = 'sec-fetch-site';

  test.each<[boolean, Record<string, string>]>([
    [true, { [site]: 'same-origin' }],
    [true, { [site]: 'same-origin', origin: own, referer: `${own}/interaction/1` }],
    [false, { [site]: 'same-site' }],
    [false, { [site]: 'cross-site' }],
    [false, { [site]: 'none' }],
    [false, { [site]: 'Same-Origin' }],
    [false, { [site]: 'same-origin, cross-site' }],
  ])('[PL-12] %s: what the browser calls the site counts, %j', async (expected, headers) => {
    expect(await isOwn(headers)).toBe(expected);
  });

  test.each(['same-site', 'cross-site', 'none'])(
    '[PL-12] "%s" is not outweighed by an origin and a referer of our own',
    async (value) => {
      expect(await isOwn({ [site]: value, origin: own, referer: `${own}/` })).toBe(false);
    },
  );

  test.each<[boolean, string]>([
    [true, own],
    [false, 'null'],
    [false, 'https://evil.example'],
    [false, 'http://login.example.com'],
    [false, 'https://login.example.com:8443'],
    [false, 'https://login.example.com.evil.example'],
    [false, `${own}, https://evil.example`],
    [false, `${own}/`],
  ])('[PL-12] %s: else the origin counts, "%s"', async (expected, origin) => {
    expect(await isOwn({ origin })).toBe(expected);
    expect(await isOwn({ origin, referer: `${own}/interaction/1` })).toBe(expected);
  });

  test.each<[boolean, string]>([
    [true, `${own}/interaction/1?x=y`],
    [false, 'https://evil.example/?https://login.example.com/'],
    [false, 'https://login.example.com@evil.example/'],
    [false, 'https://login.example.com.evil.example/'],
    [false, 'http://login.example.com/'],
    [false, '/interaction/1'],
    [false, 'about:blank'],
  ])('[PL-12] %s: else the referer, "%s"', async (expected, referer) => {
    expect(await isOwn({ referer })).toBe(expected);
  });

  test('[PL-12] a request that says nothing is refused', async () => {
    expect(await isOwn({})).toBe(false);
    expect(await isOwn({ origin: '', referer: '' })).toBe(false);
  });
});

describe('a form', () => {
  test('is read field by field, in the order in which they came', async () => {
    const text = 'identifier=ana%40example.com&name=Zo%C3%AB+%F0%9F%98%80&empty=&bare';
    expect(await readText(text)).toEqual({
      fields: [
        ['identifier', 'ana@example.com'],
        ['name', 'Zoë 😀'],
        ['empty', ''],
        ['bare', ''],
      ],
    });
  });

  test('without a single field is empty, with and without a type', async () => {
    expect(await readText('')).toEqual({ fields: [] });
    expect(await read({ headers: { 'content-length': '0' } })).toEqual({ fields: [] });
  });

  test('[CB-05] with a field twice is refused, also when both say the same', async () => {
    for (const text of ['a=1&a=2', 'a=1&b=2&a=1', 'a&a', 'a=1&%61=2']) {
      expect(await readText(text), text).toEqual({ problem: 'malformed' });
    }
  });

  test('[PL-18] may name a field as it likes, and touches no prototype', async () => {
    const text = '__proto__=1&constructor=2&__proto__[x]=3';
    expect(await readText(text)).toEqual({
      fields: [
        ['__proto__', '1'],
        ['constructor', '2'],
        ['__proto__[x]', '3'],
      ],
    });
    expect({}).not.toHaveProperty('x');
  });

  const limit = 16 * 1024;

  test.each([false, true])('[PL-16] has at most 16 KiB; sent in chunks: %s', async (chunked) => {
    const ask = (bytes: number) =>
      read({ headers: formType, body: 'a='.padEnd(bytes, 'x'), chunked });
    expect(await ask(limit)).toEqual({ fields: [['a', 'x'.repeat(limit - 2)]] });
    expect(await ask(limit + 1)).toEqual({ problem: 'body_too_large' });
  });

  test.each([
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/x-www-form-urlencoded-not',
    'nonsense',
    '',
  ])('[PL-16] of the type "%s" is not read', async (type) => {
    const headers = { 'content-type': type };
    expect(await read({ headers, body: 'a=1' })).toEqual({ problem: 'unsupported_media_type' });
  });

  test('of no type is not read', async () => {
    expect(await read({ body: 'a=1' })).toEqual({ problem: 'unsupported_media_type' });
  });

  test('is UTF-8, whatever its type says', async () => {
    const headers = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-16' };
    expect(await read({ headers, body: 'a=Zoë' })).toEqual({ fields: [['a', 'Zoë']] });
  });

  test.each<[string, string | Buffer, string]>([
    ['a byte that starts nothing', 'a=%FF', '\ufffd'],
    ['the same, not escaped', Buffer.from([0x61, 0x3d, 0xff]), '\ufffd'],
    ['half a surrogate pair', 'a=%ED%A0%80', '\ufffd\ufffd\ufffd'],
    ['an overlong slash', 'a=%C0%AF', '\ufffd\ufffd'],
    ['a percent sign alone', 'a=%', '%'],
    ['no hexadecimal digits', 'a=%zz', '%zz'],
  ])('[CB-05] with %s keeps a mark in its place', async (_, body, value) => {
    expect(await readText(body)).toEqual({ fields: [['a', value]] });
  });

  test('[PL-16] that was compressed is not unpacked', async () => {
    const headers = { ...formType, 'content-encoding': 'gzip' };
    const handled = await read({ headers, body: gzipSync('identifier=ana') });
    expect(JSON.stringify(handled)).not.toContain('identifier');
  });
});
