/**
 * Passkeys: an authenticator's key for this host alone, so that no other site can use what it signs, with a PIN or a
 * finger besides. They are found by the account that the authenticator itself names (the user handle is the account's
 * id), so nobody has to type a name, and nobody learns whether one has a passkey.
 */
import { isIP } from 'node:net';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import type { Clock, Random } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import type { Account } from '../store/accounts.ts';
import type { FactorRecords, Passkey } from '../store/factors.ts';
import type { Store } from '../store/store.ts';
import { type Challenges, challengeTtlSeconds, createChallenges } from './challenges.ts';
import {
  type RelyingParty,
  algorithms,
  loadLibrary,
  readAssertion,
  readRegistration,
  verifyAssertion,
  verifyRegistration,
} from './webauthn.ts';

const passkeysAtMost = 20;
const longestName = 64;

export interface Passkeys extends Registering, Authenticating {
  /** Browsers make passkeys for names of hosts, never for addresses, and only where nobody can listen. */
  isPossible: boolean;
}

interface Registering {
  registrationOptions(
    account: Account,
    boundTo: string,
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Keeps the passkey that was made.
   * @param response what came in the form's field `credential`: the answer as JSON text.
   * @param name as the person will find it in their list.
   */
  register(
    account: Account,
    boundTo: string,
    response: unknown,
    name: string,
  ): Promise<Passkey | undefined>;
}

interface Authenticating {
  /** @param account somebody who is known to be there: then only a passkey of theirs will do. */
  authenticationOptions(
    boundTo: string,
    account?: Account,
  ): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /**
   * Whose passkey answered. Whether that account may come in is for the caller to see.
   * @param response as in `register`.
   */
  authenticate(
    boundTo: string,
    response: unknown,
  ): Promise<{ accountId: string; passkey: Passkey } | undefined>;
}

interface PasskeyParts {
  store: Pick<Store, 'put' | 'take'>;
  records: FactorRecords;
  issuer: string;
  /** What an authenticator calls us when it asks the person; the host stands in when absent. */
  rpName?: string | undefined;
  clock: Clock;
  random: Random;
  alarm: RaiseAlarm;
}

type Tools = Pick<PasskeyParts, 'records' | 'clock' | 'alarm'> & {
  party: RelyingParty;
  challenges: Challenges;
};

export function createPasskeys({
  store,
  random,
  issuer,
  rpName,
  ...tools
}: PasskeyParts): Passkeys {
  const { hostname, host, origin } = new URL(issuer);
  const party = { id: hostname, origin, name: rpName ?? host };
  const challengesFor = (use: 'create' | 'get'): Challenges => createChallenges(store, random, use);
  return {
    isPossible: isPossible(new URL(issuer)),
    ...registering({ ...tools, party, challenges: challengesFor('create') }),
    ...authenticating({ ...tools, party, challenges: challengesFor('get') }),
  };
}

function isPossible({ protocol, hostname }: URL): boolean {
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  const isThisMachine = hostname === 'localhost' || hostname.endsWith('.localhost');
  return !isAddress && (protocol === 'https:' || isThisMachine);
}

function registering({ records, party, challenges, clock }: Tools): Registering {
  return {
    async registrationOptions(account, boundTo) {
      const { generateRegistrationOptions } = await loadLibrary();
      const { id, email, username, name = '' } = account;
      return generateRegistrationOptions({
        ...{ rpName: party.name, rpID: party.id },
        ...{ userName: email ?? username ?? id, userDisplayName: name },
        userID: new Uint8Array(Buffer.from(id)),
        challenge: await challenges.ask(boundTo, id),
        timeout: challengeTtlSeconds * 1000,
        attestationType: 'none',
        excludeCredentials: describe((await records.load(id)).passkeys),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: [...algorithms],
      });
    },

    async register(account, boundTo, response, name) {
      const given = readRegistration(response);
      const asked = given && (await challenges.take(boundTo));
      if (!asked || asked.accountId !== account.id) return undefined;
      const made = await verifyRegistration(given, asked.challenge, party);
      if (!made) return undefined;
      const passkey = { ...made, name: name.trim().slice(0, longestName), createdAtMs: clock() };
      // Another account may claim the same id and gains nothing: a key is looked for among those of one account.
      return records.change<Passkey | undefined>(account.id, (factors) => {
        const { passkeys } = factors;
        const isFull = passkeys.length >= passkeysAtMost;
        if (isFull || passkeys.some(({ id }) => id === passkey.id)) {
          return { factors, result: undefined };
        }
        return { factors: { ...factors, passkeys: [...passkeys, passkey] }, result: passkey };
      });
    },
  };
}

function authenticating(tools: Tools): Authenticating {
  const { records, party, challenges } = tools;
  return {
    async authenticationOptions(boundTo, account) {
      const { generateAuthenticationOptions } = await loadLibrary();
      const passkeys = account ? (await records.load(account.id)).passkeys : [];
      return generateAuthenticationOptions({
        rpID: party.id,
        challenge: await challenges.ask(boundTo, account?.id),
        timeout: challengeTtlSeconds * 1000,
        allowCredentials: describe(passkeys),
        userVerification: 'required',
      });
    },

    async authenticate(boundTo, response) {
      const given = readAssertion(response);
      const asked = given && (await challenges.take(boundTo));
      if (!asked) return undefined;
      const { userHandle } = given.response;
      const accountId = userHandle ? fromBase64url(userHandle) : asked.accountId;
      const isOther = asked.accountId !== undefined && asked.accountId !== accountId;
      if (accountId === undefined || isOther) return undefined;
      const { passkeys } = await records.load(accountId);
      const known = passkeys.find(({ id }) => id === given.id);
      if (!known) return undefined;
      const counter = await verifyAssertion(given, known, asked.challenge, party);
      if (counter === undefined) return undefined;
      const passkey = await countSignature(tools, accountId, known, counter);
      return passkey && { accountId, passkey };
    },
  };
}

/** Against what stands there now: a passkey that was removed meanwhile is none any more. */
async function countSignature(
  { records, clock, alarm }: Tools,
  accountId: string,
  { id, publicKey }: Passkey,
  counter: number,
): Promise<Passkey | undefined> {
  const counted = await records.change<Passkey | 'behind' | undefined>(accountId, (factors) => {
    const { passkeys } = factors;
    const at = passkeys.findIndex((one) => one.id === id && one.publicKey === publicKey);
    const current = passkeys[at];
    if (!current) return { factors, result: undefined };
    const counts = counter > 0 || current.counter > 0;
    if (counts && counter <= current.counter) return { factors, result: 'behind' };
    const passkey = { ...current, counter, usedAtMs: clock() };
    return { factors: { ...factors, passkeys: passkeys.with(at, passkey) }, result: passkey };
  });
  if (counted !== 'behind') return counted;
  // Two devices sign with the same key, and one of them is not the person's.
  alarm('passkey_counter');
  return undefined;
}

function describe(passkeys: readonly Passkey[]): { id: string; transports: string[] }[] {
  return passkeys.map(({ id, transports }) => ({ id, transports: [...transports] }));
}

function fromBase64url(text: string): string {
  return Buffer.from(text, 'base64url').toString();
}
