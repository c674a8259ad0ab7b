/** What selfies cost, and what they may cost. */
import { costReport, getBudget, setBudget } from '../../acts/spending.ts';
import type { AskedCaps } from '../../caps.ts';
import { listClients } from '../../acts/clients.ts';
import { type ConsolePage, type Values } from '../page.ts';

const amount = (values: Values, name: string): number | undefined => {
  const text = values.get(name)?.trim() ?? '';
  return text === '' ? undefined : Number(text);
};

const capOf = (soft: number | undefined, hard: number | undefined) => ({
  ...(soft === undefined ? {} : { soft }),
  ...(hard === undefined ? {} : { hard }),
});

/** The dearest ones and those that have caps; another one can be named. */
const rowsAtMost = 40;

type CapsOfOne = NonNullable<AskedCaps['all']>;

/** As the page carried it: what the form does not ask for stays as it was. */
interface Kept {
  /** What operators had set. */
  set: AskedCaps;
  /** Of all apps together, in force. */
  all: CapsOfOne;
}

function keptIn(values: Values): Kept {
  const nothing = { set: {}, all: {} };
  try {
    return { ...nothing, ...(JSON.parse(values.get('kept') ?? '{}') as Partial<Kept>) };
  } catch {
    return nothing;
  }
}

/** Those of the settings go on as long as nobody says otherwise: what is set takes the place of all of them. */
function capsOfAll(values: Values, { set, all }: Kept): { all?: CapsOfOne } {
  const month = capOf(amount(values, 'soft'), amount(values, 'hard'));
  const isEmpty = month.soft === undefined && month.hard === undefined;
  const isSame = month.soft === all.month?.soft && month.hard === all.month?.hard;
  if (isEmpty || (isSame && set.all === undefined)) return {};
  return { all: { ...all, month } };
}

const ofApp = /^clients:(soft|hard):(.+)$/;
/** Of the row in which an app can be named that has none yet. */
const another = 'clients:another';

/** A row of fields for each app, and one for another app. Whoever is not among them keeps what they have. */
function clientCaps(values: Values, { set }: Kept): Record<string, CapsOfOne> {
  const rows = [...values.keys()].flatMap((name) => {
    const [, , id] = ofApp.exec(name) ?? [];
    return id === undefined ? [] : [id];
  });
  const fields = (id: string, suffix: string) =>
    capOf(amount(values, `clients:soft${suffix}`), amount(values, `clients:hard${suffix}`));
  const named = values.get(another)?.trim() ?? '';
  const caps = new Map(Object.entries(set.clients ?? {}));
  const put = (id: string, month: CapsOfOne['month'] & object): void => {
    const { month: before, ...others } = caps.get(id) ?? {};
    // One that is empty says more than none: that the caps of each app are not this one's.
    if (before?.soft === month.soft && before?.hard === month.hard) return;
    const isNone = month.soft === undefined && month.hard === undefined;
    const next = isNone ? others : { ...others, month };
    if (Object.keys(next).length > 0) caps.set(id, next);
    else caps.delete(id);
  };
  for (const id of new Set(rows)) put(id, fields(id, `:${id}`));
  if (named !== '') put(named, fields(named, ''));
  return Object.fromEntries(caps);
}

export const cost: ConsolePage = {
  ...{ name: 'cost', path: '/cost', inMenu: 'Cost', role: 'viewer' },
  forms: [
    {
      ...{ name: 'caps', act: setBudget, button: 'Set the caps', title: 'Caps, in dollars' },
      said: 'The caps are set. They count within seconds.',
      fields: [
        { name: 'version', label: '', type: 'hidden' },
        { name: 'kept', label: '', type: 'hidden' },
        {
          ...{ name: 'soft', label: 'Soft cap a month', type: 'number' },
          hint: 'When it is reached operators are told.',
        },
        {
          ...{ name: 'hard', label: 'Hard cap a month', type: 'number' },
          hint: 'When it is reached people get another way in, and no selfie is paid for. With both fields empty the caps are those of the settings.',
        },
        {
          ...{ name: 'clients', label: 'Of single apps, a month', type: 'rows' },
          hint: 'Empty: none of its own.',
        },
      ],
      input(values) {
        const kept = keptIn(values);
        const { all: _, ...rest } = kept.set;
        const body = { ...rest, ...capsOfAll(values, kept), clients: clientCaps(values, kept) };
        return { ifVersion: values.get('version'), body };
      },
      done: () => ({ to: '/console/cost' }),
    },
  ],
  async show({ query, look, also, nowMs }) {
    const months = monthsBefore(nowMs);
    const month = months.find((one) => one === query.month) ?? months[0] ?? '';
    const report = await look(costReport, { query: rangeOf(month, nowMs) });
    const budget = await look(getBudget);
    const { clients } = await also(listClients, { query: { limit: 200 } });
    const names = Object.fromEntries(
      clients.map(({ client_id: id, metadata }) => [id, metadata.client_name]),
    );
    const { all = {} } = budget.caps;
    const kept = JSON.stringify({ set: budget.set, all } satisfies Kept);
    const ids = [
      ...Object.keys(budget.set.clients ?? {}),
      ...report.by_client.map(({ client }) => client),
      ...clients.map(({ client_id: id }) => id),
    ];
    const rows = [...new Set(ids)].slice(0, rowsAtMost);
    return { title: 'Cost', data: { report, budget, names, rows, kept, month, months } };
  },
};

/** This one and a year before it. */
function monthsBefore(nowMs: number): string[] {
  const now = new Date(nowMs);
  return Array.from({ length: 13 }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
}

function rangeOf(month: string, nowMs: number): { from: string; to: string } {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const last = new Date(Math.min(Date.UTC(year, number, 0), nowMs)).toISOString().slice(0, 10);
  return { from: `${month}-01`, to: last };
}
