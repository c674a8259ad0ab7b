/** A browser that had no business with a selfie: what it was for ends, and the person hears of it. */
import type { Attempt, Capture } from '../domain/attempt.ts';
import { isMadeBy, withoutKeys } from '../domain/familiar.ts';
import { type LoginTools, clearCapture, propose, recordFor } from './room.ts';

/** Another browser than the one that asked. With the right nonce it was sent a link, and that ends what it was for. */
export async function noteForeign(
  tools: LoginTools,
  uid: string,
  nonceHash: string,
): Promise<void> {
  const loaded = await tools.attempts.load(uid);
  if (!loaded) return;
  const event = { type: 'arrived_elsewhere', nonceHash } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused) {
    await endedAsForeign(tools, attempt);
  } else if ('capture' in attempt && attempt.capture.callbackNonceHash === nonceHash) {
    await noteLate(tools, attempt, attempt.capture);
  }
}

/** Two browsers where there should be one. */
export async function endedAsForeign(
  tools: LoginTools,
  attempt: Attempt,
  reason?: string,
): Promise<void> {
  recordFor(tools, attempt, 'login.foreign', reason);
  await tools.bell.ring(attempt.interactionUid);
  await clearCapture(tools, attempt);
  await warnPerson(tools, attempt, 'stopped');
}

/** After the end: what the proof opened is closed, or the decision had told of the other browser before it came. */
async function noteLate(
  tools: LoginTools,
  attempt: Attempt,
  { enrolmentId, device }: Capture,
): Promise<void> {
  const { phase } = attempt;
  if (phase === 'consumed') {
    const { accountId } = attempt.proof;
    const authTime = Math.floor(attempt.proof.provenAtMs / 1000);
    await warnPerson(tools, attempt, 'ended', authTime);
    // The browser that was let in may have made one, and would keep it.
    await tools.familiar.change(accountId, (before) =>
      withoutKeys(before, (key) => isMadeBy(key, authTime)),
    );
  } else if (phase === 'denied' && attempt.reason === 'elsewhere') {
    await warnPerson(tools, attempt, 'stopped');
  } else {
    return;
  }
  await tools.turns.end(enrolmentId, { attemptId: attempt.id, ...device }, 'foreign');
  recordFor(tools, attempt, 'login.foreign', 'after_the_end');
}

async function warnPerson(
  tools: LoginTools,
  attempt: Attempt,
  kind: 'stopped' | 'ended',
  revokedProof?: number,
): Promise<void> {
  const { accounts, clock, mail } = tools;
  const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
  if (accountId === undefined || !('capture' in attempt)) return;
  // Of whoever asked: the phone that a selfie was handed off to is the person's own.
  const { handoff, place } = attempt.capture;
  const { browser, system } = handoff?.from.place ?? place;
  const seen = { client: attempt.client.name, atMs: clock(), browser, system };
  const before = await accounts.find(accountId);
  // The link may be opened again and again; the first time is news.
  const isKnown =
    (before?.notices ?? []).some((one) => one.attempt === attempt.id && one.kind === kind) ||
    (revokedProof !== undefined && (await accounts.isRevoked(accountId, revokedProof)));
  await accounts.warn(accountId, { kind, attempt: attempt.id, ...seen }, revokedProof);
  if (isKnown || !mail || !before?.email || !before.emailVerified) return;
  const to = { address: before.email, locale: before.locale, account: accountId };
  await mail(to, { kind: 'borrowed_selfie', ended: kind === 'ended', ...seen });
}
