/** The room put together: the ways in besides a selfie, what keeps them, and how a login asks for the typed ones. */
import type { Clock, Random } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import type { SendMail } from '../domain/message.ts';
import type { Account } from '../store/accounts.ts';
import { type FactorRecords, createFactorRecords } from '../store/factors.ts';
import { keptSecret } from '../store/secrets.ts';
import type { Store } from '../store/store.ts';
import type { Factor } from './factor.ts';
import { type MailCodes, createMailCodes } from './mail-code.ts';
import { type Passkeys, createPasskeys } from './passkeys.ts';
import { type RecoveryCodes, createRecoveryCodes } from './recovery-codes.ts';
import { type Totps, createTotp } from './totp.ts';

export interface OtherWays {
  records: FactorRecords;
  /** Absent where nobody can be written to. */
  mailCodes: MailCodes | undefined;
  totp: Totps;
  recoveryCodes: RecoveryCodes;
  passkeys: Passkeys;
  /** The typed ones, in the order in which they are offered. */
  factors: readonly Factor[];
}

export async function createOtherWays(parts: {
  store: Store;
  random: Random;
  clock: Clock;
  alarm: RaiseAlarm;
  issuer: string;
  /** What an app that shows codes, or an authenticator, calls us. */
  issuerName: string;
  sendMail: SendMail | undefined;
}): Promise<OtherWays> {
  const { store, random, sendMail, issuerName } = parts;
  const records = createFactorRecords(store);
  const common = { ...parts, records, secret: await keptSecret(store, 'codes', random) };
  const passkeys = createPasskeys({ ...common, rpName: issuerName });
  const mailCodes = sendMail && createMailCodes({ ...common, sendMail });
  const [totp, recoveryCodes] = [createTotp(common), createRecoveryCodes(common)];
  const factors: Factor[] = [
    ...(mailCodes ? [byMail(mailCodes)] : []),
    {
      name: 'totp',
      has: async ({ id }) => (await records.load(id)).totp !== undefined,
      verify: ({ accountId }, answer) => totp.verify(accountId, answer),
    },
    {
      name: 'recovery',
      has: async ({ id }) => (await recoveryCodes.left(id)) > 0,
      verify: ({ accountId }, answer) => recoveryCodes.use(accountId, answer),
    },
  ];
  return { records, mailCodes, totp, recoveryCodes, passkeys, factors };
}

/** The code belongs to the sign-in that asked for it, and so to its browser. */
function byMail({ send, verify }: MailCodes): Factor {
  const addressOf = ({ email, emailVerified }: Account): string | undefined =>
    emailVerified ? email : undefined;
  return {
    name: 'mail',
    has: (account) => Promise.resolve(addressOf(account) !== undefined),
    async begin(account, attemptId, locale) {
      const address = addressOf(account);
      if (address === undefined) return;
      await send({ key: attemptId, address, locale, purpose: 'sign_in' });
    },
    verify: ({ attemptId }, answer) => verify(attemptId, answer),
  };
}
