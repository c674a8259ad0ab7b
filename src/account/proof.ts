/**
 * How much must have been shown before something is changed. Signing in is enough to look. Whoever adds a way in,
 * replaces a face or takes the data along must have shown it within the last minutes, and more than a face alone:
 * a passkey, or a selfie and a code of something that they have. Erasing needs the best that the account has besides
 * a face, so that nobody is made to take a selfie in order to take their face back.
 */
import { acr, acrName, satisfies } from '../domain/assurance.ts';
import type { Account } from '../store/accounts.ts';
import type { Factors } from '../store/factors.ts';
import type { AccountSession } from './session.ts';

export const freshForMs = 5 * 60_000;

type Environment = 'live' | 'sandbox';

export interface Shown {
  session: AccountSession;
  account: Pick<Account, 'enrolment'>;
  /** How long a face that took the place of another does not count for changes. */
  cooldownSeconds: number;
  nowMs: number;
  environment: Environment;
}

const isFresh = ({ session: { authTime }, nowMs }: Shown): boolean =>
  nowMs - authTime * 1000 <= freshForMs;

const isConfirmed = ({ session: { confirmedAtMs }, nowMs }: Shown): boolean =>
  confirmedAtMs !== undefined && nowMs - confirmedAtMs <= freshForMs;

function isBy(shown: Shown, ...classes: string[]): boolean {
  return classes.some((name) => satisfies(shown.session.acr, acrName(name, shown.environment)));
}

/** A face, and a key that is no newer look at the same face. */
const isByDevice = (shown: Shown): boolean =>
  shown.session.hasOldKey === true && isBy(shown, acr.selfieDevice);

/** Not a face alone: a passkey, two codes, or a code besides. */
export function hasShownTwo(shown: Shown): boolean {
  const names = [acr.passkey, acr.fallback].map((name) => acrName(name, shown.environment));
  return names.includes(shown.session.acr) || isByDevice(shown) || isConfirmed(shown);
}

/** For changes of ways in, face, address, and for taking the data along. */
export function mayChange(shown: Shown): boolean {
  if (shown.nowMs < (shown.session.recoveredUntilMs ?? 0)) return true;
  if (!isFresh(shown)) return false;
  if (isBy(shown, acr.passkey)) return true;
  // A new face makes new keys: neither counts for more than the other for a while.
  if (isCoolingDown(shown)) return false;
  return isByDevice(shown) || (isBy(shown, acr.selfie) && isConfirmed(shown));
}

function isCoolingDown({ account: { enrolment }, cooldownSeconds, nowMs }: Shown): boolean {
  const { isReplacement = false, enrolledAtMs = 0 } = enrolment ?? {};
  return isReplacement && nowMs < enrolledAtMs + cooldownSeconds * 1000;
}

/** For erasing, which waits and can be called off. */
export function mayErase(shown: Shown, factors: Factors): boolean {
  if (shown.nowMs < (shown.session.recoveredUntilMs ?? 0)) return true;
  if (factors.passkeys.length > 0) return isFresh(shown) && isBy(shown, acr.passkey);
  const hasCodes = factors.totp || factors.recoveryCodes?.hashes.length;
  return hasCodes ? isConfirmed(shown) : isFresh(shown);
}
