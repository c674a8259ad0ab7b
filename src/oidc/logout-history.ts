/** Whoever signs out finds it in their history. Back-channel logout is another matter, see logout-outbox.ts. */
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { History } from '../store/history.ts';

/** Around the library's routes: the person said yes, and the session that they had is gone. */
export function noteLogouts(
  { history, familiar }: { history: History; familiar: FamiliarRecords },
  clock: Clock,
): Middleware {
  return async function noteLogout(ctx, next) {
    await next();
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>;
    if (oidc?.route !== 'end_session_confirm' || ctx.status !== 303 || !oidc.params?.logout) return;
    const { accountId, loginTs } = oidc.session ?? {};
    if (accountId === undefined || loginTs === undefined) return;
    const signedOutAtMs = clock();
    await history.add(accountId, { event: 'signed_out', atMs: signedOutAtMs, authTime: loginTs });
    // Who has signed out wants to be asked: no key stands for a selfie before the next one.
    await familiar.change(accountId, (before) => ({ ...before, signedOutAtMs }));
  };
}
