/** Authorization requests that come as a form: from a browser, or pushed by the relying party itself. */
import type { Context, Next } from 'koa';
import { Problem } from '../domain/problem.ts';
import { readForm } from '../web/forms.ts';

/**
 * As long as an address may be. The library would read seven times as much of a pushed request, and a request object
 * of that size can be nested more deeply than it can write down.
 */
const longestPushedBytes = 8 * 1024;

export async function authorizationByPost(ctx: Context, next: Next): Promise<void> {
  if (ctx.method === 'POST' && ctx.path === '/auth') return toAddress(ctx);
  if (ctx.method === 'POST' && ctx.path === '/request') limitPushed(ctx);
  await next();
}

/**
 * OpenID Connect Core 3.1.2.1, made the GET that it means. The library could take it as it is, but only with cookies
 * that go along with every post of every other site; ours go along with the GET alone.
 */
async function toAddress(ctx: Context): Promise<void> {
  const query = new URLSearchParams([...(await readForm(ctx))]);
  ctx.status = 303;
  ctx.redirect(`/auth?${query.toString()}`);
}

/** RFC 9126, 2.3. */
function limitPushed(ctx: Context): void {
  const { length } = ctx.request as { length?: number };
  if (length === undefined) throw new Problem('malformed', 'a pushed request without a length');
  if (length > longestPushedBytes) throw new Problem('body_too_large');
}
