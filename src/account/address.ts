/**
 * Another e-mail address: a code to the new one, and one to the old. Both are typed here, so that neither a borrowed
 * session nor a borrowed mailbox is enough, and whoever has lost the old address goes by way of recovery.
 */
import type { RouterContext } from '@koa/router';
import { typed, typedAddress } from '../web/forms.ts';
import { type Action, type AccountTools, done, requireMail, tell, tryCode } from './room.ts';
import type { Visitor } from './session.ts';

const pendingSeconds = 600;
const pendingKey = ({ id }: Visitor): string => `address-change:${id}`;
/** A code is for one address: what was sent to one mailbox confirms no other that was asked for after it. */
const keyOf = (visitor: Visitor, which: 'new' | 'old', wanted: string): string =>
  `${which} ${visitor.id} ${wanted}`;

export const askForAddress: Action = (ctx, tools) => {
  tools.show(ctx, 200, { page: 'address', step: 'new' });
  return Promise.resolve();
};

export const changeAddress: Action = async (ctx, tools, visitor, form) => {
  const wanted = typedAddress(form);
  if (wanted === undefined) {
    tools.show(ctx, 400, { page: 'address', step: 'new', error: 'not_an_address' });
    return;
  }
  await tools.store.put(pendingKey(visitor), wanted, { ttlSeconds: pendingSeconds });
  await sendCodes(ctx, tools, visitor, wanted);
  tools.show(ctx, 200, { page: 'address', step: 'codes', address: wanted });
};

async function sendCodes(
  ctx: RouterContext,
  tools: AccountTools,
  visitor: Visitor,
  wanted: string,
): Promise<void> {
  const { limits, placeOf } = tools;
  const mailCodes = requireMail(tools);
  const { account } = visitor;
  const agent = ctx.get('user-agent');
  const { network } = placeOf(ctx.ip, { browser: agent, system: agent });
  if (!(await limits.sendMessage({ person: account.id, network }))) return;
  const { locale, email } = account;
  const purpose = 'confirm_address' as const;
  await mailCodes.send({ key: keyOf(visitor, 'new', wanted), address: wanted, locale, purpose });
  if (email === undefined) return;
  await mailCodes.send({ key: keyOf(visitor, 'old', wanted), address: email, locale, purpose });
}

export const confirmAddress: Action = async (ctx, tools, visitor, form) => {
  const { account } = visitor;
  const wanted = (await tools.store.get(pendingKey(visitor)))?.value;
  if (wanted === undefined) {
    tools.show(ctx, 400, { page: 'address', step: 'new', error: 'too_late' });
    return;
  }
  const mailCodes = requireMail(tools);
  const codes = [
    { key: keyOf(visitor, 'new', wanted), code: typed(form, 'new_code') },
    ...(account.email === undefined
      ? []
      : [{ key: keyOf(visitor, 'old', wanted), code: typed(form, 'old_code') }]),
  ];
  if (!(await tryCode(tools, visitor, () => mailCodes.verifyAll(codes)))) {
    tools.show(ctx, 400, { page: 'address', step: 'codes', address: wanted, error: 'wrong_code' });
    return;
  }
  await tools.store.delete(pendingKey(visitor));
  if (!(await tools.accounts.rename(account.id, { email: wanted }))) {
    tools.show(ctx, 400, { page: 'address', step: 'new', error: 'taken' });
    return;
  }
  await tools.accounts.change(account.id, (current) => ({ ...current, emailVerified: true }));
  const atMs = tools.clock();
  const entry = { event: 'address_changed', atMs } as const;
  // To the old address: whoever still reads it should know.
  await tell(tools, visitor, 'account.changed', entry, {
    ...{ kind: 'address_changed', to: wanted, atMs },
  });
  done(ctx, 'address_changed');
};
