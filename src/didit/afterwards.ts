/**
 * A ring about a selfie that has let somebody in already. The decision is read from the API once more, and may only
 * lower what it had opened: a ring alone ends nothing, and nothing that is read now opens anything.
 */
import { isEnrolling } from '../domain/attempt.ts';
import type { Decision } from '../domain/decision.ts';
import { type Afterwards, judgeAfterwards } from '../domain/withdrawal.ts';
import type { Accounts } from '../store/accounts.ts';
import type { History } from '../store/history.ts';
import { type LookTools, type Ring, isAboutSomethingElse, readAgainAfterMs } from './look.ts';
import type { OpenReview } from './open-review.ts';
import { DiditError } from './port.ts';
import type { SelfieSignIn, Withdraw } from './withdraw.ts';

export interface AfterwardsTools extends Omit<LookTools, 'clock'> {
  accounts: Pick<Accounts, 'find' | 'isRevoked'>;
  history: Pick<History, 'since'>;
  withdraw: Withdraw;
  openReview: OpenReview;
}

/** `over`: the sign-in stands, or there was nothing left of it. */
export type LookedAfterwards = 'declined' | 'in_review' | 'over' | 'quarantined';

export function createAfterwards(tools: AfterwardsTools) {
  const { didit, accounts, history, alarm, sleep, withdraw, openReview } = tools;

  async function of(signIn: SelfieSignIn, ring: Ring | undefined): Promise<LookedAfterwards> {
    const about = { id: signIn.attempt };
    if (ring && isAboutSomethingElse(ring, signIn.accepted)) {
      alarm('webhook_differs', about);
      return 'quarantined';
    }
    if (await isOver(signIn)) return 'over';
    const judged = await readAndJudge(signIn, ring);
    switch (judged?.now) {
      case 'withdrawn':
        if (await withdraw(signIn, judged.reason)) alarm('login_withdrawn', about);
        return 'declined';
      case 'in_doubt': {
        const { accepted, ...rest } = signIn;
        await openReview({
          ...rest,
          ...{ diditSessionId: accepted.diditSessionId, reason: 'in_review' },
        });
        return 'in_review';
      }
      case 'unclear': {
        const isOurs = judged.reason === 'unknown_status';
        alarm(isOurs ? 'schema_drift' : 'webhook_differs', about);
        return isOurs ? 'over' : 'quarantined';
      }
      case 'stands':
      case undefined:
        return 'over';
    }
  }

  /** Taken back before, or ended with everything else that the account had. */
  async function isOver({ account, authTime }: SelfieSignIn): Promise<boolean> {
    const isThere = (await accounts.find(account)) !== undefined;
    return !isThere || accounts.isRevoked(account, authTime);
  }

  /** Didit may ring a moment before its API knows: where the two differ, it is read again. */
  async function readAndJudge(
    signIn: SelfieSignIn,
    ring: Ring | undefined,
  ): Promise<Afterwards | undefined> {
    let judged: Afterwards | undefined;
    for (const waitMs of [0, ...readAgainAfterMs]) {
      await sleep(waitMs);
      const decision = await read(signIn);
      if (!decision) return undefined;
      judged = judgeAfterwards(decision, signIn.accepted);
      const isAsRung = ring?.status === undefined || ring.status === decision.status;
      if (judged.now !== 'stands' || isAsRung) return judged;
    }
    return judged;
  }

  /** @returns undefined when Didit has no such session any more, or says what we cannot read. */
  async function read({ kind, attempt, accepted }: SelfieSignIn): Promise<Decision | undefined> {
    const { diditSessionId } = accepted;
    try {
      const { decision } = await (isEnrolling({ kind })
        ? didit.readEnrolment(diditSessionId)
        : didit.readDecision(diditSessionId));
      return decision;
    } catch (error) {
      if (!(error instanceof DiditError)) throw error;
      if (error.failure === 'unknown_session') return undefined;
      if (error.failure !== 'schema_drift') throw error;
      alarm('schema_drift', { id: attempt });
      return undefined;
    }
  }

  /** Whether it ended in a sign-in stands in the person's history. */
  async function hasSignedIn({ account, authTime }: SelfieSignIn): Promise<boolean> {
    for await (const entry of history.since(account, authTime * 1000)) {
      if (entry.event === 'signed_in' && entry.authTime === authTime) return true;
    }
    return false;
  }

  return {
    of,
    /** The attempt that was approved has been forgotten, and with it whether it was used. */
    async ofForgotten(signIn: SelfieSignIn, ring: Ring | undefined): Promise<LookedAfterwards> {
      return (await hasSignedIn(signIn)) ? of(signIn, ring) : 'over';
    },
  };
}
