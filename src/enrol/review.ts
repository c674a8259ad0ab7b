/**
 * What operators do about checks that people have to look at. None of it signs anybody in, and none of it touches the
 * sign-in for which the check was made: that is over. An approval invites to another selfie, or lets an enrolment count
 * (approve.ts); a refusal takes back what a check that was put in doubt afterwards had opened.
 */
import { isEnrolling } from '../domain/attempt.ts';
import type { AuditEvent } from '../domain/event.ts';
import type { Message } from '../domain/message.ts';
import type { Account } from '../store/accounts.ts';
import type { ReviewCase, Reviews } from '../store/reviews.ts';
import { type ApproveTools, approveEnrolment } from './approve.ts';
import { isSameOperator } from './recovery.ts';

export interface ReviewTools extends Omit<ApproveTools, 'didit' | 'settings'> {
  reviews: Reviews;
  /** Only for enrolments, since only they are read once more. */
  openDidit: () => Promise<Pick<ApproveTools, 'didit' | 'settings'>>;
  withdraw: (found: ReviewCase & { authTime: number }, reason: string) => Promise<unknown>;
}

export interface Word {
  operator: string;
  /** It goes into the log, and to the person when they ask what is known about them. */
  reason: string;
}

/** `waits`: for a second operator. `mailed`: the person was written to. */
export interface Reviewed {
  state: 'waits' | 'approved' | 'declined';
  mailed: boolean;
}

const longestReason = 300;

/** By its id or by the reference on the person's page: of several, the latest. @throws when there is none. */
export async function findReview(
  named: string,
  { reviews }: Pick<ReviewTools, 'reviews'>,
): Promise<ReviewCase> {
  let found = await reviews.find(named);
  if (found) return found;
  const reference = named.toUpperCase();
  for await (const one of reviews.list()) {
    if (one.reference === reference) found = one;
  }
  if (!found) throw new Error(`there is no case "${named}"`);
  return found;
}

/** @throws with the reason for the operator; nothing is changed then. */
export async function approveReview(
  found: ReviewCase,
  word: Word,
  tools: ReviewTools,
): Promise<Reviewed> {
  requireWord(found, word);
  const account = await tools.accounts.find(found.account);
  if (account?.status !== 'active') {
    throw new Error(`${found.account} is ${account?.status ?? 'not there'}`);
  }
  if (tools.twoPeople && found.closedBy.length === 0) {
    await second(found, word, tools);
    return { state: 'waits', mailed: false };
  }
  if (tools.twoPeople && isAmong(word.operator, found)) {
    throw new Error(`${word.operator} approved it before: it takes another operator`);
  }
  const operators = isAmong(word.operator, found)
    ? found.closedBy
    : [...found.closedBy, word.operator];
  const isEnrolment = isEnrolling(found) && found.authTime === undefined;
  if (isEnrolment) {
    const all = { ...tools, ...(await tools.openDidit()) };
    await approveEnrolment(account, operators, all, found.diditSessionId);
  }
  await close(found, 'approved', operators, word, tools);
  // Of an enrolment the person hears by itself; and a sign-in that stands needs no other.
  if (isEnrolment || found.authTime !== undefined)
    return { state: 'approved', mailed: isEnrolment };
  const { client, openedAtMs: atMs } = found;
  const message: Message = { kind: 'review_approved', client: client.name, atMs };
  return { state: 'approved', mailed: await write(account, message, tools) };
}

/**
 * Of a sign-in that was never opened nobody is told: nobody got in, and the person may have signed in long since.
 * Whoever waits for their face to be enrolled is told, and whose sign-in ends by it.
 */
export async function declineReview(
  found: ReviewCase,
  word: Word,
  tools: ReviewTools,
): Promise<Reviewed> {
  requireWord(found, word);
  await close(found, 'declined', [word.operator], word, tools);
  const { account: id, authTime, diditSessionId } = found;
  if (authTime !== undefined) {
    await tools.withdraw({ ...found, authTime }, 'declined_by_operator');
    return { state: 'declined', mailed: true };
  }
  if (!isEnrolling(found)) return { state: 'declined', mailed: false };
  if ((await tools.held.find(id))?.diditSessionId === diditSessionId) await tools.held.forget(id);
  const account = await tools.accounts.find(id);
  const message = { kind: 'enrolment_declined', atMs: found.openedAtMs } as const;
  return { state: 'declined', mailed: await write(account, message, tools) };
}

function requireWord({ id, status, closedBy }: ReviewCase, { reason }: Word): void {
  if (status !== 'open') throw new Error(`${id} was ${status} by ${closedBy.join(' and ')}`);
  if (reason.trim() === '' || reason.length > longestReason || /\p{Cc}/u.test(reason)) {
    throw new Error(`it takes a reason: one line of at most ${longestReason} characters`);
  }
}

const isAmong = (operator: string, { closedBy }: ReviewCase): boolean =>
  closedBy.some((one) => isSameOperator(one, operator));

/** The first of two. */
async function second(found: ReviewCase, word: Word, tools: ReviewTools): Promise<void> {
  const changed = await tools.reviews.change(found.id, (now) =>
    now.closedBy.length === 0 ? { ...now, closedBy: [word.operator] } : now,
  );
  if (!changed) throw new Error(`${found.id} was changed meanwhile`);
  tell(found, 'review.seconded', word.reason, [word.operator], tools);
}

async function close(
  { id, closedBy: before }: ReviewCase,
  status: 'approved' | 'declined',
  closedBy: readonly string[],
  { reason: closedReason }: Word,
  tools: ReviewTools,
): Promise<void> {
  const closedAtMs = tools.clock();
  // By whom it was approved so far must be what was looked at.
  const closed = await tools.reviews.change(id, (now) =>
    now.closedBy.length === before.length
      ? { ...now, status, closedBy, closedReason, closedAtMs }
      : now,
  );
  if (!closed) throw new Error(`${id} was changed meanwhile`);
  tell(closed, 'review.closed', `${status}: ${closedReason}`, closedBy, tools);
}

function tell(
  { attempt, reference, account, client }: ReviewCase,
  event: AuditEvent['event'],
  reason: string,
  operators: readonly string[],
  { record, clock }: ReviewTools,
): void {
  const about = { attempt, reference, account, client: client.id };
  record({ event, atMs: clock(), ...about, reason, operators });
}

/** @returns whether there is an address to write to. */
async function write(
  account: Account | undefined,
  message: Message,
  { mail }: ReviewTools,
): Promise<boolean> {
  if (!mail || account?.email === undefined || !account.emailVerified) return false;
  await mail({ address: account.email, locale: account.locale, account: account.id }, message);
  return true;
}
