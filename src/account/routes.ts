/** `/account` and what its buttons do: a GET shows, a POST with the token of this very session changes. */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { readForm, requireSameOrigin } from '../web/forms.ts';
import { askForAddress, changeAddress, confirmAddress } from './address.ts';
import {
  askToEraseAccount,
  askToEraseFace,
  eraseAccount,
  eraseFace,
  keep,
  takeAlong,
} from './data.ts';
import { nameDevice, removeDevice } from './devices.ts';
import { enrolFace, selfieOff, selfieOn } from './face.ts';
import { again, byCode, byPasskey, bySelfie } from './prove.ts';
import { beginRecovery, cancelRecovery, finishRecovery, recoverByCode } from './recovery.ts';
import { type Action, type AccountTools, done, proven } from './room.ts';
import { readSheet } from './sheet.ts';
import { disavow, endAll, endOne, revokeApp } from './sign-ins.ts';
import {
  beginPasskey,
  beginTotp,
  confirmTotp,
  keepPasskey,
  makeCodes,
  namePasskey,
  removeCodes,
  removePasskey,
  removeTotp,
} from './ways.ts';

/** What anybody may do who is signed in, and what takes a proof from just now. */
const actions: Readonly<Record<string, Action>> = {
  back: (ctx) => {
    done(ctx, 'nothing');
    return Promise.resolve();
  },
  'end-one': endOne,
  'end-all': endAll,
  disavow,
  'revoke-app': revokeApp,
  'prove-passkey': byPasskey,
  'prove-selfie': bySelfie,
  'prove-code': byCode,
  'prove-again': again,
  recover: beginRecovery,
  'recover-code': recoverByCode,
  'recover-finish': finishRecovery,
  'recover-cancel': cancelRecovery,
  keep,
  'selfie-off': selfieOff,
  codes: proven('change', makeCodes),
  totp: proven('change', beginTotp),
  'totp-code': proven('change', confirmTotp),
  'totp-remove': proven('change', removeTotp),
  'codes-remove': proven('change', removeCodes),
  passkey: proven('change', beginPasskey),
  'passkey-answer': proven('change', keepPasskey),
  'passkey-name': proven('change', namePasskey),
  'passkey-remove': proven('change', removePasskey),
  'device-name': proven('change', nameDevice),
  'device-remove': proven('change', removeDevice),
  address: proven('change', askForAddress),
  'address-new': proven('change', changeAddress),
  'address-codes': proven('change', confirmAddress),
  'selfie-on': proven('change', selfieOn),
  face: proven('change', enrolFace),
  export: proven('change', takeAlong),
  'erase-face': proven('erase', askToEraseFace),
  'erase-face-now': proven('erase', eraseFace),
  'erase-account': proven('erase', askToEraseAccount),
  'erase-account-now': proven('erase', eraseAccount),
};

export function createAccountRoutes(tools: AccountTools): Middleware {
  const router = new Router({ prefix: '/account' });
  const issuerOrigin = new URL(tools.issuer).origin;

  router.get('/', (ctx) => show(ctx, tools));
  router.get('/callback', async (ctx) => {
    const next = await tools.sessions.callback(ctx);
    ctx.status = 303;
    ctx.redirect(next);
  });
  router.get('/sign-in', (ctx) => tools.sessions.begin(ctx, { prompt: 'login' }));
  router.get('/signed-out', (ctx) => tools.show(ctx, 200, { page: 'loggedOut' }));
  for (const [name, action] of Object.entries(actions)) {
    router.post(`/${name}`, async (ctx) => {
      requireSameOrigin(ctx, issuerOrigin);
      const form = await readForm(ctx);
      const visitor = await tools.sessions.current(ctx);
      if (!visitor) {
        tools.sessions.begin(ctx);
        return;
      }
      tools.formTokens.require(`account ${visitor.id}`, form);
      ctx.state.formToken = tools.formTokens.of(`account ${visitor.id}`);
      await action(ctx, tools, visitor, form);
    });
  }
  return router.routes() as unknown as Middleware;
}

async function show(ctx: RouterContext, tools: AccountTools): Promise<void> {
  const visitor = await tools.sessions.current(ctx);
  if (!visitor) {
    tools.sessions.begin(ctx);
    return;
  }
  ctx.state.formToken = tools.formTokens.of(`account ${visitor.id}`);
  const { done: what } = ctx.query;
  const sheet = await readSheet(tools, visitor, typeof what === 'string' ? what : undefined);
  tools.show(ctx, 200, sheet);
}
