/** OpenID Connect Core 3.1.2.1: an authorization request may come as a form post, too. */
import type { Context, Next } from 'koa';
import { readForm } from '../web/forms.ts';

/**
 * Made the GET that it means. The library could take it as it is, but only with cookies that go along with every
 * post of every other site; ours go along with the GET alone.
 */
export async function authorizationByPost(ctx: Context, next: Next): Promise<void> {
  if (ctx.method !== 'POST' || ctx.path !== '/auth') {
    await next();
    return;
  }
  const query = new URLSearchParams([...(await readForm(ctx))]);
  ctx.status = 303;
  ctx.redirect(`/auth?${query.toString()}`);
}
