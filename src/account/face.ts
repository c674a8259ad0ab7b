/** The face: signing in by it on or off, another one in its place, and taking it back. */
import { hasOtherWay } from '../store/factors.ts';
import { type Action, done, ownWays, tell } from './room.ts';

export const selfieOff: Action = async (ctx, tools, visitor) => {
  const factors = await tools.otherWays.records.load(visitor.account.id);
  if (!hasOtherWay(factors, ownWays(tools, visitor))) {
    done(ctx, 'last_way');
    return;
  }
  await tools.accounts.change(visitor.account.id, (account) => ({ ...account, selfieOff: true }));
  const entry = { event: 'selfie_off', atMs: tools.clock() } as const;
  await tell(tools, visitor, 'account.changed', entry);
  done(ctx, 'selfie_off');
};

export const selfieOn: Action = async (ctx, tools, visitor) => {
  await tools.accounts.change(visitor.account.id, ({ selfieOff: _, ...account }) => account);
  const entry = { event: 'selfie_on', atMs: tools.clock() } as const;
  await tell(tools, visitor, 'account.changed', entry);
  done(ctx, 'selfie_on');
};

/** Another face, or the first one, is enrolled like any: in an interaction that this page begins. */
export const enrolFace: Action = async (ctx, tools, { account }) => {
  const kind = account.enrolment ? 're_enrol' : 'enrol';
  await tools.admit(ctx, { kind, accountId: account.id });
  tools.sessions.begin(ctx, { prompt: 'login' });
};
