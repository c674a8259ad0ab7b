/**
 * The factors of an attempt, instead of a selfie: a passkey is a proof by itself; of typed codes each right one is a leg,
 * and two different ones are a proof (assurance.ts).
 */
import { type LegName, type Proof, legsProof, suffices } from './assurance.ts';
import type { Attempt, AttemptEvent, Transition } from './attempt.ts';
import type { FactorName } from './message.ts';

export interface Leg {
  name: LegName;
  provenAtMs: number;
}

/** A leg that was shown is not asked for again: it would be no second one. */
export function choose(attempt: Attempt, factor: FactorName): Transition {
  if (attempt.phase !== 'identified') return { attempt, refused: 'out_of_order' };
  if (attempt.legs?.some(({ name }) => name === factor)) return { attempt, refused: 'spent' };
  // Whoever goes another way has no use for a phone.
  const { handoff: _, ...others } = attempt;
  return { attempt: { ...others, factor } };
}

/** Only for the factor that was asked for, and only for the person who was asked. */
export function takeProof(attempt: Attempt, proof: Proof): Transition {
  if (attempt.phase !== 'identified' || attempt.factor === undefined) {
    return { attempt, refused: 'out_of_order' };
  }
  const { factor: _, legs: __, ...identified } = attempt;
  if (proof.accountId !== attempt.identity.accountId) return { attempt, refused: 'other_account' };
  return { attempt: { ...identified, phase: 'proven', proof } };
}

/** Only the one that was asked for, and only of the person who was asked. They were proven when the last one was. */
export function takeLeg(
  attempt: Attempt,
  { leg, accountId, environment }: Extract<AttemptEvent, { type: 'leg_proven' }>,
  nowMs: number,
): Transition {
  if (attempt.phase !== 'identified' || attempt.factor !== leg) {
    return { attempt, refused: 'out_of_order' };
  }
  if (accountId !== attempt.identity.accountId) return { attempt, refused: 'other_account' };
  // Who has shown something new is looked at anew.
  const { factor: _, decision: __, ...identified } = attempt;
  const legs = [...(attempt.legs ?? []), { name: leg, provenAtMs: nowMs }];
  const names = legs.map(({ name }) => name);
  if (!suffices(names)) return { attempt: { ...identified, legs } };
  const proof = legsProof(accountId, names, nowMs, environment);
  return { attempt: { ...identified, phase: 'proven', legs, proof } };
}
