/** Everything about somebody on one sheet, read when it is shown. */
import { runningRecovery, stateOf } from '../enrol/recovery.ts';
import type { AccountSheet } from '../web/account-pages.ts';
import type { HistoryEntry } from '../store/history.ts';
import type { AccountTools } from './room.ts';
import type { Visitor } from './session.ts';

const historyShown = 20;

export async function readSheet(
  tools: AccountTools,
  visitor: Visitor,
  done: string | undefined,
): Promise<AccountSheet> {
  const { account, session } = visitor;
  const { otherWays, familiar, history, signIns, erasure } = tools;
  const [factors, { keys }, entries, open, planned] = await Promise.all([
    otherWays.records.load(account.id),
    familiar.load(account.id),
    history.list(account.id),
    signIns.of(account.id),
    erasure.planned(account.id),
  ]);
  const { enrolment, consent, selfieOff, name, email, username } = account;
  const recovery = runningRecovery(account, tools.clock());
  return {
    page: 'account',
    done,
    person: { name, email, username },
    signIns: open.map(({ authTime, clients }) => ({
      ...placeOfSignIn(entries, authTime),
      ...{ authTime, clients, isThis: authTime === session.authTime },
    })),
    passkeys: factors.passkeys.map(({ id, name: called, createdAtMs, usedAtMs }) => ({
      ...{ id, name: called, createdAtMs },
      ...(usedAtMs === undefined ? {} : { usedAtMs }),
    })),
    devices: keys.map(({ id, name: called, addedAtMs, usedAtMs }) => ({
      ...{ id, name: called, addedAtMs, usedAtMs },
    })),
    hasTotp: factors.totp !== undefined,
    codesLeft: factors.recoveryCodes?.hashes.length ?? 0,
    apps: await appsOf(tools, visitor, open),
    history: entries.slice(0, historyShown),
    face: {
      state: enrolment === undefined ? 'none' : selfieOff ? 'off' : 'on',
      enrolledAtMs: enrolment?.enrolledAtMs,
      consent: consent?.version,
    },
    canEnrol: tools.canEnrol,
    canMakePasskeys: otherWays.passkeys.isPossible,
    canWrite: tools.mailCodes !== undefined,
    ...(planned ? { erasure: planned } : {}),
    ...(recovery
      ? {
          recovery: {
            readyAtMs: recovery.readyAtMs,
            state: stateOf(recovery, tools.clock()),
          },
        }
      : {}),
  };
}

function placeOfSignIn(
  entries: readonly HistoryEntry[],
  authTime: number,
): { browser: string | undefined; system: string | undefined } {
  const entry = entries.find((one) => one.event === 'signed_in' && one.authTime === authTime);
  return entry?.event === 'signed_in'
    ? { browser: entry.browser, system: entry.system }
    : { browser: undefined, system: undefined };
}

/** Every app that has a share in one of the sign-ins, once, with the time of the latest. */
async function appsOf(
  { clientName }: AccountTools,
  _visitor: Visitor,
  open: readonly { authTime: number; clients: readonly string[] }[],
): Promise<AccountSheet['apps']> {
  const latest = new Map<string, number>();
  for (const { authTime, clients } of open) {
    for (const id of clients) latest.set(id, Math.max(latest.get(id) ?? 0, authTime * 1000));
  }
  const ids = [...latest].filter(([id]) => id !== 'account');
  return Promise.all(ids.map(async ([id, lastMs]) => ({ id, name: await clientName(id), lastMs })));
}
