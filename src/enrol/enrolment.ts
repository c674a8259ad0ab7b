/** Enrolment as a login meets it (login/enrolment.ts): which step is next, and what each of them does. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { Problem } from '../domain/problem.ts';
import type { Admission, Enrolment } from '../login/enrolment.ts';
import { pathOf, shownFor } from '../login/room.ts';
import { hasOtherWay } from '../store/factors.ts';
import { agree, hasAgreed, showAgree, withoutFace } from './agree.ts';
import { complete, mayEnrol } from './complete.ts';
import {
  confirmTotp,
  keepPasskey,
  protectAgain,
  protectByCodes,
  protectByPasskey,
  protectByTotp,
  showProtect,
  signInWithout,
} from './protect.ts';
import { type EnrolTools, enrollingAccount } from './room.ts';
import {
  confirmAddress,
  giveAddress,
  sendAgain,
  showConfirm,
  showJoin,
  signUp,
} from './sign-up.ts';

export function createEnrolment(
  tools: EnrolTools,
  admit: (ctx: RouterContext, clientId: string) => Promise<Admission | undefined>,
): Enrolment {
  const steps = {
    'sign-up': signUp,
    address: giveAddress,
    'address-code': confirmAddress,
    'address-again': sendAgain,
    agree,
    'without-face': withoutFace,
    protect: protectAgain,
    'protect-recovery': protectByCodes,
    'protect-totp': protectByTotp,
    'protect-totp-code': confirmTotp,
    'protect-passkey': protectByPasskey,
    'protect-passkey-answer': keepPasskey,
    'sign-in-without': signInWithout,
  };

  return {
    isOpen: tools.registration === 'open',
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, step]) => [
        name,
        (ctx: RouterContext, form: ReadonlyMap<string, string>) => step(ctx, tools, form),
      ]),
    ),
    show: (ctx, attempt) => showNext(ctx, tools, attempt),
    async require(attempt) {
      const account = await enrollingAccount(attempt, tools);
      if (!account || !(await mayEnrol(account, attempt, tools))) {
        throw new Problem('step_missing', 'no face is taken before what comes first');
      }
    },
    complete: (attempt) => complete(attempt, tools),
    admit: (ctx, interaction) => admit(ctx, String(interaction.params.client_id)),
  };
}

async function showNext(ctx: RouterContext, tools: EnrolTools, attempt: Attempt): Promise<void> {
  if (attempt.phase === 'new') {
    showJoin(ctx, tools, attempt);
    return;
  }
  if (attempt.phase === 'joining') {
    showConfirm(ctx, tools, attempt);
    return;
  }
  const account = await enrollingAccount(attempt, tools);
  if (!account || attempt.phase !== 'identified') throw new Problem('interaction_over');
  const isProtected =
    attempt.kind === 'recovery' || hasOtherWay(await tools.otherWays.records.load(account.id));
  if (!attempt.withoutFace && !hasAgreed(account)) showAgree(ctx, tools, attempt);
  else if (!isProtected) showProtect(ctx, tools, attempt);
  else showReady(ctx, tools, attempt);
}

function showReady(
  ctx: RouterContext,
  { show }: EnrolTools,
  attempt: Extract<Attempt, { phase: 'identified' }>,
): void {
  const { interactionUid, client } = attempt;
  const shown = shownFor(attempt);
  if (attempt.withoutFace) {
    const actions = { signIn: pathOf(interactionUid, 'sign-in-without') };
    show(ctx, 200, { page: 'joined', client, actions }, shown);
    return;
  }
  const actions = {
    selfie: pathOf(interactionUid, 'selfie'),
    cancel: pathOf(interactionUid, 'cancel'),
  };
  show(ctx, 200, { page: 'document', client, actions }, shown);
}
