/**
 * Another way in: two of the typed factors that there are, one after the other, instead of a selfie. What a stranger
 * sees does not tell whether the name has an account, nor whether a message was sent or held back.
 */
import type { RouterContext } from '@koa/router';
import { type Attempt, isEnrolling } from '../domain/attempt.ts';
import type { FactorName } from '../domain/message.ts';
import { standing } from '../domain/standing.ts';
import { Problem } from '../domain/problem.ts';
import type { Factor } from '../fallback/factor.ts';
import type { Account } from '../store/accounts.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import { thisAsker } from './asker.ts';
import { decideOn } from './decide.ts';
import { beginAgain } from './leave.ts';
import { passkeyAction } from './passkey.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  toDispatcher,
} from './room.ts';
import { activeAccount, firstWays, personOf, secondWays } from './ways.ts';

const longestAnswer = 64;

type Identified = Extract<Attempt, { phase: 'identified' }>;

/** Asks for the factor that was chosen; the other ways stand beside it. */
export async function showFactor(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  factor: FactorName,
  error?: 'wrong',
): Promise<void> {
  const { interactionUid, client } = attempt;
  const isSecond = 'legs' in attempt;
  const ways = isSecond ? await secondWays(attempt, tools) : firstWays(attempt, tools);
  const page = {
    page: 'factor',
    client,
    factor,
    isSecond,
    ways: ways.map(({ name }) => name).filter((name) => name !== factor),
    ...(error ? { error } : {}),
    actions: {
      answer: pathOf(interactionUid, 'answer'),
      passkey: isSecond ? undefined : passkeyAction(tools, attempt),
      factor: pathOf(interactionUid, 'factor'),
      otherWay: pathOf(interactionUid, 'other-way'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, error ? 400 : 200, page, shownFor(attempt));
}

/** The first answer was right, and says who is there: from here on it is shown what they have. */
export async function showSecondLeg(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
): Promise<void> {
  const { interactionUid, client } = attempt;
  const page = {
    page: 'secondLeg',
    client,
    ways: (await secondWays(attempt, tools)).map(({ name }) => name),
    actions: {
      factor: pathOf(interactionUid, 'factor'),
      selfie: pathOf(interactionUid, 'selfie-next'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, 200, page, shownFor(attempt));
}

export async function chooseFactor(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const own = await ownAttempt(ctx, tools);
  const factor = firstWays(own.attempt, tools).find(({ name }) => name === form.get('factor'));
  if (!factor) throw new Problem('malformed', 'there is no such factor');
  // What was shown so far counts on; whatever else is under way is over.
  const isGoingOn = own.attempt.phase === 'identified' && !isEnrolling(own.attempt);
  // Who was to be enrolled signs in by what they have instead: codes bring no face.
  const kind = isEnrolling(own.attempt) ? 'login' : undefined;
  const begun = isGoingOn ? own : await beginAgain(ctx, tools, 'identity', kind);
  // Whom the policy keeps out, it keeps out by every way; who has shown something was let as far as that.
  const hasLegs = 'legs' in begun.attempt;
  const loaded = hasLegs ? begun : await decideOn(ctx, tools, begun, form);
  if (loaded.attempt.phase === 'identified') {
    await ask(ctx, tools, loaded.attempt, factor, loaded);
  }
  toDispatcher(ctx);
}

async function ask(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  factor: Factor,
  known?: LoadedAttempt,
): Promise<void> {
  const event = { type: 'factor_chosen', factor: factor.name } as const;
  const { attempt: asked, refused } = await propose(tools, attempt, event, known);
  if (refused || asked.phase !== 'identified') return;
  recordFor(tools, asked, 'factor.asked', factor.name);
  if (!factor.begin) return;
  const { network } = thisAsker(ctx, tools, asked);
  const mayAsk = await tools.limits.sendMessage({
    person: personOf(asked.identity, tools),
    network,
  });
  const account = await activeAccount(asked.identity, tools);
  if (!mayAsk || !account) return;
  const locale = account.locale ?? asked.request.uiLocales;
  // Nobody waits for it: whether a message is sent must not show in how soon the page comes.
  factor.begin(account, asked.id, locale).catch(() => {
    recordFor(tools, asked, 'mail.failed', 'code');
  });
}

export async function answerFactor(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const answer = (form.get('answer') ?? '').trim().slice(0, longestAnswer);
  const loaded = await ownAttempt(ctx, tools);
  const { attempt } = loaded;
  const where = standing(attempt, tools.clock());
  const factor =
    where.at === 'factor'
      ? firstWays(attempt, tools).find(({ name }) => name === where.factor)
      : undefined;
  if (!factor || attempt.phase !== 'identified') {
    toDispatcher(ctx);
    return;
  }
  const account = await prove(ctx, tools, { attempt, factor, answer });
  if (!account) {
    recordFor(tools, attempt, 'factor.refused', factor.name);
    await showFactor(ctx, tools, attempt, factor.name, 'wrong');
    return;
  }
  const { environment } = tools.settings;
  const event = {
    type: 'leg_proven',
    leg: factor.name,
    accountId: account.id,
    environment,
  } as const;
  const { attempt: shown, refused, stored } = await propose(tools, attempt, event, loaded);
  if (!refused) {
    recordFor(tools, shown, 'factor.proven', factor.name);
    // Where the policy wanted something first, it may be content to go on with a selfie.
    const wasFirst = attempt.decision?.action === 'fallback' && shown.phase === 'identified';
    const next =
      wasFirst && stored ? await decideOn(ctx, tools, { attempt: shown, stored }, form) : undefined;
    if (!isForSelfie(next?.attempt)) await goOn(ctx, tools, shown, account);
  }
  toDispatcher(ctx);
}

const isForSelfie = (attempt: Attempt | undefined): boolean =>
  attempt?.phase === 'identified' &&
  attempt.decision !== undefined &&
  attempt.decision.action !== 'fallback';

/** A try counts before it is looked at. @returns the account when the answer was right. */
async function prove(
  ctx: RouterContext,
  tools: LoginTools,
  { attempt, factor, answer }: { attempt: Identified; factor: Factor; answer: string },
): Promise<Account | undefined> {
  const { deviceClass } = thisAsker(ctx, tools, attempt);
  const person = personOf(attempt.identity, tools);
  if (!(await tools.limits.tryFactor({ person, deviceClass }))) return undefined;
  // A name without an account is looked up as well, under an id that nobody has.
  const isRight = await factor.verify({ attemptId: attempt.id, accountId: person }, answer);
  const account = await activeAccount(attempt.identity, tools);
  if (!isRight || !account) return undefined;
  await tools.limits.factorWasRight({ person, deviceClass });
  return account;
}

/** After the second answer the door is open; after the first, the only other way is asked for at once. */
async function goOn(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { enrolment }: Account,
): Promise<void> {
  // The person is there after all: what strangers did no longer keeps a new device out.
  if (attempt.phase === 'proven' && enrolment) await tools.turns.reopen(enrolment.id);
  const [only, ...others] = await secondWays(attempt, tools);
  if (only && others.length === 0) await ask(ctx, tools, attempt, only);
}
