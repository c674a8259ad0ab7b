/**
 * Once a minute each process looks at the money and at the clock: what was abandoned is given back to the caps, soft caps
 * and a forecast beyond a cap are told, and planned maintenance begins and ends. Of many processes one does and tells each.
 */
import { type Caps, type Reached, capsOfClient, reachedBy } from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import { bucketOf } from '../domain/limits.ts';
import type { Message, SendMail } from '../domain/message.ts';
import type { OutageState } from '../domain/outage.ts';
import type { Budget } from '../store/budget.ts';
import type { Meter } from '../store/meter.ts';
import type { Store } from '../store/store.ts';
import { tellOnce } from './outage.ts';
import type { SpendingNow, SpendingReports } from './spending.ts';

export interface WatchTools {
  store: Pick<Store, 'put' | 'delete'>;
  meter: Pick<Meter, 'takeOpen' | 'putBack'>;
  budget: Pick<Budget, 'caps' | 'correct'>;
  reports: Pick<SpendingReports, 'now'>;
  /** As it is planned. */
  outage: () => OutageState;
  alarm: RaiseAlarm;
  record: Record;
  clock: Clock;
  alarmAddress: string | undefined;
  metrics: {
    budgetUsed: (ratios: { all?: number; clients: ReadonlyMap<string, number> }) => void;
    forecast: (dollars: number) => void;
  };
  failed: (error: unknown) => void;
}

const everyMs = 60_000;
const toldForSeconds = 40 * 86_400;
/** Whoever dies over a mail leaves it to the next look. */
const writesForSeconds = 50;

export function createSpendingWatch(tools: WatchTools) {
  const { store, meter, budget, reports, outage, alarm, record, clock, failed } = tools;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let send: SendMail | undefined;
  let planned: OutageState = { didit: 'up' };

  /** Once for a cap and a window of it, whichever process saw it. */
  async function tell(reached: Reached): Promise<void> {
    const { what, span, client, cap, dollars } = reached;
    const bucket = bucketOf(what === 'forecast' ? 'day' : span, clock());
    const key = `${what} ${span} ${bucket} ${cap} ${client ?? ''}`;
    const options = { ttlSeconds: toldForSeconds, ifAbsent: true };
    if ((await store.put(`budget-told:${key}`, '', options)) !== undefined) {
      alarm(`budget_${what}`);
      record({
        ...{ event: 'budget.reached', atMs: clock(), reason: `${what}_${span}` },
        ...(client === undefined ? {} : { client }),
      });
    }
    const about = { ...(client === undefined ? {} : { client }), span, dollars, cap };
    await write(key, { kind: `budget_${what}`, ...about });
  }

  /** It has its own mark: what could not be handed over is written at the next look, and is no news to anybody else. */
  async function write(key: string, message: Message): Promise<void> {
    if (tools.alarmAddress === undefined || !send) return;
    const mark = `budget-told:mail ${key}`;
    const options = { ttlSeconds: writesForSeconds, ifAbsent: true };
    if ((await store.put(mark, '', options)) === undefined) return;
    try {
      await send({ address: tools.alarmAddress }, message);
    } catch (error) {
      await store.delete(mark);
      throw error;
    }
    await store.put(mark, '', { ttlSeconds: toldForSeconds });
  }

  /** What is planned begins and ends by itself, and so does what was switched off until some time. */
  async function lookAtPlan(): Promise<void> {
    const now = outage();
    const isSame = now.didit === planned.didit && now.sinceMs === planned.sinceMs;
    if (isSame) return;
    if (planned.didit !== 'up') await tellOnce('outage.ended', planned, tools);
    if (now.didit !== 'up') await tellOnce('outage.began', now, tools);
    planned = now;
  }

  /** Where one cannot be given back the others are, and it is tried again. */
  async function giveBack(): Promise<void> {
    for await (const open of meter.takeOpen()) {
      try {
        await budget.correct(open);
      } catch (error) {
        failed(error);
        meter.putBack(open);
      }
    }
  }

  async function look(): Promise<void> {
    await lookAtPlan();
    await giveBack();
    const caps = budget.caps();
    const spent = await reports.now();
    tools.metrics.forecast(spent.forecast);
    tools.metrics.budgetUsed(usedOf(caps, spent));
    for (const one of reachedBy(caps, spent)) await tell(one).catch(failed);
  }

  function tick(): void {
    looking = look()
      .catch(failed)
      .finally(() => {
        if (timer !== undefined) timer = setTimeout(tick, everyMs).unref();
      });
  }

  return {
    look,
    tell: (reached: Reached): void => void tell(reached).catch(failed),
    start(mail: SendMail | undefined): void {
      send = mail;
      timer = setTimeout(tick, everyMs).unref();
    },
    async stop(): Promise<void> {
      clearTimeout(timer);
      timer = undefined;
      await looking;
    },
  };
}

/** Of each month's hard cap, as a share of it. */
function usedOf(caps: Caps, { all, clients }: SpendingNow) {
  const used = new Map<string, number>();
  for (const [client, { month }] of Object.entries(clients)) {
    const cap = capsOfClient(caps, client).month?.hard;
    if (cap !== undefined) used.set(client, month / cap);
  }
  const { hard } = caps.all?.month ?? {};
  return { ...(hard === undefined ? {} : { all: all.month / hard }), clients: used };
}
