/** What is held about somebody: taking it along, and having it erased. */
import type { RouterContext } from '@koa/router';
import { type Action, type AccountTools, done, tell } from './room.ts';
import type { Visitor } from './session.ts';

export const takeAlong: Action = async (ctx, tools, visitor) => {
  const held = await tools.exportOf(visitor.account.id);
  const entry = { event: 'exported', atMs: tools.clock() } as const;
  await tell(tools, visitor, 'account.exported', entry);
  ctx.status = 200;
  ctx.type = 'application/json';
  ctx.set('content-disposition', 'attachment; filename="my-account.json"');
  ctx.body = JSON.stringify(held, null, 2);
};

const askFirst =
  (what: 'erase_face' | 'erase_account'): Action =>
  (ctx, tools) => {
    const readyAtMs = tools.clock() + tools.erasureDelaySeconds * 1000;
    tools.show(ctx, 200, { page: 'sure', what, readyAtMs });
    return Promise.resolve();
  };

export const askToEraseFace = askFirst('erase_face');
export const askToEraseAccount = askFirst('erase_account');

/** From now on no selfie signs in; in some days the face is gone, unless the person thinks again. */
export const eraseFace: Action = async (ctx, tools, visitor) => {
  const { id, consent } = visitor.account;
  await tools.accounts.change(id, (account) => ({ ...account, selfieOff: true }));
  if (consent) {
    const said = { event: 'account.consent_withdrawn', reason: consent.version } as const;
    tools.record({ ...said, atMs: tools.clock(), account: id });
  }
  await plan(ctx, tools, visitor, 'face');
};

export const eraseAccount: Action = (ctx, tools, visitor) => plan(ctx, tools, visitor, 'account');

async function plan(
  ctx: RouterContext,
  tools: AccountTools,
  visitor: Visitor,
  what: 'face' | 'account',
): Promise<void> {
  const readyAtMs = tools.clock() + tools.erasureDelaySeconds * 1000;
  await tools.erasure.plan(visitor.account.id, what, readyAtMs);
  const link = `${tools.issuer}/account`;
  const entry = { event: 'erasure_planned', atMs: tools.clock() } as const;
  const message = { kind: 'erasure_planned', what, link, readyAtMs } as const;
  await tell(tools, visitor, 'account.erasure_planned', entry, message);
  done(ctx, 'erasure_planned');
}

export const keep: Action = async (ctx, tools, visitor) => {
  if (await tools.erasure.cancel(visitor.account.id)) {
    const entry = { event: 'erasure_cancelled', atMs: tools.clock() } as const;
    await tell(tools, visitor, 'account.erasure_cancelled', entry);
  }
  done(ctx, 'erasure_cancelled');
};
