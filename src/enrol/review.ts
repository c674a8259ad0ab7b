/**
 * What operators do about checks that people have to look at. None of it signs anybody in, and none of it touches the
 * sign-in for which the check was made: that is over. An approval invites to another selfie, or lets an enrolment count
 * (approve.ts); a refusal takes back what a check that was put in doubt afterwards had opened.
 */
import { isEnrolling } from '../domain/attempt.ts';
import type { AuditEvent } from '../domain/event.ts';
import type { Message } from '../domain/message.ts';
import { asReference } from '../domain/reference.ts';
import type { Account } from '../store/accounts.ts';
import type { ReviewCase, Reviews } from '../store/reviews.ts';
import { type ApproveTools, approveEnrolment } from './approve.ts';
import { isAnyOf, namesOfOperator } from './operator-names.ts';

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
/** Longer than it takes to ask Didit and to keep a face. Who dies over it leaves the case to others after that. */
const closingForMs = 600_000;

/** By its id or by the reference on the person's page: of several, the latest. @throws when there is none. */
export async function findReview(
  named: string,
  { reviews }: Pick<ReviewTools, 'reviews'>,
): Promise<ReviewCase> {
  let found = await reviews.find(named);
  if (found) return found;
  const reference = asReference(named);
  for await (const one of reviews.list()) {
    if (one.reference === reference) found = one;
  }
  if (!found) throw new Error(`there is no case "${named}"`);
  return found;
}

/** Does an approval of this case make a face count? Then it is the second hand that EN-06 asks for. */
export const makesFaceCount = (found: ReviewCase): boolean =>
  isEnrolling(found) && found.authTime === undefined;

/** @throws with the reason for the operator; nothing is changed then. */
export async function approveReview(
  found: ReviewCase,
  word: Word,
  tools: ReviewTools,
): Promise<Reviewed> {
  const names = await requireWord(found, word, tools);
  const account = await tools.accounts.find(found.account);
  if (account?.status !== 'active') {
    throw new Error(`${found.account} is ${account?.status ?? 'not there'}`);
  }
  if (tools.twoPeople && found.closedBy.length === 0) {
    await second(found, word, tools);
    return { state: 'waits', mailed: false };
  }
  const isKnown = found.closedBy.some((one) => isAnyOf(names, one));
  if (tools.twoPeople && isKnown) {
    throw new Error(`${word.operator} approved it before: it takes another operator`);
  }
  const operators = isKnown ? found.closedBy : [...found.closedBy, word.operator];
  const isEnrolment = makesFaceCount(found);
  await whileClosing(found, word, tools, async (closing) => {
    if (isEnrolment && !isKept(found, account)) {
      const all = { ...tools, ...(await tools.openDidit()) };
      await approveEnrolment(account, operators, all, found.diditSessionId);
    }
    await close(closing, 'approved', operators, word, tools);
  });
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
  await requireWord(found, word, tools);
  const { account: id, authTime, diditSessionId } = found;
  const isEnrolment = makesFaceCount(found);
  // What was opened is closed first: where this breaks off, it can be said once more.
  await whileClosing(found, word, tools, async (closing) => {
    const account = await tools.accounts.find(id);
    if (isEnrolment && isKept(found, account)) {
      throw new Error(`the face of ${id} counts already: approve the case, or erase the face`);
    }
    if (authTime !== undefined) {
      await tools.withdraw({ ...found, authTime }, 'declined_by_operator');
    } else if (isEnrolment && (await tools.held.find(id))?.diditSessionId === diditSessionId) {
      await tools.held.forget(id);
    }
    await close(closing, 'declined', [word.operator], word, tools);
  });
  if (!isEnrolment) return { state: 'declined', mailed: authTime !== undefined };
  const message = { kind: 'enrolment_declined', atMs: found.openedAtMs } as const;
  return { state: 'declined', mailed: await write(await tools.accounts.find(id), message, tools) };
}

/** A process died between the face and the end of its case. */
const isKept = ({ diditSessionId }: ReviewCase, account: Account | undefined): boolean =>
  diditSessionId !== undefined && account?.enrolment?.diditSessionId === diditSessionId;

/** @returns all names of who says so. */
async function requireWord(
  { id, status, closedBy, account }: ReviewCase,
  { operator, reason }: Word,
  tools: ReviewTools,
): Promise<readonly string[]> {
  if (status !== 'open') throw new Error(`${id} was ${status} by ${closedBy.join(' and ')}`);
  if (reason.trim() === '' || reason.length > longestReason || /\p{Cc}/u.test(reason)) {
    throw new Error(`it takes a reason: one line of at most ${longestReason} characters`);
  }
  const names = await namesOfOperator(operator, tools);
  if (names.includes(account)) throw new Error(`${operator} decides nothing about themself`);
  return names;
}

/** The first of two. */
async function second(found: ReviewCase, word: Word, tools: ReviewTools): Promise<void> {
  await changeAsSeen(found, tools, (now) => ({ ...now, closedBy: [word.operator] }));
  tell(found, 'review.seconded', word.reason, [word.operator], tools);
}

/**
 * Nobody else says anything of the case while this runs, so that nothing is done that somebody was told is not. What
 * breaks off leaves it open.
 */
async function whileClosing(
  found: ReviewCase,
  { operator: by }: Word,
  tools: ReviewTools,
  work: (closing: ReviewCase) => Promise<void>,
): Promise<void> {
  const untilMs = tools.clock() + closingForMs;
  const closing = await changeAsSeen(found, tools, (now) => ({ ...now, closing: { by, untilMs } }));
  try {
    await work(closing);
  } catch (error) {
    await tools.reviews.change(found.id, (now) => (isSame(now, closing) ? notClosing(now) : now));
    throw error;
  }
}

async function close(
  closing: ReviewCase,
  status: 'approved' | 'declined',
  closedBy: readonly string[],
  { reason: closedReason }: Word,
  tools: ReviewTools,
): Promise<void> {
  const closedAtMs = tools.clock();
  const closed = await tools.reviews.change(closing.id, (now) =>
    isSame(now, closing) ? { ...notClosing(now), status, closedBy, closedReason, closedAtMs } : now,
  );
  if (!closed) throw new Error(`${closing.id} was changed meanwhile`);
  tell(closed, 'review.closed', `${status}: ${closedReason}`, closedBy, tools);
}

/** By whom it was approved so far must be what was looked at, and nobody may be about to close it. */
async function changeAsSeen(
  { id, closedBy: seen }: ReviewCase,
  { reviews, clock }: ReviewTools,
  next: (now: ReviewCase) => ReviewCase,
): Promise<ReviewCase> {
  const changed = await reviews.change(id, (now) => {
    const isFree = !now.closing || clock() >= now.closing.untilMs;
    return isFree && now.closedBy.join() === seen.join() ? next(now) : now;
  });
  if (!changed) throw new Error(`${id} was changed meanwhile`);
  return changed;
}

const isSame = ({ closing: one }: ReviewCase, { closing: other }: ReviewCase): boolean =>
  one?.by === other?.by && one?.untilMs === other?.untilMs;

const notClosing = ({ closing: _, ...found }: ReviewCase): ReviewCase => found;

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
