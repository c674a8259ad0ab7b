/**
 * Whether Didit is asked at all, and what people are told of it. Nothing here makes a sign-in easier: what a policy or
 * an app demands is demanded in an outage too.
 */
export interface OutagePlan {
  schema: 1;
  /** Switched off by hand, until it is switched on again, or for a time. */
  off?: { sinceMs: number; untilMs?: number; by: string; note: string };
  maintenance: readonly Maintenance[];
}

export interface Maintenance {
  fromMs: number;
  untilMs: number;
  by: string;
  note: string;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface OutageState {
  didit: 'up' | 'failing' | 'off' | 'maintenance';
  sinceMs?: number;
  untilMs?: number;
  by?: string;
  note?: string;
}

export const noPlan: OutagePlan = { schema: 1, maintenance: [] };

/** While it is `off` or in `maintenance`, Didit is not called. */
export function plannedState({ off, maintenance }: OutagePlan, nowMs: number): OutageState {
  if (off && (off.untilMs === undefined || nowMs < off.untilMs)) return { didit: 'off', ...off };
  const now = maintenance.filter(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
  const longest = now.toSorted((a, b) => b.untilMs - a.untilMs)[0];
  if (!longest) return { didit: 'up' };
  const { fromMs: sinceMs, untilMs, by, note } = longest;
  return { didit: 'maintenance', sinceMs, untilMs, by, note };
}

/** What is over is forgotten. */
export function tidied({ off, maintenance }: OutagePlan, nowMs: number): OutagePlan {
  const isOver = off?.untilMs !== undefined && off.untilMs <= nowMs;
  return {
    schema: 1,
    ...(off && !isOver ? { off } : {}),
    maintenance: maintenance.filter(({ untilMs }) => nowMs < untilMs),
  };
}

/** What a page says of it. */
export interface OutageNotice {
  /** Nothing would come of pressing the button. */
  isCertain: boolean;
  untilMs?: number | undefined;
}

export function noticeOf({ didit, untilMs }: OutageState): OutageNotice | undefined {
  if (didit === 'up') return undefined;
  return { isCertain: didit !== 'failing', untilMs };
}
