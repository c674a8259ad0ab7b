/**
 * What a ring of the bell leads to, whoever rang: the decision is read from Didit's API, judged, and saved.
 * Nothing that a webhook says of the outcome is used, but for the bill of what is over (count-end.ts).
 */
import { type Attempt, type AttemptEvent, type Capture, isEnrolling } from '../domain/attempt.ts';
import { isOver, standing } from '../domain/standing.ts';
import { type Locality, type Place, compareLocality } from '../domain/locality.ts';
import type { Policy } from '../domain/policy.ts';
import { boundByPolicy } from '../domain/seen.ts';
import { toldOf } from '../domain/told.ts';
import type { TurnEnd } from '../domain/turn.ts';
import { outcomeOf } from '../domain/budget.ts';
import type { Verdict, VerdictOutcome } from '../domain/decision.ts';
import { AttemptGone, type Attempts, type LoadedAttempt } from '../store/attempts.ts';
import type { Bell } from '../store/bell.ts';
import type { Turns } from '../store/turns.ts';
import { type AfterwardsTools, createAfterwards } from './afterwards.ts';
import { type CountTools, createCountEnd } from './count-end.ts';
import { type FollowUpTools, createFollowUp } from './follow-up.ts';
import { type LookTools, type Looked, type Ring, createLook } from './look.ts';
import type { DiditSessionOf } from './sessions.ts';
import { type SelfieSignIn, signInOf } from './withdraw.ts';

export interface SettleTools extends LookTools, AfterwardsTools, FollowUpTools, CountTools {
  attempts: Attempts;
  turns: Turns;
  bell: Bell;
  policies: { forClient(client: Attempt['client']): Policy };
  placeOf(address: string, described: { browser: string; system: string }): Place;
}

/** `quarantined`: the ring was about something else than what was asked for, and was not acted upon. */
export type Settled = VerdictOutcome | 'over' | 'quarantined';
export type Settle = (of: DiditSessionOf, ring?: Ring) => Promise<Settled>;

export function createSettle(tools: SettleTools): Settle {
  const { attempts, bell, turns, record, clock } = tools;
  const look = createLook(tools);
  const afterwards = createAfterwards(tools);
  const followUp = createFollowUp(tools);
  const countEnd = createCountEnd(tools);

  async function save(loaded: LoadedAttempt, ring: Ring | undefined): Promise<Settled> {
    const { attempt } = loaded;
    if (attempt.phase !== 'captured') return 'over';
    // Its time is over: nothing is read any more. Any event says so; this one would end it in any case.
    if (standing(attempt, clock()).at === 'expired') {
      return take(loaded, attempt.capture, { type: 'superseded' });
    }
    const { diditSessionId, place } = attempt.capture;
    const looked = await look(attempt, ring);
    if (looked === 'quarantined') return looked;
    const { seen } = looked;
    if (looked.verdict.outcome === 'pending') return 'pending';

    const locality = compareLocality(
      place,
      seen.map(({ address, ...described }) => tools.placeOf(address, described)),
    );
    const verdict = policed(tools, attempt, looked, locality);
    const event = { type: 'judged', diditSessionId, verdict, locality } as const;
    return take(loaded, attempt.capture, event, looked.decision?.status);
  }

  async function take(
    loaded: LoadedAttempt,
    capture: Capture,
    event: Extract<AttemptEvent, { type: 'judged' | 'superseded' }>,
    status?: string,
  ): Promise<Settled> {
    const { interactionUid, id } = loaded.attempt;
    const { enrolmentId, device, diditSessionId } = capture;
    const proposed = await attempts.propose({ interactionUid, id }, event, loaded);
    const { attempt, refused, changed } = proposed;
    const judged = event.type === 'judged' ? event : undefined;
    // Didit charges for what it made of it, also where the attempt was ended meanwhile.
    const count = (): Promise<void> =>
      countEnd(
        diditSessionId,
        judged && outcomeOf(status, judged.verdict.outcome),
        opened(attempt),
      );
    const hasExpired = changed && attempt.phase === 'expired';
    if (hasExpired) record(toldOf(attempt, 'login.expired', clock()));
    if (refused && !hasExpired) {
      await count();
      return cameTooLate(attempt, event);
    }
    await Promise.all([
      // Who rings again does no harm, but there is one verdict to tell of: whatever fails beside it, it is told.
      judged && changed && !refused ? followUp.of(attempt, capture, judged) : undefined,
      bell.ring(interactionUid),
      count(),
      // Didit is done with this session, or we are: the next capture may begin.
      turns.end(enrolmentId, { attemptId: id, ...device }, turnEndOf(attempt, event)),
    ]);
    return judged && !refused ? judged.verdict.outcome : 'over';
  }

  /** The door was opened while the decision was read: if that let nobody in, it has to take it back. */
  async function cameTooLate(
    attempt: Attempt,
    event: Extract<AttemptEvent, { type: 'judged' | 'superseded' }>,
  ): Promise<Settled> {
    const signIn = attempt.phase === 'consumed' ? signInOf(attempt) : undefined;
    if (!signIn || event.type !== 'judged' || event.verdict.outcome === 'approved') return 'over';
    return afterwards.of(signIn, undefined);
  }

  return async function settle({ interactionUid, attemptId, signIn }, ring) {
    const loaded = await attempts.load(interactionUid);
    if (!loaded) return signIn ? afterwards.ofForgotten(signIn, ring) : 'over';
    const { attempt } = loaded;
    if (attempt.id !== attemptId) return 'over';
    if (isOver(attempt)) {
      await followUp.makeUp(attempt);
      const used = attempt.phase === 'consumed' ? signInOf(attempt) : undefined;
      return used ? afterwards.of(used, ring) : 'over';
    }
    try {
      return await save(loaded, ring);
    } catch (error) {
      if (error instanceof AttemptGone) return 'over';
      throw error;
    }
  };
}

/** An enrolment has rules of its own, see domain/enrolment.ts. */
function policed(
  { policies }: Pick<SettleTools, 'policies'>,
  attempt: Attempt,
  { verdict, decision }: Looked,
  locality: Locality,
): Verdict {
  if (!decision || isEnrolling(attempt)) return verdict;
  const policy = policies.forClient(attempt.client);
  const handoff = ('capture' in attempt && attempt.capture.handoff?.relation) || 'none';
  return boundByPolicy(verdict, { policy, decision, locality, handoff });
}

/** Also when the same verdict comes again: whoever brought it first may have died before it was kept. */
const opened = (attempt: Attempt): SelfieSignIn | undefined =>
  attempt.phase === 'captured' ? signInOf(attempt) : undefined;

/** What the end of this capture says of whoever asked for it. */
function turnEndOf(
  attempt: Attempt,
  event: Extract<AttemptEvent, { type: 'judged' | 'superseded' }>,
): TurnEnd {
  const without = 'returnedAtMs' in attempt ? 'left' : 'unanswered';
  if (event.type !== 'judged') return without;
  if (event.verdict.outcome === 'declined') return 'declined';
  // A good selfie of the right person, in another place than the one that asked.
  if (event.verdict.outcome === 'approved' && event.locality === 'differs') return 'foreign';
  return event.verdict.outcome === 'approved' ? 'answered' : without;
}
