/** What is kept in the store, each kind by the file that knows it. */
import type { Clock, Random } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import type { LimitSettings } from '../domain/limits.ts';
import { createAccounts } from './accounts.ts';
import { createAttempts } from './attempts.ts';
import { createBell } from './bell.ts';
import { createHistory } from './history.ts';
import { createLimits } from './limits.ts';
import { createPortraits } from './portraits.ts';
import type { Store } from './store.ts';
import { createTurns } from './turns.ts';

export type Records = ReturnType<typeof createRecords>;

export function createRecords(
  store: Store,
  { clock, random, alarm }: { clock: Clock; random: Random; alarm: RaiseAlarm },
  limits: LimitSettings,
) {
  return {
    store,
    accounts: createAccounts(store, { clock, random }),
    portraits: createPortraits(store),
    attempts: createAttempts(store, clock),
    turns: createTurns(store, clock),
    limits: createLimits(store, { clock, alarm, settings: limits }),
    bell: createBell(store),
    history: createHistory(store, clock),
  };
}
