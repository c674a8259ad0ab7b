/** Whoever signs out finds it in their history. Back-channel logout is another matter, see logout-outbox.ts. */
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import type { History } from '../store/history.ts';

/** Around the library's routes: the person said yes, and the session that they had is gone. */
export function noteLogouts(history: History, clock: Clock): Middleware {
  return async function noteLogout(ctx, next) {
    await next();
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    if (oidc?.route !== 'end_session_confirm' || ctx.status !== 303 || !oidc.params?.logout) return;
    const { accountId, loginTs } = oidc.session ?? {};
    if (accountId === undefined || loginTs === undefined) return;
    await history.add(accountId, { event: 'signed_out', atMs: clock(), authTime: loginTs });
  };
}
