/** What follows when a face was kept: it is told, and a face whose place it took is erased. */
import type { AuditEvent, Record } from '../domain/event.ts';
import type { Clock } from '../domain/environment.ts';
import type { SendMail } from '../domain/message.ts';
import type { Account, Accounts, Enrolment } from '../store/accounts.ts';
import type { History } from '../store/history.ts';

export interface KeptTools {
  accounts: Accounts;
  history: History;
  /** Of an account's earlier face, once another one has taken its place. */
  eraseReplaced: (accountId: string, face: Enrolment) => Promise<void>;
  mail: SendMail | undefined;
  record: Record;
  clock: Clock;
}

/**
 * @param account as it was before.
 * @param about what the log says besides.
 * @param decidedAtMs whoever has shown the new face then stays signed in.
 */
export async function tellOfFace(
  account: Account,
  tools: KeptTools,
  about: Partial<AuditEvent>,
  { decidedAtMs, consent }: { decidedAtMs?: number | undefined; consent?: string } = {},
): Promise<void> {
  const { accounts, history, record, mail, clock } = tools;
  const { id, enrolment: replaced, email, locale } = account;
  const atMs = clock();
  const event = replaced ? 'face_replaced' : 'face_enrolled';
  record({ event: 'enrol.completed', atMs, account: id, reason: event, ...about });
  await history.add(id, { event, atMs, ...(consent === undefined ? {} : { consent }) });
  if (replaced) {
    // Whoever signed in by the earlier face, or broke in with it, has to come again; not who has just shown the new one.
    // Relying parties are told, too.
    await accounts.signOutEverywhere(id, {}, lastVoid(decidedAtMs ?? atMs));
    await tools.eraseReplaced(id, replaced);
  }
  if (email !== undefined) await mail?.({ address: email, locale }, { kind: event, atMs });
}

/** The last second whose sign-ins end with the earlier face. */
export const lastVoid = (provenAtMs: number): number => Math.floor(provenAtMs / 1000) - 1;
