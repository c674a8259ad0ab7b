/** Which ways in besides a selfie there are, at first and after the first right answer, and whose limits count. */
import type { Attempt, Identity } from '../domain/attempt.ts';
import { acr, acrName } from '../domain/assurance.ts';
import { classOf, mayEndWith } from '../domain/deciding.ts';
import type { Factor } from '../fallback/factor.ts';
import { normaliseIdentifier } from '../store/account-names.ts';
import type { Account } from '../store/accounts.ts';
import type { LoginTools } from './room.ts';

type Tools = Pick<LoginTools, 'settings' | 'accounts' | 'decoy' | 'factors'>;

/**
 * May the request end with this class? Where the app says that one is essential, nothing is offered that proves
 * something else: an outage of the selfie changes nothing, and no selfie is taken that could not help.
 */
export function permits(
  { request }: Attempt,
  name: string,
  { settings }: Pick<LoginTools, 'settings'>,
): boolean {
  return mayEndWith(request, acrName(name, settings.environment));
}

/** May it end with a selfie of some kind? Whether this browser has a key is not known before it shows it. */
export function permitsSelfie(
  { request }: Attempt,
  { settings }: Pick<LoginTools, 'settings'>,
): boolean {
  const { environment, activeWorkflowId } = settings;
  const reach = { environment, hasActive: activeWorkflowId !== undefined };
  return (['selfie', 'selfie_active'] as const).some((action) =>
    [true, false].some((hasDevice) => {
      const name = classOf(action, hasDevice, reach);
      return name !== undefined && mayEndWith(request, name);
    }),
  );
}

/** The same for everybody. */
export function firstWays(attempt: Attempt, tools: Tools): readonly Factor[] {
  return permits(attempt, acr.fallback, tools) ? tools.factors : [];
}

/** What this person has besides what they have shown. */
export async function secondWays(attempt: Attempt, tools: Tools): Promise<readonly Factor[]> {
  if (attempt.phase !== 'identified') return [];
  const account = await activeAccount(attempt.identity, tools);
  if (!account) return [];
  const shown = attempt.legs?.map(({ name }) => name) ?? [];
  const others = firstWays(attempt, tools).filter(({ name }) => !shown.includes(name));
  const has = await Promise.all(others.map((factor) => factor.has(account)));
  return others.filter((_, at) => has[at]);
}

/** Whose limits count: an account's under all its names, and those of a name that has none. */
export function personOf({ accountId, identifier }: Identity, { decoy }: Tools): string {
  return accountId ?? decoy.nameFor(`person ${normaliseIdentifier(identifier)}`);
}

export async function activeAccount(
  { accountId }: Pick<Identity, 'accountId'>,
  { accounts }: Pick<Tools, 'accounts'>,
): Promise<Account | undefined> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  return account?.status === 'active' ? account : undefined;
}
