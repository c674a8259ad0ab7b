/** How somebody goes, and comes back who has nothing left to show. */
import { z } from 'zod';
import {
  askedRecovery,
  openRecovery,
  recoveryLink,
  runningRecovery,
  stateOf,
  stopRecovery,
} from '../../enrol/recovery.ts';
import { findAccount } from './accounts.ts';
import { act, done, idParam, isoTime } from './act.ts';
import { isOperatorNow, requireOtherAdmin } from './operator-accounts.ts';
import { Refusal, orConflict } from './refusal.ts';
import type { ActTools } from './tools.ts';

const withdrawInvitation = act({
  ...{ id: 'invitations.withdraw', method: 'DELETE', path: '/accounts/:id/invitation' },
  summary: 'The link counts no more, and who has not come is forgotten',
  ...{ role: 'reviewer', scope: 'accounts:write' },
  params: idParam,
  answer: done,
  async run({ params: { id } }, tools) {
    const { status } = await findAccount(id, tools);
    if (status !== 'invited') throw new Refusal('conflict', `${id} is ${status}`);
    await tools.tickets.erase(id);
    const invitedUntilMs = tools.clock();
    await tools.accounts.change(id, (now) =>
      now.status === 'invited' ? { ...now, invitedUntilMs } : now,
    );
    return { done: true as const };
  },
});

const planned = z.object({ what: z.enum(['face', 'account']), at: z.string() });

const getErasure = act({
  ...{ id: 'erasures.get', method: 'GET', path: '/accounts/:id/erasure' },
  summary: 'What is to be erased of somebody, and what was',
  ...{ role: 'viewer', scope: 'accounts:read' },
  params: idParam,
  answer: z.object({
    planned: planned.optional(),
    begun: z
      .object({ scope: z.string(), asked_at: z.string(), finished_at: z.string().optional() })
      .optional(),
  }),
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    const [next, report] = [await tools.erasure.planned(id), await tools.erasure.report(id)];
    const end = report?.finishedAtMs;
    return {
      ...(next ? { planned: { what: next.what, at: isoTime(next.readyAtMs) } } : {}),
      ...(report
        ? {
            begun: {
              ...{ scope: report.scope, asked_at: isoTime(report.requestedAtMs) },
              ...(end === undefined ? {} : { finished_at: isoTime(end) }),
            },
          }
        : {}),
    };
  },
});

const planErasure = act({
  ...{ id: 'erasures.plan', method: 'POST', path: '/accounts/:id/erasure' },
  summary:
    'Erase somebody, or their face, after the days in which they may say otherwise; they are written to',
  ...{ role: 'admin', scope: 'accounts:write', isDangerous: true },
  params: idParam,
  body: z.strictObject({ what: z.enum(['face', 'account']) }),
  answer: z.object({ planned }),
  async run({ params: { id }, body: { what } }, tools, by) {
    const account = await findAccount(id, tools);
    if (account.status === 'erased') throw new Refusal('conflict', `${id} was erased`);
    if (what === 'account') await requireOtherAdmin(id, tools);
    const atMs = tools.clock();
    const readyAtMs = atMs + tools.erasureDelaySeconds * 1000;
    await tools.erasure.plan(id, what, readyAtMs);
    tools.record({ event: 'account.erasure_planned', atMs, account: id, operators: [by.name] });
    await tools.history.add(id, { event: 'erasure_planned', atMs });
    const { email, locale } = account;
    const link = `${tools.issuer}/account`;
    const message = { kind: 'erasure_planned', what, link, readyAtMs } as const;
    if (email !== undefined) await tools.mail?.({ address: email, locale, account: id }, message);
    return { planned: { what, at: isoTime(readyAtMs) } };
  },
});

const cancelErasure = act({
  ...{ id: 'erasures.cancel', method: 'DELETE', path: '/accounts/:id/erasure' },
  summary: 'What was planned is not done, and the person is written to; what has begun goes on',
  ...{ role: 'admin', scope: 'accounts:write', isDangerous: true },
  params: idParam,
  answer: done,
  async run({ params: { id } }, tools, by) {
    const { email, locale } = await findAccount(id, tools);
    if (!(await tools.erasure.cancel(id))) throw new Refusal('conflict', 'nothing is planned');
    const atMs = tools.clock();
    tools.record({ event: 'account.erasure_cancelled', atMs, account: id, operators: [by.name] });
    await tools.history.add(id, { event: 'erasure_cancelled', atMs });
    // It may have been their own wish.
    const message = { kind: 'erasure_cancelled', atMs } as const;
    if (email !== undefined) await tools.mail?.({ address: email, locale, account: id }, message);
    return { done: true as const };
  },
});

