/**
 * Secrets with a beginning and an end, in one line of a list: `SECRET from 2026-12-01T00:00:00Z until 2027-…`. The
 * list reads newest first. A secret that has not begun is understood already, and makes nothing yet: so every process
 * knows it before the first one uses it.
 */
export interface Dated {
  secret: string;
  /** -Infinity without one. */
  fromMs: number;
  /** Infinity without one. */
  untilMs: number;
}

const instant = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
const form = new RegExp(
  `^(?<secret>\\S+)(?: from (?<from>${instant}))?(?: until (?<until>${instant}))?$`,
);

/** @returns undefined when the text is neither a secret without spaces nor one with instants behind it. */
export function parseDated(text: string): Dated | undefined {
  const { secret, from, until } = form.exec(text)?.groups ?? {};
  if (secret === undefined) return undefined;
  const fromMs = from === undefined ? -Infinity : instantMs(from);
  const untilMs = until === undefined ? Infinity : instantMs(until);
  if (fromMs === undefined || untilMs === undefined || fromMs >= untilMs) return undefined;
  return { secret, fromMs, untilMs };
}

export function writeDated({ secret, fromMs, untilMs }: Dated): string {
  const from = Number.isFinite(fromMs) ? ` from ${isoSeconds(fromMs)}` : '';
  const until = Number.isFinite(untilMs) ? ` until ${isoSeconds(untilMs)}` : '';
  return secret + from + until;
}

/**
 * Those that are understood now: first the one that is used, the newest that has begun, then all others. Where none
 * has begun, the one that begins first is used: a provider without a key would be none.
 */
export function inOrder(list: readonly string[], nowMs: number): string[] {
  const alive = list.map(dated).filter(({ untilMs }) => nowMs < untilMs);
  const begun = alive.filter(({ fromMs }) => fromMs <= nowMs);
  const coming = alive.filter(({ fromMs }) => nowMs < fromMs);
  coming.sort((a, b) => a.fromMs - b.fromMs);
  return [...begun, ...coming].map(({ secret }) => secret);
}

/** What is no dated secret is one without dates: the keys of cookies may hold anything. */
function dated(text: string): Dated {
  return parseDated(text) ?? { secret: text, fromMs: -Infinity, untilMs: Infinity };
}

/** In the form of the settings, to the second. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The 31st of February would become the 3rd of March. */
function instantMs(text: string): number | undefined {
  const date = new Date(text);
  const isReal = !Number.isNaN(date.getTime()) && isoSeconds(date.getTime()) === text;
  return isReal ? date.getTime() : undefined;
}
