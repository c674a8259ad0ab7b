/**
 * What a ring of the bell leads to, whoever rang: the decision is read from Didit's API, judged, and saved.
 * Nothing that a webhook says of the outcome is used.
 */
import { type Attempt, type AttemptEvent, type Capture, isEnrolling } from '../domain/attempt.ts';
import { isOver, standing } from '../domain/standing.ts';
import type { Record } from '../domain/event.ts';
import { type Locality, type Place, compareLocality } from '../domain/locality.ts';
import type { Policy } from '../domain/policy.ts';
import { boundByPolicy } from '../domain/seen.ts';
import type { TurnEnd } from '../domain/turn.ts';
import type { Verdict, VerdictOutcome } from '../domain/decision.ts';
import { AttemptGone, type Attempts, type LoadedAttempt } from '../store/attempts.ts';
import type { Bell } from '../store/bell.ts';
import type { Limits } from '../store/limits.ts';
import type { Turns } from '../store/turns.ts';
import { type AfterwardsTools, createAfterwards } from './afterwards.ts';
import { type LookTools, type Looked, type Ring, createLook } from './look.ts';
import type { DiditSessionOf, DiditSessions } from './sessions.ts';
import { type PeopleTools, createPutBeforePeople } from './open-review.ts';
import { signInOf } from './withdraw.ts';

export interface SettleTools extends LookTools, AfterwardsTools, PeopleTools {
  attempts: Attempts;
  turns: Turns;
  limits: Pick<Limits, 'declined'>;
  bell: Bell;
  policies: { forClient(clientId: string): Policy };
  sessions: Pick<DiditSessions, 'keep'>;
  placeOf(address: string, described: { browser: string; system: string }): Place;
  record: Record;
}

/** `quarantined`: the ring was about something else than what was asked for, and was not acted upon. */
export type Settled = VerdictOutcome | 'over' | 'quarantined';
export type Settle = (of: DiditSessionOf, ring?: Ring) => Promise<Settled>;

export function createSettle(tools: SettleTools): Settle {
  const { attempts, bell, turns, limits, record, clock } = tools;
  const look = createLook(tools);
  const afterwards = createAfterwards(tools);
  const putBeforePeople = createPutBeforePeople(tools);

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
    return take(loaded, attempt.capture, event);
  }

  async function take(
    loaded: LoadedAttempt,
    { enrolmentId, device, place }: Capture,
    event: Extract<AttemptEvent, { type: 'judged' | 'superseded' }>,
  ): Promise<Settled> {
    const { interactionUid, id } = loaded.attempt;
    const proposed = await attempts.propose({ interactionUid, id }, event, loaded);
    const { attempt, refused, changed } = proposed;
    const hasExpired = changed && attempt.phase === 'expired';
    if (hasExpired) record({ event: 'login.expired', ...aboutAttempt(attempt) });
    if (refused && !hasExpired) return cameTooLate(attempt, event);
    await Promise.all([
      bell.ring(interactionUid),
      keepSignIn(attempt, tools.sessions),
      // Didit is done with this session, or we are: the next capture may begin.
      turns.end(enrolmentId, { attemptId: id, ...device }, turnEndOf(attempt, event)),
    ]);
    if (refused || event.type !== 'judged') return 'over';
    // Who rings again does no harm, but there is one verdict to tell of.
    if (changed) {
      recordVerdict(attempt, event.verdict.reason, event.locality);
      if (event.verdict.outcome === 'in_review') await putBeforePeople(attempt, event.locality);
      const asker = { device: device.id, deviceClass: device.deviceClass, network: place.network };
      if (event.verdict.outcome === 'declined') await limits.declined(asker);
    }
    return event.verdict.outcome;
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

  function aboutAttempt(attempt: Attempt) {
    const { id, reference, client } = attempt;
    const account = 'identity' in attempt ? attempt.identity.accountId : undefined;
    return { atMs: clock(), attempt: id, reference, account, client: client.id };
  }

  function recordVerdict(attempt: Attempt, reason: string, locality: string): void {
    const about = aboutAttempt(attempt);
    record({ event: 'verdict.received', ...about, reason: `${reason}, place ${locality}` });
    if (attempt.phase === 'denied') {
      record({ event: 'login.denied', ...about, reason: attempt.reason });
    }
  }

  return async function settle({ interactionUid, attemptId, signIn }, ring) {
    const loaded = await attempts.load(interactionUid);
    if (!loaded) return signIn ? afterwards.ofForgotten(signIn, ring) : 'over';
    const { attempt } = loaded;
    if (attempt.id !== attemptId) return 'over';
    if (isOver(attempt)) {
      const opened = attempt.phase === 'consumed' ? signInOf(attempt) : undefined;
      return opened ? afterwards.of(opened, ring) : 'over';
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
  const policy = policies.forClient(attempt.client.id);
  const handoff = ('capture' in attempt && attempt.capture.handoff?.relation) || 'none';
  return boundByPolicy(verdict, { policy, decision, locality, handoff });
}

/** Also when the same verdict comes again: whoever brought it first may have died over this. */
async function keepSignIn(attempt: Attempt, sessions: SettleTools['sessions']): Promise<void> {
  const signIn = attempt.phase === 'captured' ? signInOf(attempt) : undefined;
  if (!signIn) return;
  const { interactionUid, id: attemptId } = attempt;
  await sessions.keep({ interactionUid, attemptId, signIn });
}

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
