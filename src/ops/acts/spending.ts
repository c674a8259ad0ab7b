/** What selfies cost, what they may cost, and whether Didit is asked. */
import { z } from 'zod';
import { dayOf, isoDay } from '../../store/by-day.ts';
import { capsSchema, capsView, setCaps } from '../caps.ts';
import { type OutageShown, outageView, setOutage, showOutage } from '../outage.ts';
import { reportView } from '../spending.ts';
import { type Actor, act, daysQuery } from './act.ts';
import { Refusal, orInvalid } from './refusal.ts';
import type { ActTools } from './tools.ts';

const count = z.int();
const dollars = z.number();
const totals = z.object({
  ...{ created: count, approved: count, declined: count, in_review: count, not_finished: count },
  /** Begun, and nothing was heard of it. */
  open: count,
  /** Selfies that were not taken since the policy was content without. */
  spared: count,
  billed: count,
  /** At its price, before free ones are taken off. */
  dollars,
});

const report = act({
  ...{ id: 'cost.report', method: 'GET', path: '/cost' },
  summary: 'What selfies cost by day, app and reason, what skipping saved, and the forecast',
  ...{ role: 'viewer', scope: 'cost:read' },
  /** Both included; the present month when absent. */
  query: daysQuery,
  answer: z.object({
    ...{ from: z.string(), to: z.string(), total: totals },
    days: z.array(totals.extend({ day: z.string() })),
    by_client: z.array(totals.extend({ client: z.string() })),
    by_reason: z.array(totals.extend({ reason: z.string() })),
    /** The bill: of each month, without what is free in it. */
    ...{ billed: count, free: count, dollars },
    saved: z.object({ selfies: count, dollars }),
    /** Of the calendar month that is now. */
    forecast: z.object({ billed: count, dollars }),
  }),
  async run({ query }, { spending: { reports }, clock }) {
    const today = isoDay(dayOf(clock()));
    const { from = `${today.slice(0, 7)}-01`, to = today } = query;
    const range = { fromDay: from, toDay: to };
    return reportView(await orInvalid(reports.report(range)));
  },
});

const capsAnswer = z.object({
  /** In force, and of them what operators set; the rest is as the settings say. */
  ...{ caps: capsSchema, set: capsSchema },
  spent: z.object({ month: dollars, day: dollars, forecast: dollars }),
  version: z.string(),
});

/** Before anybody has set any. */
const firstVersion = '0';

async function budgetNow({ spending: { budget, reports } }: ActTools) {
  const [{ caps, set, version = firstVersion }, now] = await Promise.all([
    budget.get(),
    reports.now(),
  ]);
  const { month, day: today } = now.all;
  const view = { caps: capsView(caps), set: capsView(set) };
  return { ...view, version, spent: { month, day: today, forecast: now.forecast } };
}

const getBudget = act({
  ...{ id: 'budget.get', method: 'GET', path: '/budget' },
  summary: 'The caps, in dollars, and what was spent',
  ...{ role: 'viewer', scope: 'budget:read' },
  answer: capsAnswer,
  run: (_, tools) => budgetNow(tools),
});

const setBudget = act({
  ...{ id: 'budget.set', method: 'PUT', path: '/budget' },
  summary: 'All caps that operators set anew; they count within seconds',
  ...{ role: 'admin', scope: 'budget:write', isDangerous: true, isVersioned: true },
  body: capsSchema,
  answer: capsAnswer,
  async run({ body, ifVersion }, tools, by) {
    const { spending, record, clock } = tools;
    const known = ifVersion === firstVersion ? undefined : ifVersion;
    const of = { budget: spending.budget, record, clock };
    const version = await orInvalid(setCaps(of, body, { ifVersion: known, by: by.name }));
    if (version === undefined) throw new Refusal('changed_meanwhile', 'somebody changed the caps');
    return budgetNow(tools);
  },
});

const stretch = z.object({ from: z.string(), until: z.string(), by: z.string(), note: z.string() });
const outageAnswer = z.object({
  didit: z.enum(['up', 'failing', 'off', 'maintenance']),
  since: z.string().optional(),
  until: z.string().optional(),
  by: z.string().optional(),
  note: z.string().optional(),
  planned: z.array(stretch),
  /** The breakers of the process that answers. */
  operations: z.record(z.string(), z.enum(['closed', 'open', 'half-open'])),
});

const answerOf = (shown: OutageShown, { spending }: ActTools): z.input<typeof outageAnswer> => ({
  ...outageView(shown),
  operations: { ...spending.state().operations },
});

const outageTools = ({ spending, store, record, clock }: ActTools) => ({
  ...{ outage: spending.outage, store, record, clock },
});

const getOutage = act({
  ...{ id: 'outage.get', method: 'GET', path: '/outage' },
  summary: 'How Didit is, whether it is asked, and what is planned',
  ...{ role: 'viewer', scope: 'outage:read' },
  answer: outageAnswer,
  run: async (_, tools) => answerOf(await showOutage(outageTools(tools)), tools),
});

const setOutageMode = act({
  ...{ id: 'outage.set', method: 'PUT', path: '/outage' },
  summary: 'Ask Didit no more, now or in a stretch to come; or ask it again',
  ...{ role: 'admin', scope: 'outage:write', isDangerous: true },
  body: z.strictObject({
    /** `off`: Didit is asked again, and nothing is planned any more. */
    mode: z.enum(['on', 'off']),
    note: z.string().min(1).max(200).optional(),
    from: z.iso.datetime().optional(),
    until: z.iso.datetime().optional(),
  }),
  answer: outageAnswer,
  async run({ body }, tools, by: Actor) {
    const { mode, note = '', from, until } = body;
    const times = {
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
      ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
    };
    const change = mode === 'off' ? { mode } : { mode, note, ...times };
    const shown = await orInvalid(setOutage(outageTools(tools), change, by.name));
    return answerOf(shown, tools);
  },
});

export { report as costReport, getBudget, setBudget, getOutage, setOutageMode };
export const spendingActs = [report, getBudget, setBudget, getOutage, setOutageMode];
