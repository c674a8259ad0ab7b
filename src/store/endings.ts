/**
 * Whose sessions have to end though nobody signed out: an account was blocked or removed, or a proof of its was taken
 * back. It is written down where the account is changed, by whichever process that is; a provider finds the sessions
 * and tells the relying parties (oidc/endings.ts).
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from './store.ts';

/** All that the account proved from the one second to the other (`auth_time`), both included. */
export interface Ending {
  accountId: string;
  fromSeconds: number;
  untilSeconds: number;
}

export const endingsIndex = 'endings:due';
/** As long as no provider runs, nobody is told; after this, there is nobody left to tell. */
export const endingsKeptSeconds = 14 * 24 * 3600;

export function askForEnding(store: Store, clock: Clock, ending: Ending): Promise<void> {
  const { accountId, fromSeconds, untilSeconds } = ending;
  const member = JSON.stringify([accountId, fromSeconds, untilSeconds]);
  return store.indexAdd(endingsIndex, member, clock(), endingsKeptSeconds);
}

export function parseEnding(member: string): Ending {
  const [accountId, fromSeconds, untilSeconds] = JSON.parse(member) as [string, number, number];
  return { accountId, fromSeconds, untilSeconds };
}
