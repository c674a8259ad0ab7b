/**
 * Another way in: one of the factors that there are, instead of a selfie. What a stranger sees does not tell
 * whether the name has an account, nor whether a message was sent or held back.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt, Identity } from '../domain/attempt.ts';
import { standing } from '../domain/standing.ts';
import { factorProof } from '../domain/assurance.ts';
import { Problem } from '../domain/problem.ts';
import type { Factor } from '../fallback/factor.ts';
import { normaliseIdentifier } from '../store/account-names.ts';
import { type Account } from '../store/accounts.ts';
import { thisAsker } from './asker.ts';
import { beginAgain } from './leave.ts';
import { type LoginTools, ownAttempt, pathOf, propose, recordFor, toDispatcher } from './room.ts';

const longestAnswer = 64;

export function showFactor(
  ctx: RouterContext,
  { show }: LoginTools,
  attempt: Attempt,
  factor: string,
  error?: 'wrong',
): void {
  const { interactionUid, client, request, reference } = attempt;
  const page = {
    page: 'factor',
    client,
    factor,
    ...(error ? { error } : {}),
    actions: {
      answer: pathOf(interactionUid, 'answer'),
      otherWay: pathOf(interactionUid, 'other-way'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, error ? 400 : 200, page, { uiLocales: request.uiLocales, reference });
}

export async function chooseFactor(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const factor = factorNamed(form.get('factor'), tools);
  const { attempt } = await beginAgain(ctx, tools, 'identity');
  const event = { type: 'factor_chosen', factor: factor.name } as const;
  const { attempt: asked, refused } = await propose(tools, attempt, event);
  if (!refused && asked.phase === 'identified') {
    recordFor(tools, asked, 'factor.asked', factor.name);
    const { network } = thisAsker(ctx, tools, asked);
    const mayAsk = await tools.limits.sendMessage({
      person: personOf(asked.identity, tools),
      network,
    });
    const account = await activeAccount(asked.identity, tools);
    if (mayAsk && account) await factor.begin(account);
  }
  toDispatcher(ctx);
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
  if (where.at !== 'factor' || attempt.phase !== 'identified') {
    toDispatcher(ctx);
    return;
  }
  const factor = factorNamed(where.factor, tools);
  const account = await prove(ctx, tools, { attempt, factor, answer });
  if (!account) {
    recordFor(tools, attempt, 'factor.refused', factor.name);
    showFactor(ctx, tools, attempt, factor.name, 'wrong');
    return;
  }
  const { amr } = factor;
  const proof = factorProof(account.id, amr, tools.clock(), tools.settings.environment);
  const { refused } = await propose(tools, attempt, { type: 'proven', proof }, loaded);
  if (!refused) {
    recordFor(tools, attempt, 'factor.proven', factor.name);
    // The person is there after all: what strangers did no longer keeps a new device out.
    if (account.enrolment) await tools.turns.reopen(account.enrolment.id);
  }
  toDispatcher(ctx);
}

/** A try counts before it is looked at. @returns the account when the answer was right. */
async function prove(
  ctx: RouterContext,
  tools: LoginTools,
  {
    attempt,
    factor,
    answer,
  }: {
    attempt: Extract<Attempt, { phase: 'identified' }>;
    factor: Factor;
    answer: string;
  },
): Promise<Account | undefined> {
  const { deviceClass } = thisAsker(ctx, tools, attempt);
  const mayTry = await tools.limits.tryFactor({
    person: personOf(attempt.identity, tools),
    deviceClass,
  });
  const account = await activeAccount(attempt.identity, tools);
  if (!mayTry || !account) return undefined;
  return (await factor.verify(account, answer)) ? account : undefined;
}

function factorNamed(name: string | undefined, { factors }: LoginTools): Factor {
  const factor = factors.find((one) => one.name === name);
  if (!factor) throw new Problem('malformed', 'there is no such factor');
  return factor;
}

/** Whose limits count: an account's under all its names, and those of a name that has none. */
function personOf({ accountId, identifier }: Identity, { decoy }: LoginTools): string {
  return accountId ?? decoy.nameFor(`person ${normaliseIdentifier(identifier)}`);
}

async function activeAccount(
  { accountId }: Identity,
  { accounts }: LoginTools,
): Promise<Account | undefined> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  return account?.status === 'active' ? account : undefined;
}
