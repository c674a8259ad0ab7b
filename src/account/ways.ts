/** Ways in: add, name, take away. The last one that needs no face stays. */
import type { RouterContext } from '@koa/router';
import type { FactorName } from '../domain/message.ts';
import { qrPicture } from '../web/qr.ts';
import { type Action, type AccountTools, done, tell } from './room.ts';
import type { Visitor } from './session.ts';

const longestName = 64;
const shownAt = (path: string): string => `/account/${path}`;

async function tellOf(
  change: 'factor_added' | 'factor_removed',
  tools: AccountTools,
  visitor: Visitor,
  factor: FactorName,
): Promise<void> {
  const atMs = tools.clock();
  const event = change === 'factor_added' ? 'factor.added' : 'factor.removed';
  await tell(
    tools,
    visitor,
    event,
    { event: change, factor, atMs },
    { kind: change, factor, atMs },
  );
}

export const makeCodes: Action = async (ctx, tools, visitor) => {
  const codes = await tools.otherWays.recoveryCodes.make(visitor.account.id);
  await tellOf('factor_added', tools, visitor, 'recovery');
  tools.show(ctx, 200, { page: 'codes', codes, links: { next: '/account' } });
};

export const beginTotp: Action = (ctx, tools, visitor) => showTotp(ctx, tools, visitor);

export const confirmTotp: Action = async (ctx, tools, visitor, form) => {
  const code = (form.get('code') ?? '').trim().slice(0, 64);
  if (!(await tools.otherWays.totp.confirm(visitor.account.id, code))) {
    return showTotp(ctx, tools, visitor, 'wrong_code');
  }
  await tellOf('factor_added', tools, visitor, 'totp');
  done(ctx, 'totp_added');
};

async function showTotp(
  ctx: RouterContext,
  { otherWays, show }: AccountTools,
  { account }: Visitor,
  error?: 'wrong_code',
): Promise<void> {
  const label = account.email ?? account.username ?? '';
  const { secret, uri } = await otherWays.totp.begin(account.id, label);
  const page = {
    page: 'totp',
    secret: secret.replace(/.{4}(?=.)/g, '$& '),
    qr: qrPicture(uri),
    ...(error ? { error } : {}),
    actions: { confirm: shownAt('totp-code'), back: shownAt('back') },
  } as const;
  show(ctx, error ? 400 : 200, page);
}

export const beginPasskey: Action = (ctx, tools, visitor) => showPasskey(ctx, tools, visitor);

export const keepPasskey: Action = async (ctx, tools, visitor, form) => {
  const agent = ctx.get('user-agent');
  const { browser, system } = tools.placeOf(ctx.ip, { browser: agent, system: agent });
  const name = [browser, system].filter(Boolean).join(', ') || 'Passkey';
  const { passkeys } = tools.otherWays;
  const made = await passkeys.register(visitor.account, visitor.id, form.get('credential'), name);
  if (!made) return showPasskey(ctx, tools, visitor, 'not_made');
  await tellOf('factor_added', tools, visitor, 'passkey');
  done(ctx, 'passkey_added');
};

async function showPasskey(
  ctx: RouterContext,
  { otherWays, show }: AccountTools,
  { account, id }: Visitor,
  error?: 'not_made',
): Promise<void> {
  const options = await otherWays.passkeys.registrationOptions(account, id);
  const page = {
    page: 'passkey_new',
    options: JSON.stringify(options),
    ...(error ? { error } : {}),
    actions: { answer: shownAt('passkey-answer'), back: shownAt('back') },
  } as const;
  show(ctx, error ? 400 : 200, page);
}

export const namePasskey: Action = async (ctx, tools, { account }, form) => {
  const name = (form.get('name') ?? '').trim().slice(0, longestName);
  await tools.otherWays.records.change(account.id, (factors) => ({
    factors: {
      ...factors,
      passkeys: factors.passkeys.map((one) =>
        one.id === form.get('passkey') && name !== '' ? { ...one, name } : one,
      ),
    },
    result: undefined,
  }));
  done(ctx, 'passkey_named');
};

const remove =
  (factor: 'totp' | 'recovery' | 'passkey'): Action =>
  async (ctx, tools, visitor, form) => {
    const which = factor === 'passkey' ? { passkey: form.get('passkey') ?? '' } : factor;
    const result = await tools.otherWays.remove(visitor.account.id, which);
    if (result === 'removed') await tellOf('factor_removed', tools, visitor, factor);
    done(ctx, result === 'last' ? 'last_way' : 'way_removed');
  };

export const removeTotp = remove('totp');
export const removeCodes = remove('recovery');
export const removePasskey = remove('passkey');
