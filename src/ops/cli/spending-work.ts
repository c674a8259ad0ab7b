/** The work of `didit-oidc cost`, `budget …` and `outage …`. */
import { readFileSync } from 'node:fs';
import { createCostRecords } from '../../app-cost.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import type { Caps, CapsOfOne } from '../../domain/budget.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { createLog, recordTo } from '../../web/telemetry.ts';
import { type CapsTools, capsView, setCaps } from '../caps.ts';
import {
  type OutageShown,
  type OutageTools,
  outageView,
  setOutage,
  showOutage,
} from '../outage.ts';
import { type SpendingReport, type Totals, reportView } from '../spending.ts';
import { type OperatorOptions, type PeopleOptions, operatorName, print } from './people.ts';
import { openRecording } from './recording.ts';
import type { CapOptions, CostOptions, OutageOnOptions, SetCapOptions } from './spending.ts';
import { timeOf } from './typed.ts';

type Side = ReturnType<typeof createCostRecords> &
  CapsTools &
  OutageTools & { config: Config; store: Store };

async function withSide(
  { config: fileName }: PeopleOptions,
  work: (side: Side) => Promise<void>,
): Promise<void> {
  const { config } = loadConfig({ fileName, env: process.env });
  const clock = Date.now;
  const { store } = await openStore({ ...config.store, clock });
  const log = createLog('info', { write: (line) => void process.stderr.write(line) });
  try {
    const { audit, record } = await openRecording(config, { store, log, told: recordTo(log) });
    try {
      const records = createCostRecords(config, { store, clock, log });
      await work({ ...records, config, store, record, clock });
    } finally {
      await audit.close();
    }
  } finally {
    await store.close();
  }
}

export async function showCost(options: CostOptions): Promise<void> {
  const { by, month = new Date().toISOString().slice(0, 7) } = options;
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new Error('a month is written as 2026-11');
  if (by !== 'day' && by !== 'client' && by !== 'reason') {
    throw new Error('--by is day, client or reason');
  }
  await withSide(options, async ({ reports }) => {
    const [year = 0, number = 0] = month.split('-').map(Number);
    const toDay = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
    const report = await reports.report({ fromDay: `${month}-01`, toDay });
    print(options, reportView(report), () => linesOf(report, by));
  });
}

function linesOf(report: SpendingReport, by: 'day' | 'client' | 'reason'): string[] {
  const rows: [string, Totals][] = {
    day: () => report.days.map((one): [string, Totals] => [one.day, one]),
    client: () => report.byClient.map((one): [string, Totals] => [one.client, one]),
    reason: () => report.byReason.map((one): [string, Totals] => [one.reason, one]),
  }[by]();
  const heads = ['', 'begun', 'approved', 'declined', 'review', 'unfinished', 'skipped', 'dollars'];
  const cells = [...rows, ['in all', report.total] as const].map(([name, of]) => [
    ...[name, of.created, of.approved, of.declined, of.in_review, of.not_finished + of.open],
    ...[of.spared, of.dollars.toFixed(2)],
  ]);
  const { billed, free, dollars, saved, forecast } = report;
  return [
    ...table([heads, ...cells.map((row) => row.map(String))]),
    '',
    `bill: ${billed} count, ${free} of them free: $${dollars.toFixed(2)}`,
    `saved by skipping: ${saved.selfies} selfies, $${saved.dollars.toFixed(2)}`,
    `forecast for this month: ${forecast.billed} count, $${forecast.dollars.toFixed(2)}`,
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  '),
  );
}

export async function showBudget(options: PeopleOptions): Promise<void> {
  await withSide(options, async ({ budget, reports }) => {
    const { caps, set, version } = await budget.get();
    const spent = await reports.now();
    const shown = { caps: capsView(caps), set: capsView(set), version, spent };
    print(options, shown, () => [
      ...capLines('all', caps.all),
      ...capLines('each client', caps.eachClient),
      ...Object.entries(caps.clients ?? {}).flatMap(([id, of]) => capLines(`client ${id}`, of)),
      `spent this month $${spent.all.month.toFixed(2)}, today $${spent.all.day.toFixed(2)}`,
      `forecast for this month $${spent.forecast.toFixed(2)}`,
    ]);
  });
}

function capLines(name: string, of: CapsOfOne = {}): string[] {
  const say = (dollars: number | undefined): string =>
    dollars === undefined ? 'none' : `$${dollars.toFixed(2)}`;
  const lines = (['month', 'day'] as const).flatMap((span) => {
    const { soft, hard } = of[span] ?? {};
    if (soft === undefined && hard === undefined) return [];
    return [`${name}, a ${span}: soft ${say(soft)}, hard ${say(hard)}`];
  });
  return lines.length > 0 ? lines : [`${name}: no caps`];
}

