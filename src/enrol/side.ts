/** How people leave: what is asked for, and what is due by itself. Put together here, run by the composition root. */
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import type { SendMail } from '../domain/message.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Departed } from '../store/departed.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import type { FactorRecords } from '../store/factors.ts';
import type { Explanations } from '../store/explanations.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { HeldEnrolments } from '../store/held-enrolments.ts';
import type { History } from '../store/history.ts';
import type { Operators } from '../store/operators.ts';
import type { Portraits } from '../store/portraits.ts';
import type { Reviews } from '../store/reviews.ts';
import type { Store } from '../store/store.ts';
import type { Tickets } from '../store/tickets.ts';
import type { Turns } from '../store/turns.ts';
import { type DiditErasing, createDiditDeletions } from './didit-deletions.ts';
import { createErasure } from './erasure.ts';
import { createExportOf } from './export.ts';
import { type RetentionTools, createRetention } from './retention.ts';

export interface PeopleTools {
  store: Store;
  accounts: Accounts;
  operators: Operators;
  portraits: Portraits;
  turns: Turns;
  factors: FactorRecords;
  familiar: FamiliarRecords;
  explanations: Pick<Explanations, 'prune'>;
  history: History;
  tickets: Tickets;
  held: HeldEnrolments;
  reviews: Reviews;
  departed: Departed;
  traces: DiditTraces;
  didit: DiditErasing;
  settings: RetentionTools['settings'];
  /** Absent where nobody can be written to. */
  mail?: SendMail | undefined;
  clock: Clock;
  record: Record;
  alarm: RaiseAlarm;
  failed: (error: unknown) => void;
}

export function createPeopleSide(tools: PeopleTools) {
  const deleteDiditSessions = createDiditDeletions(tools);
  const erasure = createErasure({ ...tools, deleteDiditSessions });
  const retention = createRetention({ ...tools, erasure, deleteDiditSessions });
  return {
    erasure,
    exportOf: createExportOf({ ...tools, erasure }),
    start(): void {
      erasure.start();
      retention.start();
    },
    async stop(): Promise<void> {
      await Promise.all([erasure.stop(), retention.stop()]);
    },
  };
}
