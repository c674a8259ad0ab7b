/** The typed factors of an attempt: each right code is a leg, and two different ones are a proof (assurance.ts). */
import { type LegName, legsProof, suffices } from './assurance.ts';
import type { Attempt, AttemptEvent, Transition } from './attempt.ts';

export interface Leg {
  name: LegName;
  provenAtMs: number;
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
  const { factor: _, ...identified } = attempt;
  const legs = [...(attempt.legs ?? []), { name: leg, provenAtMs: nowMs }];
  const names = legs.map(({ name }) => name);
  if (!suffices(names)) return { attempt: { ...identified, legs } };
  const proof = legsProof(accountId, names, nowMs, environment);
  return { attempt: { ...identified, phase: 'proven', legs, proof } };
}
