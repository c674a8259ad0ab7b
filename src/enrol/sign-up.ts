/**
 * Somebody new. Nothing is made of an address before it was shown to be theirs, in this very browser: who types
 * another person's address gets nothing, and leaves nothing behind that the person would inherit. Until the code is
 * right, an address with an account looks like one without.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt, Identity } from '../domain/attempt.ts';
import { Problem } from '../domain/problem.ts';
import { thisAsker } from '../login/asker.ts';
import { beginAgain } from '../login/leave.ts';
import { ownAttempt, pathOf, propose, recordFor, shownFor, toDispatcher } from '../login/room.ts';
import { giveMoreTime } from '../login/time.ts';
import { normaliseIdentifier } from '../store/account-names.ts';
import type { Account } from '../store/accounts.ts';
import { hasOtherWay } from '../store/factors.ts';
import { typed, typedAddress } from '../web/forms.ts';
import { asArrived } from './invitation.ts';
import type { EnrolTools } from './room.ts';

export async function signUp(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  if (tools.registration !== 'open') throw new Problem('step_missing', 'registration is not open');
  const { attempt } = await beginAgain(ctx, tools, 'nothing', 'enrol');
  recordFor(tools, attempt, 'enrol.started');
  toDispatcher(ctx);
}

export function showJoin(
  ctx: RouterContext,
  { show }: EnrolTools,
  attempt: Attempt,
  error?: 'not_an_address',
): void {
  const { interactionUid, client, request } = attempt;
  const page = {
    page: 'join',
    client,
    address: request.loginHint,
    ...(error ? { error } : {}),
    actions: {
      join: pathOf(interactionUid, 'address'),
      back: pathOf(interactionUid, 'start-over'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, error ? 400 : 200, page, shownFor(attempt));
}

export async function giveAddress(
  ctx: RouterContext,
  tools: EnrolTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const address = typedAddress(form);
  if (address === undefined) {
    if (loaded.attempt.phase === 'new') showJoin(ctx, tools, loaded.attempt, 'not_an_address');
    else toDispatcher(ctx);
    return;
  }
  const event = { type: 'address_given', address } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused && attempt.phase === 'joining') await sendCode(ctx, tools, attempt);
  toDispatcher(ctx);
}

type Joining = Extract<Attempt, { phase: 'joining' }>;

/** Of the sign-up and its address: a code that was sent to one address never confirms another. */
const codeKey = ({ id, address: given }: Joining): string => `${id} ${given}`;

export async function sendAgain(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const { attempt } = await ownAttempt(ctx, tools);
  if (attempt.phase === 'joining') await sendCode(ctx, tools, attempt);
  toDispatcher(ctx);
}

/** Past the limit nothing is sent, and nothing is said about it. */
async function sendCode(ctx: RouterContext, tools: EnrolTools, attempt: Joining): Promise<void> {
  const { network } = thisAsker(ctx, tools, attempt);
  const person = tools.decoy.nameFor(`person ${attempt.address}`);
  if (!(await tools.limits.sendMessage({ person, network }))) return;
  await tools.mailCodes.send({
    key: codeKey(attempt),
    address: attempt.address,
    locale: attempt.request.uiLocales,
    purpose: 'confirm_address',
  });
}

export function showConfirm(
  ctx: RouterContext,
  { show }: EnrolTools,
  attempt: Joining,
  error?: 'wrong_code',
): void {
  const { interactionUid, client } = attempt;
  const page = {
    page: 'confirm',
    client,
    address: attempt.address,
    ...(error ? { error } : {}),
    actions: {
      confirm: pathOf(interactionUid, 'address-code'),
      again: pathOf(interactionUid, 'address-again'),
      change: pathOf(interactionUid, 'sign-up'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, error ? 400 : 200, page, shownFor(attempt));
}

export async function confirmAddress(
  ctx: RouterContext,
  tools: EnrolTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const { attempt } = loaded;
  if (attempt.phase !== 'joining') {
    toDispatcher(ctx);
    return;
  }
  const code = typed(form, 'code');
  const person = tools.decoy.nameFor(`person ${attempt.address}`);
  const mayTry = await tools.limits.tryFactor({ person, deviceClass: 'unknown' });
  if (!mayTry || !(await tools.mailCodes.verify(codeKey(attempt), code))) {
    showConfirm(ctx, tools, attempt, 'wrong_code');
    return;
  }
  const account = await accountOf(attempt, tools);
  const identity: Identity = { identifier: attempt.address, accountId: account?.id };
  if (!account || (await isSomebody(account, tools))) {
    // They are here already, and a mailbox is no way to put another face in the place of theirs.
    const { attempt: login } = await beginAgain(ctx, tools, 'nothing', 'login');
    await propose(tools, login, { type: 'identified', identity });
  } else {
    const event = { type: 'address_confirmed', identity } as const;
    const { attempt: confirmed, refused } = await propose(tools, attempt, event, loaded);
    if (!refused) {
      recordFor(tools, confirmed, 'enrol.address_confirmed');
      await giveMoreTime(ctx, tools, confirmed);
    }
  }
  toDispatcher(ctx);
}

/** Who has shown that the address is theirs. @returns undefined when nobody may come in under it. */
async function accountOf(
  { address: email, request }: Joining,
  tools: EnrolTools,
): Promise<Account | undefined> {
  const { accounts, languageFor, record, clock } = tools;
  const id = await accounts.idOf(email);
  if (id === undefined) {
    const locale = languageFor(request.uiLocales);
    const added = await accounts.add({ email, groups: [], locale });
    if (added) record({ event: 'account.created', atMs: clock(), account: added.id });
    return added ?? undefined;
  }
  const known = await accounts.find(id);
  // A name that only looks like an address makes nobody its owner.
  if (known?.email === undefined || normaliseIdentifier(known.email) !== email) return undefined;
  if (known.status === 'active' && (await isSomebody(known, tools))) return known;
  await accounts.change(id, (account) =>
    account.status === 'invited' || account.status === 'active' ? asArrived(account) : account,
  );
  const account = await accounts.find(id);
  return account?.status === 'active' ? account : undefined;
}

/** Has somebody enrolled, or set up another way in, under this account? Then a mailbox changes nothing of it. */
async function isSomebody(account: Account, { otherWays }: EnrolTools): Promise<boolean> {
  return account.enrolment !== undefined || hasOtherWay(await otherWays.records.load(account.id));
}
