/** What the acts work with. Whoever adds acts adds here what they need; src/app-operations.ts hands it over. */
import type { Clock, Random } from '../../domain/environment.ts';
import type { Record } from '../../domain/event.ts';
import type { SendMail } from '../../domain/message.ts';
import type { Policy } from '../../domain/policy.ts';
import type { ErasureRequests } from '../../enrol/erasure-requests.ts';
import type { ReviewTools } from '../../enrol/review.ts';
import type { ClientRegistry } from '../../oidc/client-registry.ts';
import type { SignIns } from '../../oidc/sign-ins.ts';
import type { Accounts } from '../../store/accounts.ts';
import type { ApiKeys } from '../../store/api-keys.ts';
import type { Audit } from '../../store/audit.ts';
import type { Explanations } from '../../store/explanations.ts';
import type { FactorRecords } from '../../store/factors.ts';
import type { FamiliarRecords } from '../../store/familiar.ts';
import type { History } from '../../store/history.ts';
import type { Limits } from '../../store/limits.ts';
import type { OperatorLinks } from '../../store/operator-links.ts';
import type { Operators } from '../../store/operators.ts';
import type { Reviews } from '../../store/reviews.ts';
import type { Tally } from '../../store/tally.ts';
import type { Tickets } from '../../store/tickets.ts';
import type { Budget } from '../../store/budget.ts';
import type { OutageMode } from '../../store/outage-mode.ts';
import type { Store } from '../../store/store.ts';
import type { DiditOperations } from '../../didit/health.ts';
import type { SpendingReports } from '../spending.ts';
import type { Keys } from '../keys/rotate.ts';

export interface ActTools {
  issuer: string;
  environment: 'live' | 'sandbox';
  clock: Clock;
  random: Random;
  record: Record;
  /** Resolves once what was recorded is written down; rejects when the store does not take it now, and tries again. */
  flushAudit: () => Promise<void>;
  audit: Pick<Audit, 'page' | 'check' | 'verify'>;
  tally: Pick<Tally, 'read'>;
  store: Store;
  spending: {
    budget: Budget;
    reports: SpendingReports;
    outage: OutageMode;
    state: () => { operations: DiditOperations };
  };
  accounts: Accounts;
  tickets: Tickets;
  limits: Pick<Limits, 'invite'>;
  reviews: Reviews;
  clients: ClientRegistry;
  apiKeys: ApiKeys;
  history: History;
  familiar: FamiliarRecords;
  factorRecords: FactorRecords;
  signIns: SignIns;
  erasure: Pick<ErasureRequests, 'plan' | 'planned' | 'cancel' | 'report'>;
  erasureDelaySeconds: number;
  recoveryHoldSeconds: number;
  policies: { list: readonly Policy[]; shadow: Policy | undefined };
  explanations: Pick<Explanations, 'of'>;
  /** Absent where nobody can be written to. */
  mail: SendMail | undefined;
  /** May anybody be invited? */
  canInvite: boolean;
  operators: Operators;
  operatorLinks: OperatorLinks;
  /** Absent where there is no console. */
  consoleOrigin: string | undefined;
  /** Can somebody be enrolled whom an operator names? */
  canEnrol: boolean;
  /** For closing cases. */
  reviewTools: ReviewTools;
  /** Absent where no file says what the keys are. */
  keys: Keys | undefined;
  /** Where a check is looked at; `{session}` stands for its id. */
  consoleUrl: string;
}
