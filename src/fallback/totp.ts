/**
 * Codes from an app on a phone (RFC 6238). A phone's clock may be a step off; a code that was taken is not taken
 * again, by whoever looked over a shoulder.
 */
import { Secret, TOTP } from 'otpauth';
import type { Clock, Random } from '../domain/environment.ts';
import type { FactorRecords } from '../store/factors.ts';
import { typedCode } from './codes.ts';

const secretBytes = 20;
const window = 1;
const period = 30;

/** Base32, and the same as an `otpauth:` address. */
interface Begun {
  secret: string;
  uri: string;
}

export type Totps = ReturnType<typeof createTotp>;

export function createTotp({
  records,
  random,
  clock,
  issuerName,
}: {
  records: FactorRecords;
  random: Random;
  clock: Clock;
  issuerName: string;
}) {
  const totpOf = (secret: string, label = ''): TOTP =>
    new TOTP({ issuer: issuerName, label, secret, period });

  /** The step whose code this is, unless it is none of now. */
  function stepOf(secret: string, code: string): number | undefined {
    const timestamp = clock();
    const delta = totpOf(secret).validate({ token: typedCode(code), timestamp, window });
    return delta === null ? undefined : TOTP.counter({ period, timestamp }) + delta;
  }

  const shown = (secret: string, label: string): Begun => ({
    secret,
    uri: totpOf(secret, label).toString(),
  });

  return {
    /** @param label what the app shows beside our name. @returns what the app needs. */
    begin: async (accountId: string, label: string): Promise<Begun> => {
      const bytes = Uint8Array.from(Buffer.from(random(secretBytes), 'base64url'));
      const secret = new Secret({ buffer: bytes.buffer }).base32;
      await records.change(accountId, (factors) => ({
        factors: { ...factors, totpToConfirm: { secret, createdAtMs: clock() } },
        result: undefined,
      }));
      return shown(secret, label);
    },

    /** The one that was begun, for whoever has mistyped its first code; undefined when none waits. */
    again: async (accountId: string, label: string): Promise<Begun | undefined> => {
      const { totpToConfirm } = await records.load(accountId);
      return totpToConfirm && shown(totpToConfirm.secret, label);
    },

    /** The first code of the app that was begun with. From then on it takes the place of another. */
    confirm: (accountId: string, code: string): Promise<boolean> =>
      records.change(accountId, (factors) => {
        const { totpToConfirm, ...others } = factors;
        const lastStep = totpToConfirm && stepOf(totpToConfirm.secret, code);
        if (!totpToConfirm || lastStep === undefined) return { factors, result: false };
        return { factors: { ...others, totp: { ...totpToConfirm, lastStep } }, result: true };
      }),

    verify: (accountId: string, code: string): Promise<boolean> =>
      records.change(accountId, (factors) => {
        const { totp } = factors;
        const step = totp && stepOf(totp.secret, code);
        if (!totp || step === undefined || step <= totp.lastStep) return { factors, result: false };
        return { factors: { ...factors, totp: { ...totp, lastStep: step } }, result: true };
      }),
  };
}
