/** `/.well-known/security.txt` (RFC 9116): where a weakness of this provider is reported. No sign-in, no cookie. */
import type { Middleware } from 'koa';
import type { Clock } from '../domain/environment.ts';

const path = '/.well-known/security.txt';
const dayMs = 86_400_000;
/** What is older is not believed; a provider that runs says so anew each day. */
const believedForMs = 180 * dayMs;

export function createSecurityTxt(
  { issuer, contact }: { issuer: string; contact: string | undefined },
  clock: Clock,
): Middleware {
  return async function securityTxt(ctx, next) {
    const isAsked = ctx.path === path && ['GET', 'HEAD'].includes(ctx.method);
    if (!isAsked || contact === undefined) {
      await next();
      return;
    }
    ctx.state.route = path;
    const expires = new Date(Math.floor(clock() / dayMs) * dayMs + believedForMs);
    const lines = [
      `Contact: mailto:${contact}`,
      `Expires: ${expires.toISOString()}`,
      `Canonical: ${new URL(path, issuer).href}`,
    ];
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = `${lines.join('\n')}\n`;
  };
}
