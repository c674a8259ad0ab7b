/** The switch for Didit, and planned times without it, as operators use them. */
import { z } from 'zod';
import type { Clock } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import { isoTime } from '../domain/iso-time.ts';
import { type OutagePlan, type OutageState, plannedState } from '../domain/outage.ts';
import type { OutageMode } from '../store/outage-mode.ts';
import type { Store } from '../store/store.ts';
import { sensible } from './caps.ts';
import { failingSince } from './failing.ts';

/** A person may read it; it is one line. */
const note = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'it is not one line');
const ms = z.int().min(0);

/** `on`: Didit is not asked, at once or in a stretch to come. `off`: it is asked again, and nothing is planned. */
export const outageChange = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('on'), note, fromMs: ms.optional(), untilMs: ms.optional() }),
    z.strictObject({ mode: z.literal('off') }),
  ])
  .refine((one) => one.mode === 'off' || one.fromMs === undefined || one.untilMs !== undefined, {
    error: 'what is planned has an end',
  })
  .refine((one) => one.mode === 'off' || (one.untilMs ?? Infinity) > (one.fromMs ?? 0), {
    error: 'it ends before it begins',
  });
export type OutageChange = z.infer<typeof outageChange>;

export interface OutageTools {
  outage: Pick<OutageMode, 'change' | 'read'>;
  store: Pick<Store, 'get' | 'put'>;
  record: Record;
  clock: Clock;
}

export interface OutageShown extends OutageState {
  /** Now, or later. */
  planned: OutagePlan['maintenance'];
}

/** As programs read it. */
export function outageView({ sinceMs, untilMs, by, note, didit, planned }: OutageShown) {
  return {
    didit,
    ...(sinceMs === undefined ? {} : { since: isoTime(sinceMs) }),
    ...(untilMs === undefined ? {} : { until: isoTime(untilMs) }),
    ...(by === undefined ? {} : { by }),
    ...(note === undefined ? {} : { note }),
    planned: planned.map((one) => ({
      ...{ from: isoTime(one.fromMs), until: isoTime(one.untilMs), by: one.by, note: one.note },
    })),
  };
}

/** Many plans are one that nobody keeps in sight. */
const plansAtMost = 20;

const toldForSeconds = 40 * 86_400;

/** Who changes the plan tells of it at once; the rest is told by whoever finds it first, and each of it once. */
export async function tellOnce(
  event: 'outage.began' | 'outage.ended',
  { didit, sinceMs = 0, by }: OutageState,
  { store, record, clock }: { store: Pick<Store, 'put'>; record: Record; clock: Clock },
  operators = by === undefined ? [] : [by],
): Promise<void> {
  const options = { ttlSeconds: toldForSeconds, ifAbsent: true };
  if ((await store.put(`outage-told:${event} ${didit} ${sinceMs}`, '', options)) === undefined) {
    return;
  }
  record({ event, atMs: clock(), reason: didit, ...(operators.length > 0 ? { operators } : {}) });
}

export async function showOutage({ outage, store, clock }: OutageTools): Promise<OutageShown> {
  const plan = await outage.read();
  const state = plannedState(plan, clock());
  const sinceMs = state.didit === 'up' ? await failingSince(store, clock) : undefined;
  const failing = sinceMs === undefined ? {} : ({ didit: 'failing', sinceMs } as const);
  return { ...state, ...failing, planned: plan.maintenance };
}

/** @throws when it makes no sense; nothing is changed then. */
export async function setOutage(
  tools: OutageTools,
  change: OutageChange,
  by: string,
): Promise<OutageShown> {
  const { outage, clock } = tools;
  const checked = sensible(outageChange, change);
  const nowMs = clock();
  if (checked.mode === 'on' && (checked.untilMs ?? Infinity) <= nowMs) {
    throw new RangeError('it would be over already');
  }
  const before = plannedState(await outage.read(), nowMs);
  const plan = await outage.change((current) => changed(current, checked, { nowMs, by }));
  const after = plannedState(plan, nowMs);
  if (before.didit !== after.didit) {
    // It may end before anybody has found that it began.
    if (before.didit === 'maintenance') await tellOnce('outage.began', before, tools);
    if (before.didit !== 'up') await tellOnce('outage.ended', before, tools, [by]);
    if (after.didit !== 'up') await tellOnce('outage.began', after, tools, [by]);
  }
  return showOutage(tools);
}

function changed(
  plan: OutagePlan,
  change: OutageChange,
  { nowMs, by }: { nowMs: number; by: string },
): OutagePlan {
  if (change.mode === 'off') return { schema: 1, maintenance: [] };
  const { note: why, fromMs, untilMs } = change;
  if (fromMs === undefined || untilMs === undefined) {
    const until = untilMs === undefined ? {} : { untilMs };
    // Whoever prolongs it begins nothing.
    const sinceMs = plannedState(plan, nowMs).didit === 'off' ? plan.off?.sinceMs : undefined;
    return { ...plan, off: { sinceMs: sinceMs ?? nowMs, by, note: why, ...until } };
  }
  if (plan.maintenance.length >= plansAtMost) throw new RangeError('too much is planned already');
  return { ...plan, maintenance: [...plan.maintenance, { fromMs, untilMs, by, note: why }] };
}
