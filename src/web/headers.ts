/** Security and cache headers, as far as browsers were found to bear them. */
import type { Context, Middleware } from 'koa';

/**
 * `form-action` is not among them: Chromium applies it to the whole redirect chain behind a form post and so blocks
 * the way to Didit and to a relying party after the code is spent. Elsewhere it is added below.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A POST from here goes on to Didit or to a relying party, or a popup login needs its opener. */
const leadsAway = /^\/(auth|h|interaction|session)(\/|$)/;
/** The page before the selfie looks whether there is a camera; what it takes is taken on Didit's page. */
const looksForCamera = /^\/interaction\/[^/]+$/;
const publicMetadata = /^\/(jwks|\.well-known\/)/;

export function securityHeaders(issuer: string): Middleware {
  const tls = issuer.startsWith('https:');
  return async function setSecurityHeaders(ctx, next) {
    const away = leadsAway.test(ctx.path);
    const camera = looksForCamera.test(ctx.path) ? '(self)' : '()';
    ctx.set({
      'content-security-policy': away ? policy : `${policy}; form-action 'self'`,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      // With `no-referrer` our own pages would post with `Origin: null`.
      'referrer-policy': 'same-origin',
      'permissions-policy': `camera=${camera}, microphone=(), geolocation=()`,
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
      ...(away ? {} : { 'cross-origin-opener-policy': 'same-origin' }),
      ...(tls ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    });
    await next();
    if (publicMetadata.test(ctx.path) && ctx.status === 200) {
      // Shorter than any overlap in which an old and a new key are both published.
      ctx.set('cache-control', 'public, max-age=300');
    }
  };
}

/** A form of this page leads on to another origin of ours; Chromium holds every redirect behind it against the policy. */
export function mayPostOnTo(ctx: Context, origin: string): void {
  const own = "form-action 'self'";
  const policy = ctx.response.get('content-security-policy').replace(own, `${own} ${origin}`);
  ctx.set('content-security-policy', policy);
}
