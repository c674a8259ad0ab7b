/** Somebody new, until their face is taken: an address that is shown to be theirs, or a word that lets them in. */
import type { Attempt, AttemptEvent, Transition } from './attempt.ts';

export type JoiningEvent = Extract<
  AttemptEvent,
  { type: 'address_given' | 'address_confirmed' | 'admitted' | 'face_refused' }
>;

/** Is a face enrolled by this attempt, rather than recognised? */
export function isEnrolling({ kind }: Pick<Attempt, 'kind'>): boolean {
  return kind === 'enrol' || kind === 're_enrol' || kind === 'recovery';
}

export function join(attempt: Attempt, event: JoiningEvent): Transition {
  const outOfOrder = { attempt, refused: 'out_of_order' } as const;
  switch (event.type) {
    case 'address_given': {
      const isJoining = attempt.phase === 'new' || attempt.phase === 'joining';
      if (attempt.kind !== 'enrol' || !isJoining) return outOfOrder;
      return { attempt: { ...attempt, phase: 'joining', address: event.address } };
    }
    case 'address_confirmed': {
      if (attempt.phase !== 'joining') return outOfOrder;
      const { address, ...joining } = attempt;
      // The one that was asked about last, and no other.
      if (event.identity.identifier !== address) return { attempt, refused: 'other_account' };
      return { attempt: { ...joining, phase: 'identified', identity: event.identity } };
    }
    case 'admitted':
      if (attempt.phase !== 'new' || !isEnrolling(attempt)) return outOfOrder;
      return { attempt: { ...attempt, phase: 'identified', identity: event.identity } };
    case 'face_refused':
      if (attempt.phase !== 'identified' || attempt.kind !== 'enrol') return outOfOrder;
      return { attempt: { ...attempt, withoutFace: true } };
  }
}
