/** Ways in: add, name, take away. The last one that needs no face stays. */
import type { RouterContext } from '@koa/router';
import type { FactorName } from '../domain/message.ts';
import { passkeyName, passkeyPage, totpPage } from '../enrol/making.ts';
import { typed } from '../web/forms.ts';
import { type Action, type AccountTools, done, ownWays, tell } from './room.ts';
import type { Visitor } from './session.ts';

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
  if (!(await tools.otherWays.totp.confirm(visitor.account.id, typed(form, 'code')))) {
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
  const actions = { confirm: shownAt('totp-code'), back: shownAt('back') };
  show(ctx, error ? 400 : 200, await totpPage(otherWays, account, actions, error));
}

export const beginPasskey: Action = (ctx, tools, visitor) => showPasskey(ctx, tools, visitor);

export const keepPasskey: Action = async (ctx, tools, visitor, form) => {
  const name = passkeyName(ctx, tools);
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
  const actions = { answer: shownAt('passkey-answer'), back: shownAt('back') };
  show(ctx, error ? 400 : 200, await passkeyPage(otherWays, account, id, actions, error));
}

export const namePasskey: Action = async (ctx, tools, { account }, form) => {
  const name = typed(form, 'name');
  const isNamed = await tools.otherWays.records.change(account.id, (factors) => {
    const isIt = ({ id }: { id: string }): boolean => id === form.get('passkey');
    if (name === '' || !factors.passkeys.some(isIt)) return { factors, result: false };
    const passkeys = factors.passkeys.map((one) => (isIt(one) ? { ...one, name } : one));
    return { factors: { ...factors, passkeys }, result: true };
  });
  done(ctx, isNamed ? 'passkey_named' : 'nothing');
};

const saidOf = { removed: 'way_removed', last: 'last_way', absent: 'nothing' } as const;

const remove =
  (factor: 'totp' | 'recovery' | 'passkey'): Action =>
  async (ctx, tools, visitor, form) => {
    const which = factor === 'passkey' ? { passkey: form.get('passkey') ?? '' } : factor;
    const { account } = visitor;
    const result = await tools.otherWays.remove(account.id, which, ownWays(tools, visitor));
    if (result === 'removed') await tellOf('factor_removed', tools, visitor, factor);
    done(ctx, saidOf[result]);
  };

export const removeTotp = remove('totp');
export const removeCodes = remove('recovery');
export const removePasskey = remove('passkey');