const recoveryView = z.object({
  /** `asked`: another operator has to; `waits`: for its time; `by_link`: for the document; `ready`: for the person. */
  state: z.enum(['none', 'asked', 'waits', 'by_link', 'ready']),
  asked_by: z.string().optional(),
  ready_at: z.string().optional(),
});

const getRecovery = act({
  ...{ id: 'recoveries.get', method: 'GET', path: '/accounts/:id/recovery' },
  summary: 'Whether a recovery is under way, and how far it is',
  ...{ role: 'viewer', scope: 'accounts:read' },
  params: idParam,
  answer: recoveryView,
  async run({ params: { id } }, tools) {
    const account = await findAccount(id, tools);
    const running = runningRecovery(account, tools.clock());
    if (running) {
      return { state: stateOf(running, tools.clock()), ready_at: isoTime(running.readyAtMs) };
    }
    const asked = askedRecovery(account, tools.clock());
    return asked
      ? { state: 'asked' as const, asked_by: asked.askedBy }
      : { state: 'none' as const };
  },
});

/** It gives nobody anything by itself: after the wait the person has to show a document and their face. */
const openOne = act({
  ...{ id: 'recoveries.open', method: 'POST', path: '/accounts/:id/recovery' },
  summary:
    'One operator asks for it, another one opens it, and the person is written to; then it waits',
  ...{ role: 'reviewer', scope: 'recoveries:write', takesTwo: true },
  params: idParam,
  answer: z.object({ state: z.enum(['asked', 'began']), ready_at: z.string().optional() }),
  async run({ params: { id } }, tools, by) {
    const account = await findAccount(id, tools);
    if (!tools.canInvite) throw new Refusal('conflict', 'nobody can show a document here');
    await requireOperator(askedRecovery(account, tools.clock())?.askedBy, tools);
    const opened = await orConflict(openRecovery(account, by.name, tools));
    return opened.state === 'asked'
      ? { state: 'asked' as const }
      : { state: 'began' as const, ready_at: isoTime(opened.readyAtMs) };
  },
});

/** A name that somebody gave at the command line may be anybody's, and who asked may be no operator any more. */
async function requireOperator(askedBy: string | undefined, tools: ActTools): Promise<void> {
  if (askedBy === undefined || (await isOperatorNow(askedBy, 'reviewer', tools))) return;
  throw new Refusal(
    'conflict',
    `${askedBy}, who asked for it, is no operator here: stop it, or open it at the command line`,
  );
}

const linkFor = act({
  ...{ id: 'recoveries.link', method: 'POST', path: '/accounts/:id/recovery/link' },
  summary: 'After the wait: the link for the person, who has to show a document by it',
  ...{ role: 'reviewer', scope: 'recoveries:write', takesTwo: true },
  params: idParam,
  answer: z.object({ link: z.string(), until: z.string() }),
  async run({ params: { id } }, tools) {
    const { link, untilMs } = await orConflict(recoveryLink(await findAccount(id, tools), tools));
    return { link, until: isoTime(untilMs) };
  },
});

const stopOne = act({
  ...{ id: 'recoveries.stop', method: 'DELETE', path: '/accounts/:id/recovery' },
  summary: 'A recovery ends, and all that the person is signed in to; they are written to',
  ...{ role: 'reviewer', scope: 'recoveries:write' },
  params: idParam,
  answer: done,
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    if (!(await stopRecovery(id, tools))) throw new Refusal('conflict', 'none is under way');
    return { done: true as const };
  },
});

export { getErasure, planErasure, cancelErasure, getRecovery };
export { openOne as openRecovery, linkFor as linkRecovery, stopOne as stopRecovery };
export const leavingActs = [
  ...[withdrawInvitation, getErasure, planErasure, cancelErasure],
  ...[getRecovery, openOne, linkFor, stopOne],
];
