/** "Show that it is you": once more by a passkey or a selfie, or by a code of something that one has. */
import { acr, acrName } from '../domain/assurance.ts';
import { typed } from '../web/forms.ts';
import { type Action, done, showProve, tryCode } from './room.ts';

export const byPasskey: Action = (ctx, { sessions, environment }) => {
  const acrValues = acrName(acr.passkey, environment);
  sessions.begin(ctx, { prompt: 'login', acr_values: acrValues }, 'proven');
  return Promise.resolve();
};

export const bySelfie: Action = (ctx, { sessions, environment }) => {
  const acrValues = acrName(acr.selfie, environment);
  sessions.begin(ctx, { prompt: 'login', acr_values: acrValues }, 'proven');
  return Promise.resolve();
};

/** For whoever has nothing else: however they sign in. */
export const again: Action = (ctx, { sessions }) => {
  sessions.begin(ctx, { prompt: 'login' }, 'proven');
  return Promise.resolve();
};

export const byCode: Action = async (ctx, tools, visitor, form) => {
  const { account } = visitor;
  const { otherWays } = tools;
  const what = form.get('what') === 'erase' ? 'erase' : 'change';
  const code = typed(form, 'code');
  const isRight = async (): Promise<boolean> =>
    (await otherWays.totp.verify(account.id, code)) ||
    (await otherWays.recoveryCodes.use(account.id, code));
  if (!(await tryCode(tools, visitor, isRight))) {
    const factors = await otherWays.records.load(account.id);
    showProve(ctx, tools, visitor, factors, what, 'wrong_code');
    return;
  }
  await tools.sessions.confirm(visitor);
  done(ctx, 'proven');
};
