/** Where somebody is signed in, and ending it: one, all, one app, or "that was not me". */
import { disavowSignIn } from './disavow.ts';
import { type Action, done, tell } from './room.ts';

const secondsIn = (text: string | undefined): number => {
  const seconds = Number(text);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : 0;
};

export const endOne: Action = async (ctx, tools, visitor, form) => {
  const authTime = secondsIn(form.get('sign_in'));
  // Only so many are remembered as taken back: made-up ones must not push those out.
  const open = await tools.signIns.of(visitor.account.id);
  if (!open.some((one) => one.authTime === authTime)) {
    done(ctx, 'nothing');
    return;
  }
  await tools.accounts.revokeProof(visitor.account.id, authTime);
  await tell(tools, visitor, 'account.signed_out', {
    ...{ event: 'signed_out', authTime, atMs: tools.clock() },
  });
  done(ctx, 'signed_out');
};

export const endAll: Action = async (ctx, tools, visitor) => {
  await tools.accounts.signOutEverywhere(visitor.account.id);
  const entry = { event: 'all_signed_out', atMs: tools.clock() } as const;
  await tell(tools, visitor, 'account.signed_out', entry);
  await tools.sessions.end(ctx, visitor);
  ctx.status = 303;
  ctx.redirect('/account/signed-out');
};

export const disavow: Action = async (ctx, tools, visitor, form) => {
  const authTime = secondsIn(form.get('sign_in'));
  await disavowSignIn({ accountId: visitor.account.id, authTime }, tools);
  await tools.sessions.end(ctx, visitor);
  ctx.status = 303;
  ctx.redirect('/account/signed-out');
};

export const revokeApp: Action = async (ctx, tools, visitor, form) => {
  const clientId = form.get('app') ?? '';
  const open = await tools.signIns.of(visitor.account.id);
  if (!open.some(({ clients }) => clients.includes(clientId))) {
    done(ctx, 'nothing');
    return;
  }
  await tools.accounts.revokeApp(visitor.account.id, clientId);
  tools.record({
    ...{ event: 'account.changed', atMs: tools.clock(), account: visitor.account.id },
    ...{ client: clientId, reason: 'app_revoked' },
  });
  done(ctx, 'app_revoked');
};
