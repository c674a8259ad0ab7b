/** Whose an attempt is, for whoever writes it down: a name that somebody typed shows nothing yet. */
import { type Attempt, isEnrolling } from './attempt.ts';

/** @returns `account` once something was shown for it, `claimed` before; nothing where there is nobody. */
export function whoseIs(attempt: Attempt): { account?: string; claimed?: string } {
  const id = 'identity' in attempt ? attempt.identity.accountId : undefined;
  if (id === undefined) return {};
  return isShown(attempt) ? { account: id } : { claimed: id };
}

function isShown(attempt: Attempt): boolean {
  // Whoever enrols has shown that the address is theirs, or came by a link that went there.
  if (isEnrolling(attempt)) return true;
  switch (attempt.phase) {
    case 'proven':
    case 'consumed':
      return true;
    case 'captured':
      return attempt.verdict !== undefined || attempt.device !== undefined;
    case 'identified':
      return attempt.device !== undefined || (attempt.legs ?? []).length > 0;
    default:
      return false;
  }
}
