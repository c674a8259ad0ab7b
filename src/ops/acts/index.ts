/** The table. Whoever adds acts adds their list here. */
import { accountActs } from './accounts.ts';
import type { Act } from './act.ts';
import { apiKeyActs } from './api-keys.ts';
import { auditActs } from './audit.ts';
import { clientActs } from './clients.ts';
import { keyActs } from './keys.ts';
import { leavingActs } from './leaving.ts';
import { policyActs } from './policies.ts';
import { operatorActs } from './operators.ts';
import { reviewActs } from './reviews.ts';
import { sessionActs } from './sessions.ts';
import { spendingActs } from './spending.ts';

const ofRooms: readonly Act[] = [
  ...[...accountActs, ...sessionActs, ...leavingActs, ...reviewActs],
  ...[...clientActs, ...policyActs, ...operatorActs, ...auditActs, ...spendingActs],
  ...keyActs,
];

export const acts: readonly Act[] = [...ofRooms, ...apiKeyActs(ofRooms)];

/** What keys can be given. */
export const scopes: readonly string[] = [...new Set(acts.map(({ scope }) => scope))].sort();

/** @throws when the table has none of that id. */
export function actNamed(id: string): Act {
  const found = acts.find((one) => one.id === id);
  if (!found) throw new Error(`there is no act "${id}"`);
  return found;
}
