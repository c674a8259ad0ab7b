/** All that is kept, in one place: each kind of record with what it needs of the outside world. */
import type { Attempt } from '../domain/attempt.ts';
import type { Clock, Hash, Random } from '../domain/environment.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import { explain } from '../domain/explain.ts';
import type { LimitSettings } from '../domain/limits.ts';
import type { Budget } from './budget.ts';
import { createAccounts } from './accounts.ts';
import { createApiKeys } from './api-keys.ts';
import { createAttempts } from './attempts.ts';
import { createBell } from './bell.ts';
import { createDeparted } from './departed.ts';
import { createDiditTraces } from './didit-traces.ts';
import { createExplanations } from './explanations.ts';
import { createFactorRecords } from './factors.ts';
import { createFamiliarRecords } from './familiar.ts';
import { createHandoffs } from './handoffs.ts';
import { createHeldEnrolments } from './held-enrolments.ts';
import { createHistory } from './history.ts';
import { createLimits } from './limits.ts';
import { createOperatorLinks } from './operator-links.ts';
import { createOperators } from './operators.ts';
import { watchPortraits } from './portrait-watch.ts';
import { createPortraits } from './portraits.ts';
import { createReviews } from './reviews.ts';
import type { Store } from './store.ts';
import { createTickets } from './tickets.ts';
import { createTurns } from './turns.ts';

export interface RecordTools {
  clock: Clock;
  random: Random;
  hash: Hash;
  record: Record;
  alarm: RaiseAlarm;
  limits: LimitSettings;
  /** Absent where no selfie is begun. */
  budget?: Budget;
  /** See portrait-watch.ts. */
  isUsual: () => boolean;
}

export type Records = ReturnType<typeof createRecords>;

export function createRecords(store: Store, tools: RecordTools) {
  const { clock, random, alarm, limits } = tools;
  const explanations = createExplanations(store, clock);
  const accounts = createAccounts(store, { clock, random });
  const tickets = createTickets(store, tools);
  const apiKeys = createApiKeys(store, tools);
  const operators = createOperators(store, { accounts, apiKeys, clock });

  /** Nobody waits for it, and nobody is kept out where it cannot be written. */
  function noteEnd(attempt: Attempt): void {
    const explanation = explain(attempt);
    if (explanation) explanations.add(explanation).catch(() => undefined);
  }

  return {
    store,
    accounts,
    operators,
    apiKeys,
    departed: createDeparted(store, random),
    portraits: createPortraits(store, watchPortraits(tools)),
    factorRecords: createFactorRecords(store),
    familiar: createFamiliarRecords(store),
    history: createHistory(store, clock),
    tickets,
    operatorLinks: createOperatorLinks(store, { tickets, operators, random }),
    handoffs: createHandoffs(store, tools),
    held: createHeldEnrolments(store),
    reviews: createReviews(store, { clock, random }),
    traces: createDiditTraces(store, clock),
    attempts: createAttempts(store, clock, noteEnd),
    explanations,
    turns: createTurns(store, clock),
    limits: createLimits(store, {
      ...{ clock, alarm, settings: limits },
      ...(tools.budget ? { budget: tools.budget } : {}),
    }),
    bell: createBell(store),
  };
}
