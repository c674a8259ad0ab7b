/**
 * A selfie that is asked for in one browser and taken with the phone beside it.
 *
 * What joins the two is a code that the asking browser shows and the phone opens: claimed once, soon, and by one
 * browser. After that the selfie is the phone's alone. It proves who is at the phone, not who is at the other screen;
 * so the way in stays shut until a second, short code has gone back from the phone to that screen, by the person's own
 * hand. Whoever is talked into reading it out still lets the wrong one in: no rule here can see that.
 */
import { acr, acrName } from './assurance.ts';
import type { Attempt, AttemptEvent, Capture, Transition } from './attempt.ts';
import { mayEndWith } from './deciding.ts';
import { end } from './end.ts';
import { isEnrolling } from './joining.ts';
import type { Place } from './locality.ts';
import type { SeenSignals } from './signals.ts';
import { standing } from './standing.ts';
import type { DeviceClass } from './turn.ts';

/** A browser, and where it stands as far as that is known. */
export interface Side {
  place: Place;
  country: string | undefined;
}

export interface Handoff {
  /** The one in the address that the phone opens, hashed. */
  codeHash: string;
  /** What the code was made of, besides a key of ours. */
  salt: string;
  offeredAtMs: number;
  /** Where the code is shown. */
  from: Side;
  /** Of that browser: it is the one that would be signed in, whoever's the phone is. */
  deviceClass: DeviceClass;
  /** The browser that took it on, and the hash of the cookie that it got for it. */
  claim?: { cookieHash: string; place: Place; atMs: number };
  /** The code that goes back, hashed, and when the phone first showed it. */
  shown?: { hash: string; atMs: number };
  wrongCodes?: number;
  typedAtMs?: number;
}

/** What is kept with the selfie of it: whose it is, and how far apart the two browsers were. */
export interface HandoffOfCapture {
  codeHash: string;
  cookieHash: string;
  from: Side;
  relation: Exclude<SeenSignals['handoff'], 'none'>;
}

export const claimForMs = 90_000;
export const typeForMs = 60_000;
export const wrongCodesAtMost = 5;

/** How the phone's network relates to that of the browser that asked. */
export function compareHandoff(from: Side, to: Side): HandoffOfCapture['relation'] {
  const { network } = from.place;
  if (network !== undefined && network === to.place.network) return 'same_network';
  if (from.country === undefined || to.country === undefined) return 'cannot_tell';
  return from.country === to.country ? 'same_country' : 'other_country';
}

/** May the selfie of this attempt be handed off at all? Never one that changes what an account is. */
export function mayBeHandedOff(attempt: Attempt, environment: 'live' | 'sandbox'): boolean {
  return (
    !isEnrolling(attempt) && mayEndWith(attempt.request, acrName(acr.selfieHandoff, environment))
  );
}

/** Offered anew, the code before it is worth nothing; one that a phone has taken on stays. */
export function offer(
  attempt: Attempt,
  { codeHash, salt, from, deviceClass, environment }: Extract<AttemptEvent, { type: 'handed_off' }>,
  nowMs: number,
): Transition {
  const isNext = attempt.phase === 'identified' && attempt.factor === undefined;
  const action = isNext ? attempt.decision?.action : undefined;
  const isSelfie = action === 'selfie' || action === 'selfie_active';
  if (!isNext || !isSelfie || !mayBeHandedOff(attempt, environment)) {
    return { attempt, refused: 'out_of_order' };
  }
  if (attempt.handoff?.claim) return { attempt, refused: 'spent' };
  const handoff = { codeHash, salt, offeredAtMs: nowMs, from, deviceClass };
  return { attempt: { ...attempt, handoff } };
}

/** A second browser with the same code: one of the two was sent it, and nobody can tell which. */
export function takeClaim(
  attempt: Attempt,
  { codeHash, cookieHash, place }: Extract<AttemptEvent, { type: 'claimed' }>,
  nowMs: number,
): Transition {
  const handoff = handoffOf(attempt);
  if (handoff?.codeHash !== codeHash) return { attempt, refused: 'wrong_code' };
  const { claim, offeredAtMs } = handoff;
  if (claim) {
    if (claim.cookieHash === cookieHash) return { attempt };
    return { attempt: end(attempt, { phase: 'foreign' }, nowMs) };
  }
  if (attempt.phase !== 'identified') return { attempt, refused: 'out_of_order' };
  if (nowMs >= offeredAtMs + claimForMs) return { attempt, refused: 'late' };
  return {
    attempt: { ...attempt, handoff: { ...handoff, claim: { cookieHash, place, atMs: nowMs } } },
  };
}

/** Is it a selfie of the browser that asked, or of the one that took this hand-off on? */
export function isOfClaim(handoff: Handoff | undefined, taken: Capture): boolean {
  if (!taken.handoff) return true;
  const claim = handoff?.claim;
  // A phone may change its network meanwhile, and not what it is.
  return (
    claim !== undefined &&
    handoff?.codeHash === taken.handoff.codeHash &&
    claim.cookieHash === taken.handoff.cookieHash &&
    claim.place.browser === taken.place.browser &&
    claim.place.system === taken.place.system
  );
}

/** The phone shows the code, once the selfie is good: the same one however often it looks. */
export function showCode(attempt: Attempt, hash: string, nowMs: number): Transition {
  if (attempt.phase !== 'captured' || standing(attempt, nowMs).at !== 'type_code') {
    return { attempt, refused: 'not_ready' };
  }
  const { handoff } = attempt;
  if (!handoff || handoff.shown) return { attempt };
  return { attempt: { ...attempt, handoff: { ...handoff, shown: { hash, atMs: nowMs } } } };
}

/** Where the code was asked for. So many wrong ones, or one that comes late, and the selfie is worth nothing. */
export function takeCode(attempt: Attempt, hash: string, nowMs: number): Transition {
  const where = standing(attempt, nowMs);
  if (attempt.phase === 'captured' && where.at === 'denied') {
    return { attempt: end(attempt, { phase: 'denied', reason: where.reason }, nowMs) };
  }
  const handoff = attempt.phase === 'captured' ? attempt.handoff : undefined;
  if (attempt.phase !== 'captured' || where.at !== 'type_code' || !handoff?.shown) {
    return { attempt, refused: 'not_ready' };
  }
  if (hash === handoff.shown.hash) {
    return { attempt: { ...attempt, handoff: { ...handoff, typedAtMs: nowMs } } };
  }
  const wrongCodes = (handoff.wrongCodes ?? 0) + 1;
  const counted = { ...attempt, handoff: { ...handoff, wrongCodes } };
  if (wrongCodes < wrongCodesAtMost) return { attempt: counted, refused: 'wrong_code' };
  return { attempt: end(counted, { phase: 'denied', reason: 'wrong_code' }, nowMs) };
}

export function handoffOf(attempt: Attempt): Handoff | undefined {
  return 'handoff' in attempt ? attempt.handoff : undefined;
}
