/**
 * A sign-in by a selfie is taken back: its session, grants and tokens are void at once (store/account-proofs.ts), its
 * apps hear of it (oidc/endings.ts), and so does the person.
 */
import type { Attempt } from '../domain/attempt.ts';
import type { Clock } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import { isMadeBy, withoutKeys } from '../domain/familiar.ts';
import type { SendMail } from '../domain/message.ts';
import type { AcceptedAs } from '../domain/withdrawal.ts';
import type { Accounts } from '../store/accounts.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { History } from '../store/history.ts';

/** What is known of a sign-in for as long as something may hang on it. */
export interface SelfieSignIn extends Pick<Attempt, 'reference' | 'kind'> {
  attempt: string;
  client: Pick<Attempt['client'], 'id' | 'name'>;
  account: string;
  /** The second of the proof (`auth_time`). */
  authTime: number;
  accepted: AcceptedAs;
}

/** What an approved capture opens, or has opened; nothing for names that lead to nobody. */
export function signInOf(attempt: Attempt): SelfieSignIn | undefined {
  if (attempt.phase !== 'captured' && attempt.phase !== 'consumed') return undefined;
  const { id, reference, kind, client, identity, capture } = attempt;
  const account = identity?.accountId;
  const provenAtMs =
    attempt.phase === 'consumed' ? attempt.proof.provenAtMs : attempt.verdict?.decidedAtMs;
  if (!capture || account === undefined || provenAtMs === undefined) return undefined;
  const { diditSessionId, environment, workflowId, workflowVersion, vendorData, nonceHash } =
    capture.expectation;
  return {
    ...{ attempt: id, reference, kind, client: { id: client.id, name: client.name }, account },
    authTime: Math.floor(provenAtMs / 1000),
    accepted: { diditSessionId, environment, workflowId, workflowVersion, vendorData, nonceHash },
  };
}

export interface WithdrawTools {
  accounts: Pick<Accounts, 'find' | 'revokeProof'>;
  familiar: Pick<FamiliarRecords, 'change'>;
  history: Pick<History, 'add'>;
  /** Absent where nobody can be written to. */
  mail?: SendMail | undefined;
  record: Record;
  clock: Clock;
}

export type Withdraw = (
  signIn: Omit<SelfieSignIn, 'accepted' | 'kind'>,
  reason: string,
) => Promise<boolean>;

/** @returns a function that says whether there was still something to take back. */
export function createWithdraw(tools: WithdrawTools): Withdraw {
  const { accounts, familiar, history, mail, record, clock } = tools;
  return async function withdraw({ attempt, reference, client, account, authTime }, reason) {
    const isNews = await accounts.revokeProof(account, authTime);
    // The browser that was let in may have made one, and would keep it: also where the first try broke off here.
    await familiar.change(account, (before) =>
      withoutKeys(before, (key) => isMadeBy(key, authTime)),
    );
    if (!isNews) return false;
    const atMs = clock();
    record({
      ...{ event: 'login.withdrawn', atMs, attempt, reference, account, client: client.id, reason },
    });
    await history.add(account, {
      ...{ event: 'withdrawn', atMs, reference, client: client.name, authTime },
    });
    const { email, emailVerified, locale } = (await accounts.find(account)) ?? {};
    if (email === undefined || !emailVerified) return true;
    const to = { address: email, locale, account };
    await mail?.(to, { kind: 'sign_in_withdrawn', client: client.name, atMs });
    return true;
  };
}
