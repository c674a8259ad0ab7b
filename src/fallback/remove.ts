/** Takes a way in away, unless it is the last one without a face: whoever has no selfie has to get in as well. */
import { type FactorRecords, type Factors, hasOtherWay } from '../store/factors.ts';

/**
 * Of two that are removed at once the second one knows that it is the last.
 * @param options `byMail`: whether the person can be written to, so that a mail is one of two.
 */
export function removeFactor(
  records: FactorRecords,
  accountId: string,
  which: { passkey: string } | 'totp' | 'recovery',
  options: { byMail?: boolean } = {},
): Promise<'removed' | 'last' | 'absent'> {
  return records.change(accountId, (before) => {
    const after = without(before, which);
    if (!after) return { factors: before, result: 'absent' };
    if (hasOtherWay(before, options) && !hasOtherWay(after, options)) {
      return { factors: before, result: 'last' };
    }
    return { factors: after, result: 'removed' };
  });
}

/** @returns undefined when there is nothing of it. */
function without(factors: Factors, which: Parameters<typeof removeFactor>[2]): Factors | undefined {
  if (which === 'totp') {
    const { totp, totpToConfirm, ...others } = factors;
    return totp || totpToConfirm ? others : undefined;
  }
  if (which === 'recovery') {
    const { recoveryCodes, ...others } = factors;
    return recoveryCodes ? others : undefined;
  }
  const passkeys = factors.passkeys.filter(({ id }) => id !== which.passkey);
  return passkeys.length < factors.passkeys.length ? { ...factors, passkeys } : undefined;
}
