/**
 * What must hold of a login, in the words of the requirements, from what an observer outside saw: who asked for the
 * selfie, who took it where, who came back. The provider's own code is not asked. Refusing is always right; the
 * model only says when opening the door is wrong.
 */
import { expect } from 'vitest';

export interface Selfie {
  diditSessionId: string;
  vendorData: string;
  begunAtMs: number;
  /** By the person in front of Didit's camera, in which kind of browser. */
  taken?: { outcome: string; atMs: number; userAgent: string };
  /** Didit told us, for the first time, of an approval that nobody had changed by hand. */
  toldAtMs?: number;
  /** By the operator, through Didit's API, before that. */
  changedByHand: boolean;
  /** The browser that asked for it was back with the right nonce. */
  returnedAtMs?: number;
  /** Another browser was there with the right nonce. */
  foreignAtMs?: number;
  /** A page has said that this one is over. */
  isOver: boolean;
  /** Something happened that may have ended it, without a page that said so. */
  mayBeOver: boolean;
  codes: number;
}

export interface Login {
  /** 0 is the attacker's browser, 1 the victim's. */
  browser: number;
  userAgent: string;
  /** Didit sees this browser in another network than we do. */
  isElsewhere: boolean;
  /** The app wants a new proof, whoever is signed in. */
  isAnew: boolean;
  /** Somebody was signed in here by a good selfie when that was asked, and is no stranger. */
  isStepUp: boolean;
  client: string;
  /** Where the interaction is, once it is known. */
  here?: string;
  person?: string;
  callback?: string;
  link?: string;
  selfie?: Selfie;
  begunAtMs: number;
}

const captureMs = 5 * 60_000;
const interactionMs = 15 * 60_000;
const freshMs = 2 * 60_000;
const foreignWaitMs = 3_000;

/** I1 and I2: may this login have a code now by its own selfie? @returns what speaks against it. */
export function objectionTo(
  login: Login,
  nowMs: number,
  people: ReadonlySet<string>,
): string | undefined {
  const { selfie } = login;
  if (!selfie) return 'there was no selfie';
  if (login.person === undefined || !people.has(login.person)) return 'nobody has that name';
  if (selfie.taken?.outcome !== 'approve')
    return `the selfie ended in ${selfie.taken?.outcome ?? 'nothing'}`;
  if (selfie.changedByHand) return 'somebody changed the outcome by hand';
  if (selfie.taken.userAgent !== login.userAgent)
    return 'the selfie was taken in another kind of browser';
  if (selfie.toldAtMs === undefined) return 'Didit never told us of an approval';
  if (selfie.returnedAtMs === undefined) return 'the browser that asked never came back';
  if (selfie.foreignAtMs !== undefined) return 'another browser came back';
  if (selfie.isOver) return 'it was over';
  if (selfie.codes > 0) return 'it was used before';
  if (nowMs > selfie.toldAtMs + freshMs) return 'the verdict was stale';
  const bothAtMs = Math.max(selfie.toldAtMs, selfie.returnedAtMs);
  if (login.isElsewhere && nowMs < bothAtMs + foreignWaitMs) {
    return 'another browser might still have come';
  }
  if (nowMs >= selfie.begunAtMs + captureMs) return 'the selfie’s time was over';
  if (nowMs >= login.begunAtMs + interactionMs) return 'the sign-in’s time was over';
  return undefined;
}

/** I7: a selfie that nobody has taken, left or disturbed, so that its turn cannot have passed to anybody. */
export function hasTurn({ selfie }: Login, nowMs: number): boolean {
  if (!selfie || selfie.mayBeOver || selfie.isOver || selfie.changedByHand) return false;
  const isUntouched =
    !selfie.taken && selfie.returnedAtMs === undefined && selfie.foreignAtMs === undefined;
  return isUntouched && nowMs < selfie.begunAtMs + captureMs;
}

export interface Claims {
  sub: string;
  acr: string;
  amr: string[];
  auth_time: number;
}

/** I5: the token says what was proven, and when. */
export function expectHonest(claims: Claims, proof: Selfie, issuedAtMs: number): void {
  expect(claims.acr).toBe('urn:didit-oidc:acr:selfie:test');
  expect(claims.amr).toEqual(['face']);
  const takenAtMs = proof.taken?.atMs ?? Infinity;
  expect(claims.auth_time * 1000).toBeGreaterThan(takenAtMs - 1_000);
  expect(claims.auth_time * 1000).toBeGreaterThan((proof.toldAtMs ?? Infinity) - 1_000);
  expect(claims.auth_time * 1000).toBeLessThanOrEqual(issuedAtMs);
}
