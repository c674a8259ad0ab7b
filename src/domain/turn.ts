/**
 * Whose turn it is: one enrolment, one selfie at a time, and how much a stranger may ask of it.
 *
 * Didit's create call answers with the unfinished session of the same `vendor_data`, and overwrites its callback
 * and metadata. Two captures under way for one enrolment could end each other's, or share one approval; so
 * whoever holds the turn may call, and everybody else is told to wait.
 *
 * Two kinds of device ask. A known one has completed a login to this account before. All others are strangers,
 * whatever they say: they never take the turn from a known device, their failures do not count against it, and
 * when they press too hard the selfie closes for them alone, until the person has used another factor.
 */

export type DeviceClass = 'known' | 'unknown';

export interface Holder {
  interactionUid: string;
  attemptId: string;
  /** The browser, by the hash of its device cookie. */
  device: string;
  deviceClass: DeviceClass;
  untilMs: number;
}

/** Declined selfies in a row (NIST SP 800-63B-4 section 3.2.3). */
interface Failures {
  inARow: number;
  lastAtMs: number;
}

export interface Turn {
  schema: 1;
  holder?: Holder;
  failures: Readonly<Record<DeviceClass, Failures>>;
  /** What strangers did to this enrolment: starts that nobody answered, and arrivals in another browser. */
  pressure: readonly { kind: 'unanswered' | 'foreign'; attemptId: string; atMs: number }[];
}

/**
 * How a capture ended. `answered`: by a good selfie. `left`: the browser that asked was back and went another way.
 * `unanswered`: neither a decision nor the browser came back.
 */
export type TurnEnd = 'answered' | 'declined' | 'left' | 'unanswered' | 'foreign';

/** `held`: by somebody whom the asker cannot put aside. `throttled`: wait. `closed`: another factor is needed. */
export type Taken =
  | { turn: Turn; putAside?: Holder }
  | { turn?: never; refused: 'held' | 'throttled' | 'closed'; isMine?: boolean };

export const freeFailures = 5;
export const pauseAfterFailureMs = 30_000;
export const failuresAtMost = 50;
export const pressureWindowMs = 24 * 3_600_000;
const foreignAtMost = 2;
const unansweredAtMost = 3;
const pressureKept = foreignAtMost + unansweredAtMost;
const daySeconds = 86_400;

const none: Failures = { inARow: 0, lastAtMs: 0 };

export const freshTurn: Turn = {
  schema: 1,
  failures: { known: none, unknown: none },
  pressure: [],
};

export function takeTurn(turn: Turn, asker: Holder, nowMs: number): Taken {
  const held = turn.holder;
  if (held?.attemptId === asker.attemptId) return { refused: 'held', isMine: true };
  if (held && nowMs < held.untilMs && !mayPutAside(asker, held)) return { refused: 'held' };
  // Whoever had it and did not say how it ended, left it unanswered.
  const settled = held ? endTurn(turn, held, 'unanswered', nowMs) : turn;
  const refused = refusalOf(settled, asker.deviceClass, nowMs);
  if (refused) return { refused };
  return { turn: { ...settled, holder: asker }, ...(held ? { putAside: held } : {}) };
}

/** The same browser begins anew, or a known device takes precedence over a stranger. */
function mayPutAside(asker: Holder, held: Holder): boolean {
  const isSameBrowser =
    asker.device === held.device || asker.interactionUid === held.interactionUid;
  return isSameBrowser || (asker.deviceClass === 'known' && held.deviceClass === 'unknown');
}

function refusalOf(
  turn: Turn,
  asking: DeviceClass,
  nowMs: number,
): 'throttled' | 'closed' | undefined {
  const { inARow, lastAtMs } = turn.failures[asking];
  if (inARow >= failuresAtMost) return 'closed';
  if (asking === 'unknown' && isPressed(turn, nowMs)) return 'closed';
  if (inARow >= freeFailures && nowMs < lastAtMs + pauseAfterFailureMs) return 'throttled';
  return undefined;
}

function isPressed({ pressure }: Turn, nowMs: number): boolean {
  const recent = pressure.filter(({ atMs }) => nowMs < atMs + pressureWindowMs);
  const foreign = recent.filter(({ kind }) => kind === 'foreign').length;
  return foreign >= foreignAtMost || recent.length - foreign >= unansweredAtMost;
}

/**
 * Ends the capture of this attempt. An end that comes late, when another attempt has the turn, changes nothing; but
 * an arrival in another browser always comes late, and counts.
 */
export function endTurn(
  turn: Turn,
  of: Pick<Holder, 'attemptId' | 'deviceClass'>,
  how: TurnEnd,
  nowMs: number,
): Turn {
  const isHolder = turn.holder?.attemptId === of.attemptId;
  if (!isHolder && how !== 'foreign') return turn;
  const { holder, ...others } = turn;
  const rest = isHolder || !holder ? others : turn;
  const asked = of.deviceClass;
  switch (how) {
    case 'left':
      return rest;
    case 'declined': {
      const failed = { inARow: turn.failures[asked].inARow + 1, lastAtMs: nowMs };
      return { ...rest, failures: { ...turn.failures, [asked]: failed } };
    }
    case 'answered': {
      const failures = { ...turn.failures, [asked]: none };
      return { ...rest, failures, pressure: asked === 'known' ? [] : turn.pressure };
    }
    case 'unanswered':
    case 'foreign':
      if (asked === 'known') return rest;
      return { ...rest, pressure: pressedBy(turn, of.attemptId, how, nowMs) };
  }
}

/** One capture counts once, and as what weighs more, however often somebody comes back from it. */
function pressedBy(
  { pressure }: Turn,
  attemptId: string,
  kind: 'unanswered' | 'foreign',
  nowMs: number,
): Turn['pressure'] {
  const others = pressure.filter((one) => one.attemptId !== attemptId);
  const before = pressure.find((one) => one.attemptId === attemptId);
  if (before?.kind === 'foreign') return pressure;
  return [...others.slice(1 - pressureKept), { kind, attemptId, atMs: nowMs }];
}

/** The person has shown by another factor that they are there: whoever was kept out may ask again. */
export function reopenTurn(turn: Turn): Turn {
  return { ...turn, failures: freshTurn.failures, pressure: [] };
}

/** How long a turn is worth keeping, in seconds: as long as it would refuse anybody anything. */
export function turnKeptSeconds({ failures }: Turn): number {
  const most = Math.max(failures.known.inARow, failures.unknown.inARow);
  if (most >= failuresAtMost) return 400 * daySeconds;
  return most > 0 ? 30 * daySeconds : daySeconds;
}
