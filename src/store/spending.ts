/** What a sign-in costs: charged before its selfie begins, counted once it has begun, and what it came to. */
import type { Attempt, Capture } from '../domain/attempt.ts';
import { isActive } from '../domain/assurance.ts';
import type { Check, Outcome } from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import { isEnrolling } from '../domain/joining.ts';
import type { Budget, Charge, FullCap } from './budget.ts';
import { type Meter, type Metered, hourOf } from './meter.ts';

/** What of a capture tells its price. */
type Costly = Pick<Capture, 'handoff'> & {
  expectation: Pick<Capture['expectation'], 'reference' | 'livenessMethods' | 'startedAtMs'>;
};

export interface Spending {
  chargeFor(attempt: Attempt): Charge;
  /** No session came of it. Never rejects: what cannot be given back now is given back later. */
  giveBack(charge: Charge): Promise<void>;
  /** A cap stood in the way: the operators are told, once. */
  reached(full: FullCap, clientId: string): void;
  /** What a selfie is counted as. */
  costOf(attempt: Attempt, capture: Costly): Metered;
  began(cost: Metered): void;
  ended(cost: Metered, outcome: Outcome): void;
  /** The policy was content without a selfie. */
  spared(attempt: Attempt): void;
}

export function createSpending(tools: {
  budget: Pick<Budget, 'unitsFor' | 'giveBack'>;
  meter: Pick<Meter, 'began' | 'ended' | 'spared' | 'putBack'>;
  reached: Spending['reached'];
  clock: Clock;
  failed: (error: unknown) => void;
}): Spending {
  const { budget, meter, clock } = tools;

  return {
    chargeFor(attempt) {
      const check = plannedCheck(attempt);
      return { clientId: attempt.client.id, units: budget.unitsFor(check), atMs: clock() };
    },
    async giveBack(charge) {
      try {
        await budget.giveBack(charge);
      } catch (error) {
        tools.failed(error);
        // Where only the answer was lost it is given back twice: one check too many, and not each try of an outage too few
        // until the month is over.
        const { clientId: client, units, atMs } = charge;
        meter.putBack({ hour: hourOf(atMs), client, units });
      }
    },
    reached: tools.reached,
    costOf({ kind, client }, { handoff, expectation }) {
      const check = checkOf(expectation);
      return {
        ...{ client: client.id, reason: handoff ? 'handoff' : kind, check },
        ...{ startedAtMs: expectation.startedAtMs, units: budget.unitsFor(check) },
      };
    },
    began: (cost) => meter.began(cost),
    ended: (cost, outcome) => meter.ended(cost, outcome),
    spared: ({ client, kind }) => meter.spared({ client: client.id, reason: kind }),
  };
}

function plannedCheck(attempt: Attempt): Check {
  if (isEnrolling(attempt)) return 'document';
  const { decision } = 'decision' in attempt ? attempt : {};
  return decision?.action === 'selfie_active' ? 'active' : 'passive';
}

function checkOf({ reference, livenessMethods }: Costly['expectation']): Check {
  if (reference === 'document') return 'document';
  return isActive(livenessMethods) ? 'active' : 'passive';
}