export async function setBudget(options: SetCapOptions): Promise<void> {
  const span = (soft: string | undefined, hard: string | undefined) => {
    const cap = {
      ...(soft === undefined ? {} : { soft: dollarsOf(soft) }),
      ...(hard === undefined ? {} : { hard: dollarsOf(hard) }),
    };
    return Object.keys(cap).length > 0 ? cap : undefined;
  };
  const month = span(options.monthSoft, options.monthHard);
  const day = span(options.daySoft, options.dayHard);
  if (!month && !day) throw new Error('say which cap: --month-hard 300, for instance');
  await changeCaps(options, { ...(month ? { month } : {}), ...(day ? { day } : {}) });
}

export const clearBudget = (options: CapOptions): Promise<void> => changeCaps(options, undefined);

function dollarsOf(text: string): number {
  if (!/^\d{1,8}(\.\d{1,4})?$/.test(text)) throw new Error(`"${text}" is no amount of dollars`);
  return Number(text);
}

async function changeCaps(options: CapOptions, next: CapsOfOne | undefined): Promise<void> {
  const by = operatorName(options.operator);
  await withSide(options, async (side) => {
    if (next) await requireClient(options.client, side);
    const { set, version } = await side.budget.get();
    const changed = await setCaps(side, capsView(withCaps(set, options, next)), {
      ifVersion: version,
      by,
    });
    if (changed === undefined) throw new Error('somebody else changed the caps meanwhile: again');
    const { caps } = await side.budget.get();
    print(options, { caps: capsView(caps), version: changed }, () => ['the caps are changed']);
  });
}

/** Caps of an app that is gone can be cleared; a name that is nobody's would cap nothing. @throws */
async function requireClient(id: string | undefined, { config, store }: Side): Promise<void> {
  if (id === undefined) return;
  const { withOwnPages } = await import('../../app-people.ts');
  const { isKept } = await import('../../oidc/client-registry.ts');
  const { parseClients } = await import('../../oidc/clients.ts');
  const { clientsFile } = config;
  const written = parseClients(clientsFile ? readFileSync(clientsFile, 'utf8') : '');
  const { clients } = withOwnPages({ config, clients: written });
  if (clients.some(({ client_id: known }) => known === id) || (await isKept(store, id))) return;
  throw new Error(`there is no client "${id}": didit-oidc clients list`);
}

function withCaps(
  set: Caps,
  { client, eachClient }: CapOptions,
  next: CapsOfOne | undefined,
): Caps {
  const { all, eachClient: each, clients = {} } = set;
  const kept = { ...(all ? { all } : {}), ...(each ? { eachClient: each } : {}), clients };
  if (client !== undefined) {
    const others = Object.entries(clients).filter(([id]) => id !== client);
    return {
      ...kept,
      clients: Object.fromEntries([...others, ...(next ? [[client, next] as const] : [])]),
    };
  }
  const name = eachClient ? 'eachClient' : 'all';
  const { [name]: _, ...rest } = kept;
  return next ? { ...rest, [name]: next } : rest;
}

export async function showOutageNow(options: PeopleOptions): Promise<void> {
  await withSide(options, async (side) => {
    const shown = await showOutage(side);
    print(options, outageView(shown), () => outageLines(shown));
  });
}

export async function outageOn(options: OutageOnOptions): Promise<void> {
  const { note, from, until } = options;
  const times = {
    ...(from === undefined ? {} : { fromMs: timeOf('--from', from, 'ahead') }),
    ...(until === undefined ? {} : { untilMs: timeOf('--until', until, 'ahead') }),
  };
  await withSide(options, async (side) => {
    const by = operatorName(options.operator);
    const shown = await setOutage(side, { mode: 'on', note, ...times }, by);
    print(options, outageView(shown), () => outageLines(shown));
  });
}

export async function outageOff(options: OperatorOptions): Promise<void> {
  await withSide(options, async (side) => {
    const shown = await setOutage(side, { mode: 'off' }, operatorName(options.operator));
    print(options, outageView(shown), () => outageLines(shown));
  });
}

function outageLines({ didit, sinceMs, untilMs, by, note, planned }: OutageShown): string[] {
  const details = [
    ...(sinceMs === undefined ? [] : [`since ${isoTime(sinceMs)}`]),
    ...(untilMs === undefined ? [] : [`until ${isoTime(untilMs)}`]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(note === undefined ? [] : [note]),
  ];
  return [
    [`Didit is ${didit}`, ...details].join(', '),
    ...planned.map((one) =>
      [`planned: ${isoTime(one.fromMs)} to ${isoTime(one.untilMs)}`, one.by, one.note].join(', '),
    ),
  ];
}
