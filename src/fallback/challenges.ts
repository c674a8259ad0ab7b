/**
 * What an authenticator was asked to sign. It lies in the store until it is answered, once, for five minutes, and only
 * for whoever it was asked of: an interaction, or a session of the account page.
 */
import type { Random } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';

const challengeBytes = 32;
export const challengeTtlSeconds = 300;

export interface Asked {
  challenge: string;
  /** Only this account may answer. */
  accountId?: string | undefined;
}

export type Challenges = ReturnType<typeof createChallenges>;

/** @param use what is asked for: a new passkey, or one that there is. */
export function createChallenges(
  store: Pick<Store, 'put' | 'take'>,
  random: Random,
  use: 'create' | 'get',
) {
  const keyOf = (boundTo: string): string => `challenge:${use}:${boundTo}`;

  return {
    /** A new question takes the place of one that was not answered. @returns the bytes to sign. */
    async ask(boundTo: string, accountId?: string): Promise<Uint8Array<ArrayBuffer>> {
      const asked: Asked = { challenge: random(challengeBytes), accountId };
      const options = { ttlSeconds: challengeTtlSeconds };
      await store.put(keyOf(boundTo), JSON.stringify(asked), options);
      return new Uint8Array(Buffer.from(asked.challenge, 'base64url'));
    },

    /** Of many answers at once exactly one gets the question. */
    async take(boundTo: string): Promise<Asked | undefined> {
      const asked = await store.take(keyOf(boundTo));
      return asked === undefined ? undefined : (JSON.parse(asked) as Asked);
    },
  };
}
